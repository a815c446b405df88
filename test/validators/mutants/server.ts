import { ofType } from '../template';
import type { Template } from '../types';
import { first, forgetDependency, Mutant, NotApplicable, remove } from './mutant';

/** A part of the server, by the end of its construct's path. */
const part = (template: Template, type: string | RegExp, path: RegExp = /./) =>
  first(template, type, (_, at) => /(^|\/)Server\//.test(at) && path.test(at));
const of = (template: Template, type: string | RegExp, path?: RegExp): any => part(template, type, path)[1].Properties;

const instance = (template: Template) => of(template, 'AWS::RDS::DBInstance', /\/Instance\/Resource$/);
const cluster = (template: Template) => of(template, 'AWS::RDS::DBCluster');
const valkey = (template: Template) => of(template, 'AWS::ElastiCache::ReplicationGroup');
const targets = (template: Template) => of(template, 'AWS::ElasticLoadBalancingV2::TargetGroup');
const listener = (template: Template) => of(template, 'AWS::ElasticLoadBalancingV2::Listener');
const rule = (template: Template, id: string) => of(template, 'AWS::ElasticLoadBalancingV2::ListenerRule', new RegExp(`/${id}Rule/`));
const webAcl = (template: Template) => of(template, 'AWS::WAFv2::WebACL');
const service = (template: Template, id = 'Api') => part(template, 'AWS::ECS::Service', new RegExp(`/Services/${id}/Service$`))[1];
const attribute = (template: Template, key: string) =>
  of(template, 'AWS::ElasticLoadBalancingV2::LoadBalancer').LoadBalancerAttributes.find(({ Key }: any) => Key === key);

const prefect = (template: Template, task: string) =>
  of(template, 'AWS::ECS::TaskDefinition', new RegExp(`/${task}Task/TaskDefinition/`)).ContainerDefinitions.find(({ Name }: any) => Name === 'prefect');
const variable = (template: Template, task: string, name: string) => prefect(template, task).Environment.find(({ Name }: any) => Name === name) ?? fail(`no ${name}`);
const without = (list: any[], name: string) => {
  const index = list.findIndex(({ Name }: any) => Name === name);
  if (index < 0) fail(`no ${name}`);
  list.splice(index, 1);
};
const fail = (what: string) => {
  throw new NotApplicable(what);
};

const alarm = (template: Template, name: string) => of(template, 'AWS::CloudWatch::Alarm', new RegExp(`/Alarms/${name}/`));
const dimension = (template: Template, name: string): any => {
  const { Dimensions, Metrics = [] } = alarm(template, name);
  return [Dimensions, ...Metrics.map(({ MetricStat }: any) => MetricStat?.Metric.Dimensions)].find(list => list)[0];
};

/** Faults of what only `PrefectServer` has. */
export const serverMutants: Mutant[] = [
  // Database
  { name: 'server: database not encrypted', caughtBy: 'cloudformation-validate', edit: (template) => { const database = instance(template); database.StorageEncrypted = false; delete database.KmsKeyId; } },
  { name: 'server: Aurora not encrypted', caughtBy: 'control-tower', edit: (template) => { const database = cluster(template); delete database.StorageEncrypted; delete database.KmsKeyId; } },
  { name: 'server: database with a public address', caughtBy: 'cloudformation-validate', edit: (template) => { instance(template).PubliclyAccessible = true; } },
  { name: 'server: database without backups', caughtBy: 'control-tower', edit: (template) => { instance(template).BackupRetentionPeriod = 0; } },
  { name: 'server: database that is deleted with its stack, and leaves nothing', caughtBy: 'stores', edit: (template) => { const [, resource] = part(template, 'AWS::RDS::DBInstance', /Instance\/Resource$/); resource.DeletionPolicy = 'Delete'; resource.UpdateReplacePolicy = 'Delete'; } },
  { name: 'server: database not protected from deletion', caughtBy: 'control-tower', edit: (template) => { instance(template).DeletionProtection = false; } },
  { name: 'server: database with a password in the template', caughtBy: 'cloudformation-validate', edit: (template) => { const database = instance(template); delete database.ManageMasterUserPassword; delete database.MasterUserSecret; database.MasterUserPassword = 'prefect-password'; } },
  { name: 'server: database without the secret that its tasks read', caughtBy: 'secrets', edit: (template) => { const database = instance(template); delete database.ManageMasterUserPassword; delete database.MasterUserSecret; database.MasterUserPassword = '{{resolve:secretsmanager:prefect:SecretString:password}}'; } },
  { name: 'server: database that admits the world', caughtBy: 'cloudformation-validate', edit: (template) => { of(template, 'AWS::EC2::SecurityGroup', /\/Database\/SecurityGroup\//).SecurityGroupIngress = [{ IpProtocol: 'tcp', FromPort: 5432, ToPort: 5432, CidrIp: '0.0.0.0/0' }]; } },
  { name: 'server: database that admits the wrong port', caughtBy: 'stores', edit: (template) => { Object.assign(of(template, 'AWS::EC2::SecurityGroupIngress', /\/Database\/SecurityGroup\//), { FromPort: 3306, ToPort: 3306 }); } },
  { name: 'server: database that doesn\'t admit the tasks', caughtBy: 'stores', edit: (template) => remove(template, part(template, 'AWS::EC2::SecurityGroupIngress', /\/Database\/SecurityGroup\//)[0]) },
  { name: 'server: tasks that aren\'t let out to the database', caughtBy: 'stores', edit: (template) => remove(template, part(template, 'AWS::EC2::SecurityGroupEgress', /\/Network\/SecurityGroup\/to .*Database/)[0]) },
  // Settings of the tasks
  { name: 'server: connections to the database that nobody verifies', caughtBy: 'servers', edit: (template) => without(prefect(template, 'Api').Environment, 'PREFECT_SERVER_DATABASE_SQLALCHEMY_CONNECT_ARGS_TLS_ENABLED') },
  { name: 'server: certificate authorities in a file that nobody writes', caughtBy: 'servers', edit: (template) => { variable(template, 'Api', 'PREFECT_SERVER_DATABASE_SQLALCHEMY_CONNECT_ARGS_TLS_CA_FILE').Value = '/etc/ssl/rds.pem'; } },
  { name: 'server: migration by every task', caughtBy: 'servers', edit: (template) => without(prefect(template, 'Api').Environment, 'PREFECT_SERVER_DATABASE_MIGRATE_ON_START') },
  { name: 'server: tasks of another database than the migration\'s', caughtBy: 'servers', edit: (template) => { variable(template, 'Api', 'PREFECT_SERVER_DATABASE_NAME').Value = 'postgres'; } },
  { name: 'server: tasks that look for the database on another port', caughtBy: 'servers', edit: (template) => { for (const task of ['Api', 'Migration']) variable(template, task, 'PREFECT_SERVER_DATABASE_PORT').Value = '5433'; } },
  { name: 'server: API without authentication', caughtBy: 'servers', edit: (template) => without(prefect(template, 'Api').Secrets, 'PREFECT_SERVER_API_AUTH_STRING') },
  { name: 'server: user of the database instead of its password', caughtBy: 'servers', edit: (template) => { const { Secrets } = prefect(template, 'Api'); const find = (end: string) => Secrets.find(({ Name }: any) => Name === `PREFECT_SERVER_DATABASE_${end}`); find('PASSWORD').ValueFrom = find('USER').ValueFrom; } },
  { name: 'server: services with messages in their memory', caughtBy: 'servers', edit: (template) => without(prefect(template, 'Services').Environment, 'PREFECT_SERVER_EVENTS_MESSAGING_BROKER') },
  { name: 'server: API without TLS to Valkey', caughtBy: 'servers', edit: (template) => without(prefect(template, 'Api').Environment, 'PREFECT_REDIS_MESSAGING_SSL') },
  { name: 'server: API beside the background services that runs them as well', caughtBy: 'servers', edit: (template) => { const { Command } = prefect(template, 'Services'); prefect(template, 'Api').Command = Command.slice(0, 3).concat(['prefect', 'server', 'start', '--host', '0.0.0.0', '--port', '4200']); } },
  { name: 'server: API that listens on another port', caughtBy: 'servers', edit: (template) => { const { Command } = prefect(template, 'Api'); Command[Command.indexOf('4200')] = '4201'; } },
  { name: 'server: API that only its own container reaches', caughtBy: 'servers', edit: (template) => { const { Command } = prefect(template, 'Api'); Command[Command.indexOf('0.0.0.0')] = '127.0.0.1'; } },
  { name: 'server: connections that close before the load balancer\'s do', caughtBy: 'servers', edit: (template) => { targets(template); variable(template, 'Api', 'PREFECT_SERVER_API_KEEPALIVE_TIMEOUT').Value = '30'; } },
  { name: 'server: two tasks with messages in their memory', caughtBy: 'servers', edit: (template) => { if (ofType(template, 'AWS::ElastiCache::ReplicationGroup').length > 0) fail('it has Valkey'); service(template).Properties.DesiredCount = 2; } },
  { name: 'server: two tasks with messages in their memory, while it is deployed', caughtBy: 'servers', edit: (template) => { if (ofType(template, 'AWS::ElastiCache::ReplicationGroup').length > 0) fail('it has Valkey'); Object.assign(service(template).Properties.DeploymentConfiguration, { MinimumHealthyPercent: 100, MaximumPercent: 200 }); } },
  // Order and permissions
  { name: 'server: services that change before the migration', caughtBy: 'stores', edit: (template) => { const [id] = part(template, 'Custom::PrefectMigration'); forgetDependency(template, [id]); } },
  { name: 'server: migration before there is a writer', caughtBy: 'stores', edit: (template) => { const migration = part(template, 'Custom::PrefectMigration')[1]; const [writer] = part(template, 'AWS::RDS::DBInstance', /\/Writer\//); const [reader] = part(template, 'AWS::RDS::DBInstance', /\/Reader\//); migration.DependsOn = [migration.DependsOn!].flat().filter(id => ![writer, reader].includes(id)); } },
  { name: 'server: migration by the task of the API', caughtBy: 'stores', edit: (template) => { of(template, 'Custom::PrefectMigration').TaskDefinition = { Ref: part(template, 'AWS::ECS::TaskDefinition', /\/ApiTask\//)[0] }; } },
  { name: 'server: migration in a container that isn\'t there', caughtBy: 'stores', edit: (template) => { of(template, 'Custom::PrefectMigration').Container = 'server'; } },
  { name: 'server: migration whose task may not be started', caughtBy: 'needs', edit: (template) => { const { Statement } = of(template, 'AWS::IAM::Policy', /\/Migration\/Role\//).PolicyDocument; Statement.splice(Statement.findIndex(({ Action }: any) => Action === 'ecs:RunTask'), 1); } },
  { name: 'server: migration whose last words nobody may read', caughtBy: 'needs', edit: (template) => { const { Statement } = of(template, 'AWS::IAM::Policy', /\/Migration\/Role\//).PolicyDocument; Statement.splice(Statement.findIndex(({ Action }: any) => Action === 'logs:GetLogEvents'), 1); } },
  { name: 'server: password of the database that the tasks may not read', caughtBy: 'needs', edit: (template) => { const { Statement } = of(template, 'AWS::IAM::Policy', /\/ExecutionRole\//).PolicyDocument; Statement.splice(Statement.findIndex(({ Resource }: any) => /MasterUserSecret/.test(JSON.stringify(Resource))), 1); } },
  { name: 'server: secrets whose key the tasks may not use', caughtBy: 'needs', edit: (template) => { const { Statement } = of(template, 'AWS::IAM::Policy', /\/ExecutionRole\//).PolicyDocument; Statement.splice(Statement.findIndex(({ Action }: any) => Action === 'kms:Decrypt'), 1); } },
  { name: 'server: rotated password that no task is told of', caughtBy: 'needs', edit: (template) => { const { Statement } = of(template, 'AWS::IAM::Policy', /\/SecretFollower\/Role\//).PolicyDocument; Statement.splice(Statement.findIndex(({ Action }: any) => [Action].flat().includes('ecs:UpdateService')), 1); } },
  { name: 'server: rotation of a secret that is not followed', caughtBy: 'grants', edit: (template) => { const { Variables } = of(template, 'AWS::Lambda::Function', /\/SecretFollower\/Function\//).Environment; Variables.WORKER_SECRETS = '[]'; } },
  { name: 'server: follower that nobody wakes', caughtBy: 'schedules', edit: (template) => { of(template, 'AWS::Events::Rule', /\/SecretFollower\//).State = 'DISABLED'; } },
  // The way in
  { name: 'server: health by a path that isn\'t there', caughtBy: 'load-balancers', edit: (template) => { targets(template).HealthCheckPath = '/health'; } },
  { name: 'server: health by a path that asks for authentication', caughtBy: 'load-balancers', edit: (template) => { targets(template).HealthCheckPath = '/api/admin/version'; } },
  { name: 'server: health that a lost database ends for all tasks', caughtBy: 'load-balancers', edit: (template) => { targets(template).HealthCheckPath = '/api/ready'; } },
  { name: 'server: targets that are forwarded to on another port', caughtBy: 'stores', edit: (template) => { (service(template).Properties.LoadBalancers?.[0] ?? fail('no load balancer')).ContainerPort = 80; } },
  { name: 'server: targets that no listener has', caughtBy: 'load-balancers', edit: (template) => { listener(template).DefaultActions = [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '503' } }]; for (const [, { Properties }] of ofType(template, 'AWS::ElasticLoadBalancingV2::ListenerRule')) Properties!.Actions = [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '503' } }]; } },
  { name: 'server: service before its listener', caughtBy: 'load-balancers', edit: (template) => { const gone = ofType(template, /^AWS::ElasticLoadBalancingV2::Listener/).map(([id]) => id); if (gone.length === 0) fail('no listener'); forgetDependency(template, gone); } },
  { name: 'server: listener without TLS', caughtBy: 'control-tower', edit: (template) => { const properties = listener(template); Object.assign(properties, { Protocol: 'HTTP', Port: 80 }); delete properties.Certificates; delete properties.SslPolicy; } },
  { name: 'server: listener on a port that is shut', caughtBy: 'load-balancers', edit: (template) => { listener(template).Port = 8443; } },
  { name: 'server: listener that takes old TLS', caughtBy: 'checkov', edit: (template) => { listener(template).SslPolicy = 'ELBSecurityPolicy-2016-08'; } },
  { name: 'server: everybody without a sign-in by the default', caughtBy: 'load-balancers', edit: (template) => remove(template, part(template, 'AWS::ElasticLoadBalancingV2::ListenerRule', /\/PeopleRule\//)[0]) },
  { name: 'server: API that redirects programs to a sign-in', caughtBy: 'load-balancers', edit: (template) => { rule(template, 'Api').Actions[0].AuthenticateOidcConfig.OnUnauthenticatedRequest = 'authenticate'; } },
  { name: 'server: rule that comes before the programs\' own', caughtBy: 'load-balancers', edit: (template) => { rule(template, 'Api').Priority = 5; } },
  { name: 'server: load balancer that takes any port from the world', caughtBy: 'cloudformation-validate', edit: (template) => { Object.assign(of(template, 'AWS::EC2::SecurityGroup', /\/Access\/SecurityGroup\//).SecurityGroupIngress[0], { FromPort: 0, ToPort: 65535 }); } },
  { name: 'server: load balancer that doesn\'t reach the tasks', caughtBy: 'stores', edit: (template) => remove(template, part(template, 'AWS::EC2::SecurityGroupEgress', /\/Access\/SecurityGroup\//)[0]) },
  { name: 'server: tasks that take the whole world', caughtBy: 'no-ingress', edit: (template) => { of(template, 'AWS::EC2::SecurityGroup', /\/Network\/SecurityGroup\//).SecurityGroupIngress = [{ IpProtocol: 'tcp', FromPort: 4200, ToPort: 4200, CidrIp: '0.0.0.0/0' }]; } },
  { name: 'server: access logs that nobody may write', caughtBy: 'needs', edit: (template) => { const { Statement } = of(template, 'AWS::S3::BucketPolicy', /\/AccessLogs\//).PolicyDocument; Statement.splice(Statement.findIndex(({ Effect }: any) => Effect === 'Allow'), 1); } },
  { name: 'server: no access logs', caughtBy: 'control-tower', edit: (template) => { attribute(template, 'access_logs.s3.enabled').Value = 'false'; } },
  { name: 'server: name that leads to no load balancer', caughtBy: 'portable', edit: (template) => { of(template, 'AWS::Route53::RecordSet').AliasTarget.DNSName = 'dualstack.elsewhere.us-east-1.elb.amazonaws.com'; } },
  { name: 'server: certificate of another name', caughtBy: 'load-balancers', edit: (template) => { of(template, 'AWS::CertificateManager::Certificate').DomainName = 'other.example.com'; } },
  { name: 'server: private name that no worker asks for', caughtBy: 'servers', edit: (template) => { of(template, 'AWS::ServiceDiscovery::Service').Name = 'server'; } },
  // Firewall
  { name: 'server: firewall before nothing', caughtBy: 'firewalls', edit: (template) => remove(template, part(template, 'AWS::WAFv2::WebACLAssociation')[0]) },
  { name: 'server: firewall before something else', caughtBy: 'firewalls', edit: (template) => { of(template, 'AWS::WAFv2::WebACLAssociation').ResourceArn = { Ref: part(template, 'AWS::ElasticLoadBalancingV2::TargetGroup')[0] }; } },
  { name: 'server: firewall of CloudFront', caughtBy: 'firewalls', edit: (template) => { webAcl(template).Scope = 'CLOUDFRONT'; } },
  { name: 'server: firewall that blocks long logs', caughtBy: 'firewalls', edit: (template) => { without(webAcl(template).Rules.find(({ Name }: any) => /CommonRuleSet/.test(Name)).Statement.ManagedRuleGroupStatement.RuleActionOverrides, 'SizeRestrictions_BODY'); } },
  { name: 'server: firewall with the exception of a rule that isn\'t there', caughtBy: 'firewalls', edit: (template) => { webAcl(template).Rules.find(({ Name }: any) => /CommonRuleSet/.test(Name)).Statement.ManagedRuleGroupStatement.RuleActionOverrides[0].Name = 'SizeRestriction_BODY'; } },
  { name: 'server: firewall with a group that isn\'t there', caughtBy: 'names', edit: (template) => { webAcl(template).Rules[1].Statement.ManagedRuleGroupStatement.Name = 'AWSManagedRulesIpReputationList'; } },
  { name: 'server: two rules of the firewall at one place', caughtBy: 'firewalls', edit: (template) => { const { Rules } = webAcl(template); Rules[1].Priority = Rules[0].Priority; } },
  { name: 'server: firewall that only counts', caughtBy: 'firewalls', edit: (template) => { webAcl(template).Rules.filter(({ OverrideAction }: any) => OverrideAction).forEach((each: any) => { each.OverrideAction = { Count: {} }; }); } },
  { name: 'server: firewall that logs credentials', caughtBy: 'firewalls', edit: (template) => of(template, 'AWS::WAFv2::LoggingConfiguration').RedactedFields.shift() },
  { name: 'server: log of the firewall under a name that AWS WAF refuses', caughtBy: 'portable', edit: (template) => { const group = of(template, 'AWS::Logs::LogGroup', /\/Firewall\//); group.LogGroupName = 'firewall-logs'; } },
  // Valkey
  { name: 'server: Valkey that takes plain connections', caughtBy: 'servers', edit: (template) => { const group = valkey(template); group.TransitEncryptionEnabled = false; delete group.AuthToken; } },
  { name: 'server: Valkey that drops messages', caughtBy: 'stores', edit: (template) => { of(template, 'AWS::ElastiCache::ParameterGroup').Properties['maxmemory-policy'] = 'allkeys-lru'; } },
  { name: 'server: Valkey in cluster mode', caughtBy: 'stores', edit: (template) => { valkey(template).ClusterMode = 'enabled'; } },
  { name: 'server: Valkey that doesn\'t fail over', caughtBy: 'stores', edit: (template) => { const group = valkey(template); group.AutomaticFailoverEnabled = false; group.MultiAZEnabled = false; group.NumCacheClusters = 1; } },
  { name: 'server: Valkey with another password than the tasks\'', caughtBy: 'servers', edit: (template) => { valkey(template).AuthToken['Fn::Join'][1][1] = { Ref: part(template, 'AWS::SecretsManager::Secret', /\/Password\//)[0] }; } },
  // Alarms
  { name: 'server: alarm on a database that isn\'t there', caughtBy: 'dimensions', edit: (template) => { dimension(template, 'ServerDatabaseBusy').Value = 'prefect'; } },
  { name: 'server: alarm on Valkey by its group', caughtBy: 'dimensions', edit: (template) => { dimension(template, 'ServerRedisMemory').Value = { Ref: part(template, 'AWS::ElastiCache::ReplicationGroup')[0] }; } },
  { name: 'server: alarm on a third node of two', caughtBy: 'dimensions', edit: (template) => { dimension(template, 'ServerServicesBehind').Value['Fn::Join'][1][1] = '-003'; } },
  { name: 'server: alarm on a web ACL that isn\'t there', caughtBy: 'dimensions', edit: (template) => { webAcl(template).VisibilityConfig.MetricName = 'Firewall'; } },
  { name: 'server: alarm on the load balancer by its ARN', caughtBy: 'dimensions', edit: (template) => { alarm(template, 'ServerErrors').Dimensions.find(({ Name }: any) => Name === 'LoadBalancer').Value = { Ref: part(template, 'AWS::ElasticLoadBalancingV2::LoadBalancer')[0] }; } },
  { name: 'server: alarm on the wrong one of two services', caughtBy: 'alarms', edit: (template) => { const services = part(template, 'AWS::ECS::Service', /\/Services\/Services\/Service$/)[0]; const { Dimensions } = alarm(template, 'ServerBusy'); Dimensions.find(({ Name }: any) => Name === 'ServiceName').Value = { 'Fn::GetAtt': [services, 'Name'] }; } },
  { name: 'server: alarm on a metric that Amazon RDS hasn\'t', caughtBy: 'names', edit: (template) => { alarm(template, 'ServerDatabaseConnections').MetricName = 'Connections'; } },
  { name: 'server: alarm that rings when few connections are taken', caughtBy: 'alarm-senses', edit: (template) => { alarm(template, 'ServerDatabaseConnections').ComparisonOperator = 'LessThanThreshold'; } },
];
