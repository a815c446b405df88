import { X509Certificate } from 'node:crypto';
import { App, aws_ec2 as ec2, aws_ecs as ecs, aws_rds as rds, aws_ssm as ssmlib, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { partOf, serverWith, stackWithVpc, variablesOf } from './app';
import { PrefectServer, ServerDatabase, ServerSize } from '../../src';

const endsWith = (...words: string[]) => words;
const command = (template: Template, part: string) => partOf(template, part).prefect.Command.slice(3);
const small = serverWith().template();
const large = serverWith({ size: ServerSize.highlyAvailable() }).template();

describe('a small server', () => {
  test('is one task with everything in it, never two, also while it is deployed', () => {
    expect(command(small, 'server')).toEqual(endsWith('prefect', 'server', 'start', '--host', '0.0.0.0', '--port', '4200'));
    small.resourceCountIs('AWS::ECS::Service', 1);
    small.hasResourceProperties('AWS::ECS::Service', { DesiredCount: 1, DeploymentConfiguration: Match.objectLike({ MinimumHealthyPercent: 0, MaximumPercent: 100 }) });
    small.resourceCountIs('AWS::ApplicationAutoScaling::ScalableTarget', 0);
  });

  test('keeps its messages in memory', () => {
    small.resourceCountIs('AWS::ElastiCache::ReplicationGroup', 0);
    expect(Object.keys(variablesOf(partOf(small, 'server').prefect)).filter(name => /REDIS|MESSAGING/.test(name))).toEqual([]);
  });

  test('has an encrypted database with backups, which a deletion leaves a snapshot of', () => {
    small.hasResource('AWS::RDS::DBInstance', {
      DeletionPolicy: 'Snapshot',
      UpdateReplacePolicy: 'Snapshot',
      Properties: Match.objectLike({ DBInstanceClass: 'db.t4g.micro', StorageEncrypted: true, BackupRetentionPeriod: 7, DeletionProtection: true, PubliclyAccessible: false }),
    });
    small.hasResource('AWS::KMS::Key', { DeletionPolicy: 'Retain' });
  });

  test('leaves the password of its database to Amazon RDS, and starts with it', () => {
    small.hasResourceProperties('AWS::RDS::DBInstance', { ManageMasterUserPassword: true, MasterUserPassword: Match.absent() });
    const [instance] = Object.keys(small.findResources('AWS::RDS::DBInstance'));
    expect(variablesOf(partOf(small, 'server').prefect).PREFECT_SERVER_DATABASE_PASSWORD)
      .toEqual({ 'Fn::Join': ['', [{ 'Fn::GetAtt': [instance, 'MasterUserSecret.SecretArn'] }, ':password::']] });
  });
});

describe('a highly available server', () => {
  test('has the API and the background services apart', () => {
    expect(command(large, 'api')).toEqual(endsWith('prefect', 'server', 'start', '--host', '0.0.0.0', '--port', '4200', '--no-services'));
    expect(command(large, 'services')).toEqual(endsWith('prefect', 'server', 'services', 'start'));
    large.hasResourceProperties('AWS::ECS::Service', { DesiredCount: 2 });
    large.hasResourceProperties('AWS::ApplicationAutoScaling::ScalableTarget', { MinCapacity: 2, MaxCapacity: 6 });
  });

  test('lets scaling say how many API tasks there are', () => {
    large.hasResourceProperties('AWS::ECS::Service', { DesiredCount: Match.absent(), DeploymentConfiguration: Match.objectLike({ MinimumHealthyPercent: 100 }) });
  });

  test('has Valkey with a replica, encrypted, with a password, that drops nothing, and is not in cluster mode', () => {
    large.hasResourceProperties('AWS::ElastiCache::ReplicationGroup', {
      Engine: 'valkey',
      ClusterMode: 'disabled',
      NumCacheClusters: 2,
      AutomaticFailoverEnabled: true,
      MultiAZEnabled: true,
      TransitEncryptionEnabled: true,
      AtRestEncryptionEnabled: true,
      AuthToken: Match.objectLike({ 'Fn::Join': ['', Match.arrayWith(['{{resolve:secretsmanager:'])] }),
    });
    large.hasResourceProperties('AWS::ElastiCache::ParameterGroup', { Properties: { 'maxmemory-policy': 'noeviction' } });
    // What its URL can hold without an escape.
    large.hasResourceProperties('AWS::SecretsManager::Secret', { GenerateSecretString: { ExcludePunctuation: true, PasswordLength: 64 } });
  });

  test.each(['api', 'services', 'migration'])('has its %s tell the others by Redis', part => {
    const variables = variablesOf(partOf(large, part).prefect);
    expect(variables).toMatchObject({
      PREFECT_SERVER_EVENTS_MESSAGING_BROKER: 'prefect_redis.messaging',
      PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE: 'prefect_redis.lease_storage',
      PREFECT_REDIS_MESSAGING_SSL: 'true',
      PREFECT_REDIS_WORKER_CLEANUP_QUEUE_SSL: 'true',
    });
    expect(variables.PREFECT_REDIS_MESSAGING_HOST).toEqual(variables.PREFECT_REDIS_WORKER_CLEANUP_QUEUE_HOST);
    expect(variables.PREFECT_REDIS_MESSAGING_PASSWORD).toEqual(variables.PREFECT_REDIS_WORKER_CLEANUP_QUEUE_PASSWORD);
  });

  test('has an Aurora writer, and a reader that takes its place', () => {
    large.hasResourceProperties('AWS::RDS::DBCluster', { Engine: 'aurora-postgresql', ManageMasterUserPassword: true, StorageEncrypted: true });
    large.resourceCountIs('AWS::RDS::DBInstance', 2);
  });

  test('has an instance with a standby where that is asked for', () => {
    serverWith({
      size: ServerSize.highlyAvailable({ maxApiTasks: 3 }),
      database: ServerDatabase.instance({ instanceType: ec2.InstanceType.of(ec2.InstanceClass.T4G, ec2.InstanceSize.SMALL) }),
    }).template().hasResourceProperties('AWS::RDS::DBInstance', { MultiAZ: true, DBInstanceClass: 'db.t4g.small' });
  });
});

describe.each([['small', small, ['server', 'migration']], ['highly available', large, ['api', 'services', 'migration']]] as const)('every task of a %s server', (_, template, parts) => {
  test.each(parts)('verifies the database: %s', part => {
    const { prefect, 'ca-certificate': writer } = partOf(template, part);
    expect(variablesOf(prefect)).toMatchObject({
      PREFECT_SERVER_DATABASE_SQLALCHEMY_CONNECT_ARGS_TLS_ENABLED: 'true',
      PREFECT_SERVER_DATABASE_SQLALCHEMY_CONNECT_ARGS_TLS_CA_FILE: '/prefect-tls/ca.pem',
    });
    expect(prefect.DependsOn).toContainEqual({ ContainerName: 'ca-certificate', Condition: 'SUCCESS' });
    const authorities = (variablesOf(writer).CA_CERTIFICATE as string).split(/(?<=END CERTIFICATE-----\n)/).filter(Boolean).map(pem => new X509Certificate(pem));
    expect(authorities.map(({ subject }) => /CN=(.*)/.exec(subject)![1])).toEqual(
      ['RSA2048', 'RSA4096', 'ECC384'].map(kind => `Amazon RDS eu-central-1 Root CA ${kind} G1`));
    authorities.forEach(certificate => expect(certificate.verify(certificate.publicKey)).toBe(true));
  });

  test.each(parts)('migrates nothing when it starts: %s', part => {
    expect(variablesOf(partOf(template, part).prefect)).toMatchObject({ PREFECT_SERVER_DATABASE_MIGRATE_ON_START: 'false' });
  });

  test.each(parts)('writes to volumes alone, as a user without permissions: %s', part => {
    const { prefect } = partOf(template, part);
    expect(prefect).toMatchObject({ ReadonlyRootFilesystem: true, User: '1000:1000' });
    const writable = prefect.MountPoints.filter(({ ReadOnly }: any) => !ReadOnly).map(({ ContainerPath }: any) => ContainerPath);
    expect(writable).toEqual(['/tmp']);
    const { HOME, PREFECT_HOME, PREFECT_SERVER_UI_STATIC_DIRECTORY } = variablesOf(prefect);
    for (const path of [HOME, PREFECT_HOME, PREFECT_SERVER_UI_STATIC_DIRECTORY]) expect(path).toMatch(/^\/tmp(\/|$)/);
  });

  test.each(parts)('has credentials as secrets alone: %s', part => {
    const { Environment } = partOf(template, part).prefect;
    expect(Environment.map(({ Name }: any) => Name).filter((name: string) => /PASSWORD|AUTH_STRING|_USER$/.test(name))).toEqual([]);
  });
});

describe('the services', () => {
  test('change after the migration of the database', () => {
    const [migration] = Object.keys(large.findResources('Custom::PrefectMigration'));
    for (const service of Object.values(large.findResources('AWS::ECS::Service'))) expect(service.DependsOn).toContain(migration);
  });

  test('migrate after the database is there', () => {
    const databases = Object.keys({ ...large.findResources('AWS::RDS::DBCluster'), ...large.findResources('AWS::RDS::DBInstance') });
    const [{ DependsOn }] = Object.values(large.findResources('Custom::PrefectMigration'));
    expect(DependsOn).toEqual(expect.arrayContaining(databases));
  });

  test('roll back when they don\'t start', () => {
    for (const { Properties } of Object.values(large.findResources('AWS::ECS::Service'))) {
      expect(Properties.DeploymentConfiguration.DeploymentCircuitBreaker).toEqual({ Enable: true, Rollback: true });
    }
  });

  test('are healthy while the API answers, and while nothing waits for long in the queue of the background services', () => {
    expect(partOf(large, 'api').prefect.HealthCheck.Command[3]).toContain('/api/health');
    expect(partOf(large, 'services').prefect.HealthCheck.Command[3]).toContain('prefect:queue');
  });
});

describe('credentials', () => {
  test('are created for the user prefect, in ASCII', () => {
    small.hasResourceProperties('AWS::SecretsManager::Secret', { GenerateSecretString: { ExcludePunctuation: true, PasswordLength: 48 } });
    small.hasResourceProperties('AWS::SecretsManager::Secret', { SecretString: { 'Fn::Join': ['', ['prefect:{{resolve:secretsmanager:', Match.anyValue(), ':SecretString:::}}']] } });
  });

  test('that rotate are followed', () => {
    const { template } = serverWith();
    const told = Object.values(template().findResources('AWS::Lambda::Function')).map(({ Properties }) => JSON.stringify(Properties.Environment?.Variables.WORKER_SECRETS));
    expect(told.filter(secrets => secrets?.includes('MasterUserSecret.SecretArn'))).toHaveLength(1);
  });
});

describe('retention', () => {
  test('of flow runs and events is 90 and 7 days', () => {
    expect(variablesOf(partOf(small, 'server').prefect)).toMatchObject({
      PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED: 'events,flow_runs',
      PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD: '7776000',
      PREFECT_SERVER_EVENTS_RETENTION_PERIOD: 'PT604800S',
    });
  });

  test('is what is asked for', () => {
    expect(variablesOf(partOf(serverWith({ flowRunRetention: Duration.days(30), eventRetention: Duration.days(1) }).template(), 'server').prefect)).toMatchObject({
      PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD: '2592000', PREFECT_SERVER_EVENTS_RETENTION_PERIOD: 'PT86400S',
    });
  });
});

describe('a database of yours', () => {
  test('is used with its secret, and lets the server in', () => {
    const template = serverWith((stack, vpc) => {
      const instance = new rds.DatabaseInstance(stack, 'Mine', { vpc, engine: rds.DatabaseInstanceEngine.POSTGRES, credentials: rds.Credentials.fromGeneratedSecret('me') });
      return { database: ServerDatabase.fromInstance(instance, { databaseName: 'flows' }) };
    }).template();
    template.resourceCountIs('AWS::RDS::DBInstance', 1);
    const { PREFECT_SERVER_DATABASE_NAME, PREFECT_SERVER_DATABASE_USER } = variablesOf(partOf(template, 'server').prefect);
    expect(PREFECT_SERVER_DATABASE_NAME).toBe('flows');
    expect(JSON.stringify(PREFECT_SERVER_DATABASE_USER)).toContain(':username::');
    template.hasResourceProperties('AWS::EC2::SecurityGroupIngress', { FromPort: 5432, SourceSecurityGroupId: { 'Fn::GetAtt': [Match.stringLikeRegexp('ServerNetwork'), 'GroupId'] } });
  });

  test('can be anywhere, with a certificate authority of its own', () => {
    const pem = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
    const template = serverWith(stack => {
      const secret = (name: string) => ecs.Secret.fromSsmParameter(ssm(stack, name));
      return { database: ServerDatabase.fromEndpoint({ host: 'pg.example.com', port: 6432, credentials: { username: secret('User'), password: secret('Password') }, tlsCaCertificate: pem }) };
    }).template();
    const { prefect, 'ca-certificate': writer } = partOf(template, 'server');
    expect(variablesOf(prefect)).toMatchObject({ PREFECT_SERVER_DATABASE_HOST: 'pg.example.com', PREFECT_SERVER_DATABASE_PORT: '6432' });
    expect(variablesOf(writer)).toMatchObject({ CA_CERTIFICATE: pem });
    expect(egressOf(template)).toEqual(expect.arrayContaining([[443, '0.0.0.0/0'], [6432, '0.0.0.0/0']]));
  });

  test('and a Redis of yours are reached where nobody knows their security groups, and by these alone where they are known', () => {
    const stores = (stack: Stack, securityGroups?: ec2.ISecurityGroup[]) => {
      const secret = ecs.Secret.fromSsmParameter(ssm(stack, 'Secret'));
      return {
        size: ServerSize.highlyAvailable(),
        database: ServerDatabase.fromEndpoint({ host: 'pg.example.com', credentials: { username: secret, password: secret }, securityGroups }),
        redis: { host: 'redis.example.com', securityGroups },
      };
    };
    const anywhere = serverWith(stack => stores(stack)).template();
    expect(egressOf(anywhere).filter(([port]) => [5432, 6379].includes(port))).toEqual([[5432, '0.0.0.0/0'], [6379, '0.0.0.0/0']]);

    const known = serverWith(stack => stores(stack, [ec2.SecurityGroup.fromSecurityGroupId(stack, 'Theirs', 'sg-0a1b2c3d')])).template();
    expect(egressOf(known).filter(([port]) => [5432, 6379].includes(port))).toEqual([]);
    for (const port of [5432, 6379]) {
      known.hasResourceProperties('AWS::EC2::SecurityGroupEgress', { FromPort: port, DestinationSecurityGroupId: 'sg-0a1b2c3d' });
      known.hasResourceProperties('AWS::EC2::SecurityGroupIngress', { FromPort: port, GroupId: 'sg-0a1b2c3d' });
    }
  });
});

test('a stack without a region has the certificates of all regions', () => {
  const app = new App();
  const stack = new Stack(app, 'Stack');
  new PrefectServer(stack, 'Server', { vpc: new ec2.Vpc(stack, 'Vpc', { restrictDefaultSecurityGroup: false }) });
  const template = Template.fromStack(stack);
  const mapping = template.findMappings('AmazonRdsCertificates').AmazonRdsCertificates as Record<string, { Certificate: string }>;
  expect(Object.keys(mapping)).toEqual(expect.arrayContaining(['us-east-1', 'eu-west-1', 'ap-southeast-2']));
  for (const [region, { Certificate }] of Object.entries(mapping)) expect(new X509Certificate(Certificate).subject).toContain(`Amazon RDS ${region} Root CA RSA2048 G1`);
  expect(variablesOf(partOf(template, 'server')['ca-certificate']).CA_CERTIFICATE).toEqual({ 'Fn::FindInMap': ['AmazonRdsCertificates', { Ref: 'AWS::Region' }, 'Certificate'] });
});

test('DESTROY leaves nothing of the database', () => {
  const template = serverWith({ removalPolicy: RemovalPolicy.DESTROY, database: ServerDatabase.instance({ deletionProtection: false }) }).template();
  template.hasResource('AWS::RDS::DBInstance', { DeletionPolicy: 'Delete', Properties: Match.objectLike({ DeletionProtection: false }) });
  template.hasResource('AWS::KMS::Key', { DeletionPolicy: 'Delete' });
});

test('the stack tells where the logs are', () => {
  const [[id], ...others] = Object.entries(small.findOutputs('*', { Value: { Ref: Match.stringLikeRegexp('Logs') } }));
  expect([id, others]).toEqual([expect.stringMatching(/^Server\w*LogGroup/), []]);
});

test('people may look into the containers where that is asked for', () => {
  const template = serverWith({ enableExecuteCommand: true, size: ServerSize.highlyAvailable() }).template();
  for (const { Properties } of Object.values(template.findResources('AWS::ECS::Service'))) expect(Properties.EnableExecuteCommand).toBe(true);
});

test('two servers in one stack share the dashboard', () => {
  const { stack, vpc } = stackWithVpc();
  for (const id of ['One', 'Other']) new PrefectServer(stack, id, { vpc });
  Template.fromStack(stack).resourceCountIs('AWS::CloudWatch::Dashboard', 1);
});

/** Where the server's security group lets its tasks out to addresses. */
function egressOf(template: Template): [number, string][] {
  const [{ Properties }] = Object.values(template.findResources('AWS::EC2::SecurityGroup', { Properties: { GroupDescription: 'Prefect server Stack/Server' } }));
  return Properties.SecurityGroupEgress.map(({ FromPort, CidrIp }: any) => [FromPort, CidrIp]);
}

function ssm(stack: Stack, name: string) {
  return ssmlib.StringParameter.fromSecureStringParameterAttributes(stack, name, { parameterName: `/prefect/${name}` });
}
