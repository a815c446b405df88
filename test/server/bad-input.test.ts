import { aws_ec2 as ec2, aws_ecs as ecs, aws_rds as rds, aws_route53 as route53, aws_secretsmanager as secretsmanager, Duration, SecretValue, Stack } from 'aws-cdk-lib';
import { serverWith } from './app';
import { PrefectServer, PrefectServerProps, ServerAccess, ServerDatabase, ServerSignIn, ServerSize } from '../../src';

type Case = readonly [title: string, props: (stack: Stack, vpc: ec2.Vpc) => any, message: string | RegExp];

const zone = (stack: Stack) => route53.PublicHostedZone.fromPublicHostedZoneAttributes(stack, 'Zone', { hostedZoneId: 'Z1', zoneName: 'example.com' });
const domain = (stack: Stack) => ({ zone: zone(stack), name: 'prefect.example.com' });
const secret = (stack: Stack) => ecs.Secret.fromSecretsManager(new secretsmanager.Secret(stack, 'Secret'), 'field');
const highlyAvailable = ServerSize.highlyAvailable();

const cases: readonly Case[] = [
  ['public without a name and a certificate', () => ({ access: ServerAccess.PUBLIC_LOAD_BALANCER }),
    'Stack/Server: domain is missing: a load balancer serves HTTPS alone, and needs a name with a certificate; give { zone, name }.'],
  ['a load balancer without a name', () => ({ access: ServerAccess.INTERNAL_LOAD_BALANCER }), /domain is missing/],
  ['a domain without a zone', () => ({ domain: { name: 'prefect.example.com' } }),
    'Stack/Server: domain.zone is missing: give the hosted zone in which prefect.example.com is to be created, such as route53.HostedZone.fromLookup().'],
  ['a domain without a name', stack => ({ domain: { zone: zone(stack) } }), 'Stack/Server: domain.name is missing: give the whole name, such as prefect.example.com.'],
  ['a name of another zone', stack => ({ domain: { zone: zone(stack), name: 'prefect.example.org' } }),
    'Stack/Server: domain.name is "prefect.example.org": it is not in the zone example.com; give a name that ends in it, or its own zone.'],
  ['a private zone without a certificate', (stack, vpc) => ({ domain: { zone: new route53.PrivateHostedZone(stack, 'Private', { vpc, zoneName: 'corp.example' }), name: 'prefect.corp.example' } }),
    /domain\.certificate is missing: a certificate for prefect\.corp\.example can't be validated in the private zone corp\.example/],
  ['a public server in a private zone',
    (stack, vpc) => ({ access: ServerAccess.PUBLIC_LOAD_BALANCER, domain: { zone: new route53.PrivateHostedZone(stack, 'Private', { vpc, zoneName: 'corp.example' }), name: 'prefect.corp.example' } }),
    /domain\.zone is "corp\.example": it is private, and nobody outside/],
  ['a name that nothing serves', stack => ({ domain: domain(stack), access: ServerAccess.PRIVATE_DNS }), /domain is "prefect\.example\.com": without a load balancer nothing serves this name/],
  ['a sign-in that nothing asks for', stack => ({
    domain: domain(stack),
    signIn: ServerSignIn.oidc({
      issuer: 'https://login.example.com',
      authorizationEndpoint: 'https://login.example.com/a',
      tokenEndpoint: 'https://login.example.com/t',
      userInfoEndpoint: 'https://login.example.com/u',
      clientId: 'prefect',
      clientSecret: SecretValue.secretsManager('client'),
    }),
  }), /signIn is there, and the server is not public/],
  ['a firewall before nothing', () => ({ firewall: {} }), /firewall is there, and the server is not public/],
  ['rules in the place of ours', stack => ({ access: ServerAccess.PUBLIC_LOAD_BALANCER, domain: domain(stack), firewall: { rules: [{ name: 'mine', priority: 100 } as any] } }),
    'Stack/Server: firewall.rules.mine.priority is 100: give one from 0 to 99; the rules of this construct have those behind it.'],
  ['a rate that AWS WAF refuses', stack => ({ access: ServerAccess.PUBLIC_LOAD_BALANCER, domain: domain(stack), firewall: { requestsPerFiveMinutes: 5 } }),
    /firewall\.requestsPerFiveMinutes is 5: give a whole number of at least 10/],
  ['a public server in a VPC that has no public subnets', stack => ({
    vpc: new ec2.Vpc(stack, 'Closed', { restrictDefaultSecurityGroup: false, natGateways: 0, subnetConfiguration: [{ name: 'a', subnetType: ec2.SubnetType.PRIVATE_ISOLATED }] }),
    access: ServerAccess.PUBLIC_LOAD_BALANCER,
    domain: domain(stack),
  }), /vpc is "Stack\/Closed": it has no public subnets/],
  ['an authentication string in clear', () => ({ authString: 'admin:secret' }), /^Stack\/Server: authString is a string \(its value is not shown here\)/],
  ['an authentication string among the settings', () => ({ environment: { PREFECT_SERVER_API_AUTH_STRING: '' } }),
    'Stack/Server: environment.PREFECT_SERVER_API_AUTH_STRING is set by authString: remove it from environment.'],
  ['SQLite on a network file system', () => ({ environment: { PREFECT_API_DATABASE_CONNECTION_URL: 'sqlite+aiosqlite:////efs/prefect.db' } }),
    /environment\.PREFECT_API_DATABASE_CONNECTION_URL is SQLite: .*Amazon EFS; remove it, and give database\.$/],
  ['a database among the settings', stack => ({ secrets: { PREFECT_SERVER_DATABASE_CONNECTION_URL: secret(stack) } }), /secrets\.PREFECT_SERVER_DATABASE_CONNECTION_URL is set by database/],
  ['messages in Redis for a small server, by settings', () => ({ environment: { PREFECT_SERVER_EVENTS_MESSAGING_BROKER: 'prefect_redis.messaging' } }),
    /environment\.PREFECT_SERVER_EVENTS_MESSAGING_BROKER is set by redis and size/],
  ['messages in memory for two API tasks, by settings', () => ({ size: highlyAvailable, environment: { PREFECT_SERVER_EVENTS_MESSAGING_BROKER: 'prefect.server.utilities.messaging.memory' } }),
    /is set by redis and size/],
  ['Redis for a small server', () => ({ redis: { host: 'redis.example.com' } }), /redis is "redis\.example\.com": a small server keeps its messages in memory/],
  ['Redis in cluster mode', () => ({ size: highlyAvailable, redis: { host: 'clustercfg.mine.abc123.use1.cache.amazonaws.com' } }),
    /redis\.host is "clustercfg\.mine.*": it is in cluster mode/],
  ['ElastiCache Serverless', () => ({ size: highlyAvailable, redis: { host: 'mine-abc.serverless.use1.cache.amazonaws.com' } }), /it is in cluster mode/],
  ['a URL for the host of Redis', () => ({ size: highlyAvailable, redis: { host: 'rediss://redis.example.com' } }), /redis\.host is "rediss:\/\/redis\.example\.com": give the host name alone/],
  ['a password for the host of Redis', () => ({ size: highlyAvailable, redis: { host: ':hunter2@redis.example.com' } }), /^(?!.*hunter2).*redis\.host is/],
  ['a database of another VPC', stack => {
    const other = new ec2.Vpc(stack, 'Other', { restrictDefaultSecurityGroup: false });
    return { database: ServerDatabase.fromInstance(new rds.DatabaseInstance(stack, 'Db', { vpc: other, engine: rds.DatabaseInstanceEngine.POSTGRES })) };
  }, 'Stack/Server: database is "Stack/Db": it is in the VPC Stack/Other, and vpc is Stack/Vpc; give a database of the same VPC; one of a VPC that is connected with it by ServerDatabase.fromEndpoint().'],
  ['more connections than the database has', () => ({
    size: highlyAvailable, database: ServerDatabase.instance({ instanceType: ec2.InstanceType.of(ec2.InstanceClass.T4G, ec2.InstanceSize.SMALL) }),
  }), /size is "6 API tasks and 2 of the services": they hold up to 240 connections while they are deployed, and the database takes about 170; lower maxApiTasks, or give a larger database\.$/],
  ['more connections than your database has', stack => ({
    size: highlyAvailable, database: ServerDatabase.fromEndpoint({ host: 'pg.example.com', maxConnections: 100, credentials: { username: secret(stack), password: secret(new Stack()) } }),
  }), /the database takes about 100/],
  ['events that are not kept', () => ({ eventRetention: Duration.minutes(5) }), /eventRetention is "Duration\.minutes\(5\)": give at least 1 hour\.$/],
  ['a key among the settings', () => ({ environment: { TOKEN: 'AKIAIOSFODNN7EXAMPLE' } }), /^(?!.*AKIA).*environment\.TOKEN holds what looks like a key/],
  ['a setting twice', stack => ({ environment: { A: 'b' }, secrets: { A: secret(stack) } }), /secrets\.A is in environment too/],
  ['no VPC', () => ({ vpc: undefined }), 'Stack/Server: vpc is missing: give the VPC in which the server is to run.'],
];

test.each(cases)('%s', (_, props, message) => {
  const build = () => serverWith(props as (stack: Stack, vpc: ec2.Vpc) => Partial<PrefectServerProps>);
  expect(build).toThrow(typeof message === 'string' ? new Error(message) : message);
});

test('a region whose certificates are not known', () => {
  const stack = new Stack(undefined, 'Stack', { env: { region: 'xx-nowhere-1', account: '123456789012' } });
  const vpc = new ec2.Vpc(stack, 'Vpc', { restrictDefaultSecurityGroup: false });
  expect(() => new PrefectServer(stack, 'Server', { vpc })).toThrow(/database is "xx-nowhere-1": the library has no certificates of Amazon RDS in this region/);
});

describe('sizes and databases', () => {
  test.each([
    ['one API task', () => ServerSize.highlyAvailable({ minApiTasks: 1 }), /minApiTasks is 1: give a whole number of at least 2/],
    ['a maximum below the minimum', () => ServerSize.highlyAvailable({ minApiTasks: 4, maxApiTasks: 3 }), /maxApiTasks is 3: it is below minApiTasks, which is 4/],
    ['a size that Fargate has not', () => ServerSize.small({ cpu: 512, memoryLimitMiB: 512 }), /size\.memoryLimitMiB is 512: with 512 CPU units Fargate offers 1024/],
    ['a small disk', () => ServerDatabase.instance({ allocatedStorageGiB: 5 }), /allocatedStorageGiB is 5/],
    ['backups for no time', () => ServerDatabase.instance({ backupRetention: Duration.days(0) }), /backupRetention is .*1 to 35 days/],
    ['a database that pauses', () => ServerDatabase.auroraServerless({ minCapacity: 0 }), /minCapacity is 0: give at least 0\.5/],
    ['a database without credentials', () => ServerDatabase.fromEndpoint({ host: 'pg.example.com' }), /credentials is missing/],
    ['a URL for a host', () => ServerDatabase.fromEndpoint({ host: 'postgresql://me:hunter2@pg' }), /^(?!.*hunter2).*host is/],
    ['a file for a certificate', () => ServerDatabase.fromEndpoint({ host: 'pg', tlsCaCertificate: './ca.pem', credentials: { username: secret(new Stack()), password: secret(new Stack()) } }), /tlsCaCertificate is/],
  ])('%s', (_, build, message) => expect(build).toThrow(message));
});

test('a database in the same VPC, and one whose connections are enough, are taken', () => {
  expect(() => serverWith((stack, vpc) => ({
    size: ServerSize.highlyAvailable({ maxApiTasks: 3 }),
    database: ServerDatabase.fromCluster(new rds.DatabaseCluster(stack, 'Db', { vpc, engine: rds.DatabaseClusterEngine.auroraPostgres({ version: rds.AuroraPostgresEngineVersion.VER_16_4 }), writer: rds.ClusterInstance.serverlessV2('Writer') }), { maxConnections: 160 }),
  }))).not.toThrow();
});
