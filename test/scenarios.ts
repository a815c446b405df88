import {
  App, aws_applicationautoscaling as appscaling, aws_ec2 as ec2, aws_ecr as ecr, aws_ecs as ecs, aws_logs as logs,
  aws_route53 as route53, aws_secretsmanager as secretsmanager, CfnParameter, Duration, SecretValue, Stack, TimeZone,
} from 'aws-cdk-lib';
import {
  PrefectApi, PrefectFargateWorker, PrefectServer, Results, ServerAccess, ServerDatabase, ServerSignIn, ServerSize, Tracing, WorkerType, WorkPool,
} from '../src';

/** A way in which people use the library. Snapshots, validators, benches and other languages all take these. */
export interface Scenario {
  readonly name: string;
  readonly build: (app: App) => Stack;
}

const ACCOUNT_ID = '11111111-2222-3333-4444-555555555555';
const WORKSPACE_ID = '66666666-7777-8888-9999-000000000000';

function cloud(stack: Stack): PrefectApi {
  const apiKey = ecs.Secret.fromSecretsManager(new secretsmanager.Secret(stack, 'ApiKey'));
  return PrefectApi.cloud({ accountId: ACCOUNT_ID, workspaceId: WORKSPACE_ID, apiKey });
}

function selfHosted(stack: Stack): PrefectApi {
  return PrefectApi.selfHosted({
    url: 'https://prefect.internal.example.com:4200/api',
    authString: ecs.Secret.fromSecretsManager(new secretsmanager.Secret(stack, 'AuthString'), 'auth'),
    customHeaders: ecs.Secret.fromSecretsManager(new secretsmanager.Secret(stack, 'Headers')),
    tlsCaCertificate: '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n',
    privateNetwork: true,
  });
}

export const scenarios: readonly Scenario[] = [
  {
    name: 'ecs',
    build: app => {
      const stack = new Stack(app, 'Ecs');
      new PrefectFargateWorker(stack, 'Worker', { api: cloud(stack), workPool: WorkPool.managed('etl') });
      return stack;
    },
  },
  {
    name: 'process',
    build: app => {
      const stack = new Stack(app, 'Process');
      new PrefectFargateWorker(stack, 'Worker', {
        api: cloud(stack),
        workPool: WorkPool.managed('etl-processes', { concurrencyLimit: 20, workQueues: [{ name: 'urgent', priority: 1 }, { name: 'rest', concurrencyLimit: 5 }] }),
        workerType: WorkerType.PROCESS,
        workQueues: ['urgent', 'rest'],
        observability: { tracing: Tracing.xray() },
        compliance: { configRules: true },
      });
      return stack;
    },
  },
  {
    name: 'existing-network',
    build: app => {
      const stack = new Stack(app, 'ExistingNetwork');
      const vpc = ec2.Vpc.fromVpcAttributes(stack, 'Vpc', {
        vpcId: 'vpc-0a1b2c3d',
        availabilityZones: ['us-east-1a', 'us-east-1b'],
        privateSubnetIds: ['subnet-0a1b2c3d', 'subnet-4e5f6a7b'],
        vpcCidrBlock: '10.20.0.0/16',
      });
      const cluster = ecs.Cluster.fromClusterAttributes(stack, 'Cluster', { clusterName: 'shared', vpc, securityGroups: [] });
      new PrefectFargateWorker(stack, 'Worker', {
        api: cloud(stack),
        workPool: WorkPool.existing('etl'),
        scaling: { standby: {} },
        vpc,
        cluster,
        securityGroups: [ec2.SecurityGroup.fromSecurityGroupId(stack, 'Group', 'sg-0a1b2c3d')],
      });
      return stack;
    },
  },
  {
    name: 'self-hosted',
    build: app => {
      const stack = new Stack(app, 'SelfHosted');
      const images = ecr.Repository.fromRepositoryName(stack, 'Images', 'prefect');
      const vpc = ec2.Vpc.fromVpcAttributes(stack, 'Vpc', {
        vpcId: 'vpc-4e5f6a7b',
        availabilityZones: ['us-east-1a', 'us-east-1b', 'us-east-1c'],
        isolatedSubnetIds: ['subnet-11111111', 'subnet-22222222', 'subnet-33333333'],
        isolatedSubnetRouteTableIds: ['rtb-11111111', 'rtb-22222222', 'rtb-33333333'],
        isolatedSubnetIpv4CidrBlocks: ['100.64.0.0/18', '100.64.64.0/18', '100.64.128.0/18'],
        vpcCidrBlock: '10.30.0.0/16',
      });
      new PrefectFargateWorker(stack, 'Worker', {
        api: selfHosted(stack),
        workPool: WorkPool.managed('on premises "etl"', {
          deleteOnRemoval: true,
          flowRunDefaults: {
            image: ecs.ContainerImage.fromEcrRepository(images, 'flows-1.4.2'),
            cpu: 1024,
            memoryLimitMiB: 4096,
            capacity: { spotWeight: 1, onDemandWeight: 0 },
            environment: { LOG_LEVEL: 'debug', AWS_RETRY_MODE: 'adaptive' },
            command: ['nice', 'prefect', 'flow-run', 'execute'],
          },
        }),
        image: ecs.ContainerImage.fromEcrRepository(images, 'worker-3.9.1'),
        environment: { TZ: 'Europe/Berlin', PREFECT_LOGGING_LEVEL: 'DEBUG' },
        vpc,
        network: { vpcEndpoints: true },
        cpuArchitecture: ecs.CpuArchitecture.ARM64,
        observability: {
          tracing: Tracing.xray({ samplingRatio: 0.25, collectorImage: ecs.ContainerImage.fromEcrRepository(images, 'collector-0.49.0') }),
          monthlyBudget: 500,
          alarms: { overBudget: { threshold: 90 } },
        },
        compliance: { configRules: true },
      });
      return stack;
    },
  },
  {
    name: 'everything-on',
    build: app => {
      const stack = new Stack(app, 'EverythingOn');
      new PrefectFargateWorker(stack, 'Worker', {
        api: cloud(stack),
        workPool: WorkPool.managed('nightly'),
        workerType: WorkerType.PROCESS,
        network: { maxAzs: 3, cidr: '10.30.0.0/16', functionsInVpc: true },
        enableExecuteCommand: true,
        verify: true,
        results: Results.managed({ expiration: Duration.days(7) }),
        scaling: {
          minWorkers: 1,
          maxWorkers: 20,
          leadTime: Duration.minutes(5),
          pollInterval: Duration.seconds(30),
          spareFlowRuns: 2,
          scaleInAfter: Duration.minutes(10),
          schedules: [{
            start: appscaling.Schedule.cron({ hour: '6', minute: '0' }),
            end: appscaling.Schedule.cron({ hour: '9', minute: '0' }),
            minWorkers: 4,
            timeZone: TimeZone.EUROPE_BERLIN,
          }],
        },
        observability: {
          logRetention: logs.RetentionDays.ONE_YEAR,
          tracing: Tracing.xray(),
          logArchive: {},
          logDestinationArn: new CfnParameter(stack, 'LogDestination').valueAsString,
        },
        compliance: { configRules: true },
      });
      return stack;
    },
  },
  {
    name: 'two-workers',
    build: app => {
      const stack = new Stack(app, 'TwoWorkers');
      const api = cloud(stack);
      const processes = new PrefectFargateWorker(stack, 'Processes', {
        api, workPool: WorkPool.managed('quick'), workerType: WorkerType.PROCESS,
      });
      new PrefectFargateWorker(stack, 'Tasks', {
        api, workPool: WorkPool.managed('heavy'), results: Results.managed(), vpc: processes.vpc, cluster: processes.cluster,
      });
      return stack;
    },
  },
  {
    name: 'server',
    build: app => {
      const stack = new Stack(app, 'Server');
      const vpc = ec2.Vpc.fromVpcAttributes(stack, 'Vpc', {
        vpcId: 'vpc-4e5f6a7b',
        availabilityZones: ['us-east-1a', 'us-east-1b'],
        privateSubnetIds: ['subnet-0a1b2c3d', 'subnet-4e5f6a7b'],
        vpcCidrBlock: '10.20.0.0/16',
      });
      const server = new PrefectServer(stack, 'Server', { vpc });
      new PrefectFargateWorker(stack, 'Worker', { api: PrefectApi.fromServer(server), workPool: WorkPool.managed('etl'), cluster: server.cluster });
      return stack;
    },
  },
  {
    name: 'public-server',
    build: app => {
      const stack = new Stack(app, 'PublicServer');
      const vpc = ec2.Vpc.fromVpcAttributes(stack, 'Vpc', {
        vpcId: 'vpc-0a1b2c3d',
        availabilityZones: ['us-east-1a', 'us-east-1b'],
        publicSubnetIds: ['subnet-1a1b2c3d', 'subnet-1e5f6a7b'],
        privateSubnetIds: ['subnet-0a1b2c3d', 'subnet-4e5f6a7b'],
        vpcCidrBlock: '10.20.0.0/16',
      });
      new PrefectServer(stack, 'Server', {
        vpc,
        size: ServerSize.highlyAvailable({ maxApiTasks: 8, servicesTasks: 3, apiTaskSize: { cpu: 1024, memoryLimitMiB: 2048 } }),
        database: ServerDatabase.auroraServerless({ minCapacity: 1, maxCapacity: 8, backupRetention: Duration.days(14) }),
        access: ServerAccess.PUBLIC_LOAD_BALANCER,
        domain: {
          zone: route53.PublicHostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: 'Z0123456789ABCDEFGHIJ', zoneName: 'example.com' }),
          name: 'prefect.example.com',
        },
        signIn: ServerSignIn.oidc({
          issuer: 'https://login.example.com',
          authorizationEndpoint: 'https://login.example.com/authorize',
          tokenEndpoint: 'https://login.example.com/token',
          userInfoEndpoint: 'https://login.example.com/userinfo',
          clientId: 'prefect',
          clientSecret: SecretValue.secretsManager('prefect-client'),
        }),
        firewall: { requestsPerFiveMinutes: 5000, sqlInjectionRules: true },
        flowRunRetention: Duration.days(30),
        environment: { PREFECT_LOGGING_LEVEL: 'WARNING' },
        enableExecuteCommand: true,
        observability: { logRetention: logs.RetentionDays.ONE_YEAR },
      });
      return stack;
    },
  },
];
