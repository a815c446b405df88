import {
  App, aws_applicationautoscaling as appscaling, aws_cloudwatch as cloudwatch, aws_ec2 as ec2, aws_ecr as ecr, aws_ecs as ecs,
  aws_ecs_patterns as patterns, aws_events as events, aws_events_targets as targets, aws_iam as iam, aws_kms as kms, aws_lambda as lambda,
  aws_logs as logs, aws_scheduler as scheduler, aws_scheduler_targets as schedules, aws_secretsmanager as secretsmanager,
  aws_servicediscovery as cloudmap, aws_sns as sns, aws_sqs as sqs, CfnResource, CustomResource, Duration, Stack,
} from 'aws-cdk-lib';
import { PrefectApi, PrefectFargateWorker, WorkPool } from '../src';

/** Workers in stacks of five, as many as the templates hold; those of a stack share its VPC and cluster. */
const PER_STACK = 5;
const stacksOf = (app: App, count: number) => Array.from({ length: Math.ceil(count / PER_STACK) }, (_, index) =>
  ({ stack: new Stack(app, `Stack${index}`), workers: Math.min(PER_STACK, count - index * PER_STACK) }));

/** What each app makes of a number of workers. */
export const APPS = { worker, plain, patterns: queueProcessing };

function worker(app: App, count: number): void {
  for (const { stack, workers } of stacksOf(app, count)) {
    const api = PrefectApi.cloud({
      accountId: '11111111-2222-3333-4444-555555555555',
      workspaceId: '66666666-7777-8888-9999-000000000000',
      apiKey: ecs.Secret.fromSecretsManager(new secretsmanager.Secret(stack, 'ApiKey')),
    });
    let first: PrefectFargateWorker | undefined;
    for (let index = 0; index < workers; index++) {
      const workPool = WorkPool.managed(`pool${index}`);
      const made: PrefectFargateWorker = new PrefectFargateWorker(stack, `Worker${index}`, { api, workPool, vpc: first?.vpc, cluster: first?.cluster });
      first ??= made;
    }
  }
}

/** A service of the CDK's own patterns for each worker: another thing, to compare the time for a resource. */
function queueProcessing(app: App, count: number): void {
  for (const { stack, workers } of stacksOf(app, count)) {
    const cluster = new ecs.Cluster(stack, 'Cluster', { vpc: new ec2.Vpc(stack, 'Vpc', { maxAzs: 2 }) });
    for (let index = 0; index < workers; index++) {
      const image = ecs.ContainerImage.fromRegistry('public.ecr.aws/docker/library/python:3.12');
      new patterns.QueueProcessingFargateService(stack, `Service${index}`, { cluster, image, memoryLimitMiB: 1024, cpu: 512 });
    }
  }
}

/** What a cluster adds at the end of synthesis only. */
const BY_AN_ASPECT = 'AWS::ECS::ClusterCapacityProviderAssociations';

/** How often each part of a stack is written. */
export type Plan = { readonly [part: string]: number };

/** The resources of the first app, written with L2 constructs directly, by a plan for each stack. */
function plain(app: App, count: number, plans: readonly Plan[]): void {
  stacksOf(app, count).forEach(({ stack }, index) => writePlain(stack, plans[index]));
}

/**
 * Finds how often each part has to be written for a stack to have at least the resources that the library's stack has, type by type. So the bench follows
 * the library: one alarm more there is one more here.
 */
export function planOf(wanted: { readonly [type: string]: number }): Plan {
  const plan: { [part: string]: number } = {};
  for (const [part, { type }] of Object.entries(PARTS)) {
    const without = countTypes(plan)[type] ?? 0;
    plan[part] = 1;
    const each = Math.max(1, (countTypes(plan)[type] ?? 0) - without);
    plan[part] = Math.max(part === 'network' ? 1 : 0, Math.ceil(((wanted[type] ?? 0) - without) / each));
  }
  const made = countTypes(plan);
  const lacking = Object.entries(wanted).filter(([type, number]) => (made[type] ?? 0) < number && type !== BY_AN_ASPECT).map(([type]) => type);
  if (lacking.length > 0) throw new Error(`bench/apps.ts has no part for ${lacking.join(', ')}: add one to PARTS.`);
  return plan;
}

function countTypes(plan: Plan): { [type: string]: number } {
  const stack = new Stack(new App({ analyticsReporting: false }), 'Plan');
  writePlain(stack, plan);
  const counts: { [type: string]: number } = {};
  for (const { cfnResourceType: type } of stack.node.findAll().filter(CfnResource.isCfnResource)) counts[type] = (counts[type] ?? 0) + 1;
  return counts;
}

interface Made {
  vpc: ec2.Vpc;
  cluster: ecs.Cluster;
  key: kms.Key;
  apiKey: secretsmanager.Secret;
  topic: sns.Topic;
  handler: lambda.Function;
  taskDefinition: ecs.FargateTaskDefinition;
  logGroup: logs.LogGroup;
  alarm: cloudwatch.Alarm;
}

interface Part {
  /** The type of which its number is counted. */
  readonly type: string;
  readonly write: (stack: Stack, id: string, made: Made) => void;
}

const metric = (name: string, id: string) => new cloudwatch.Metric({ namespace: 'Plain', metricName: name, dimensionsMap: { WorkPool: id, Worker: 'Plain' }, period: Duration.minutes(1) });

/** In this order: what comes with a part is counted before the next ones are planned. */
const PARTS: { readonly [part: string]: Part } = {
  key: { type: 'AWS::KMS::Key', write: (stack, id, made) => { made.key = new kms.Key(stack, id, { enableKeyRotation: true }); } },
  network: {
    type: 'AWS::EC2::VPC',
    write: (stack, id, made) => {
      made.vpc = new ec2.Vpc(stack, id, { maxAzs: 2, restrictDefaultSecurityGroup: true });
      const flowLogs = new logs.LogGroup(stack, `${id}Logs`, { encryptionKey: made.key });
      made.vpc.addFlowLog('FlowLog', { destination: ec2.FlowLogDestination.toCloudWatchLogs(flowLogs) });
      made.vpc.addGatewayEndpoint('S3', { service: ec2.GatewayVpcEndpointAwsService.S3 });
    },
  },
  endpoint: {
    type: 'AWS::EC2::VPCEndpoint',
    write: (stack, id, { vpc }) => {
      const endpoint = vpc.addInterfaceEndpoint(id, { service: new ec2.InterfaceVpcEndpointAwsService(id.toLowerCase()) });
      endpoint.addToPolicy(new iam.PolicyStatement({
        principals: [new iam.AnyPrincipal()], actions: ['*'], resources: ['*'], conditions: { StringEquals: { 'aws:PrincipalAccount': stack.account } },
      }));
    },
  },
  cluster: {
    type: 'AWS::ECS::Cluster',
    write: (stack, id, made) => {
      const containerInsightsV2 = ecs.ContainerInsights.ENABLED;
      made.cluster = new ecs.Cluster(stack, id, { vpc: made.vpc, enableFargateCapacityProviders: true, containerInsightsV2 });
      made.cluster.addDefaultCloudMapNamespace({ name: 'plain.internal', type: cloudmap.NamespaceType.DNS_PRIVATE, vpc: made.vpc });
    },
  },
  apiKey: { type: 'AWS::SecretsManager::Secret', write: (stack, id, made) => { made.apiKey = new secretsmanager.Secret(stack, id); } },
  topic: { type: 'AWS::SNS::Topic', write: (stack, id, made) => { made.topic = new sns.Topic(stack, id, { masterKey: made.key, enforceSSL: true }); } },
  repository: {
    type: 'AWS::ECR::Repository',
    write: (stack, id, { key }) => void new ecr.Repository(stack, id, {
      encryption: ecr.RepositoryEncryption.KMS, encryptionKey: key, imageScanOnPush: true,
    }),
  },
  queue: { type: 'AWS::SQS::Queue', write: (stack, id, { key }) => void new sqs.Queue(stack, id, { encryptionMasterKey: key, enforceSSL: true }) },
  invoked: {
    type: 'AWS::Lambda::EventInvokeConfig',
    write: (stack, id, made) => { made.handler = aFunction(stack, id, made, { maxEventAge: Duration.minutes(1), retryAttempts: 0 }); },
  },
  handler: { type: 'AWS::Lambda::Function', write: (stack, id, made) => { made.handler = aFunction(stack, id, made); } },
  called: {
    type: 'AWS::Lambda::Permission',
    write: (stack, id, { handler }) => void new events.Rule(stack, id, {
      schedule: events.Schedule.rate(Duration.minutes(1)), targets: [new targets.LambdaFunction(handler)],
    }),
  },
  rule: {
    type: 'AWS::Events::Rule',
    write: (stack, id, { cluster, topic }) => void new events.Rule(stack, id, {
      eventPattern: { source: ['aws.ecs'], detail: { clusterArn: [cluster.clusterArn] } }, targets: [new targets.SnsTopic(topic)],
    }),
  },
  schedule: {
    type: 'AWS::Scheduler::Schedule',
    write: (stack, id, { handler }) => void new scheduler.Schedule(stack, id, {
      schedule: scheduler.ScheduleExpression.rate(Duration.hours(1)), target: new schedules.LambdaInvoke(handler, {}),
    }),
  },
  pool: { type: 'Custom::PrefectWorkPool', write: (stack, id, made) => aCustomResource(stack, id, made, 'Custom::PrefectWorkPool') },
  flowRunTasks: { type: 'Custom::PrefectFlowRunTasks', write: (stack, id, made) => aCustomResource(stack, id, made, 'Custom::PrefectFlowRunTasks') },
  image: { type: 'Custom::ImageCopy', write: (stack, id, made) => aCustomResource(stack, id, made, 'Custom::ImageCopy') },
  logs: {
    type: 'AWS::Logs::LogGroup',
    write: (stack, id, made) => {
      made.logGroup = new logs.LogGroup(stack, id, { encryptionKey: made.key, retention: logs.RetentionDays.ONE_MONTH });
    },
  },
  filter: {
    type: 'AWS::Logs::MetricFilter',
    write: (_, id, { logGroup }) => void logGroup.addMetricFilter(id, { filterPattern: logs.FilterPattern.stringValue('$.levelname', '=', 'ERROR'), metricNamespace: 'Plain', metricName: id }),
  },
  query: {
    type: 'AWS::Logs::QueryDefinition',
    write: (stack, id, { logGroup }) => void new logs.QueryDefinition(stack, id, { queryDefinitionName: id, queryString: new logs.QueryString({ fields: ['@message'], filterStatements: ['levelname = "ERROR"'] }), logGroups: [logGroup] }),
  },
  task: {
    type: 'AWS::ECS::TaskDefinition',
    write: (stack, id, made) => {
      made.taskDefinition = new ecs.FargateTaskDefinition(stack, id, { cpu: 512, memoryLimitMiB: 1024 });
      made.taskDefinition.addContainer('worker', {
        image: ecs.ContainerImage.fromRegistry('prefecthq/prefect-aws:0.7.12-python3.12-prefect3.9.1'),
        command: ['prefect', 'worker', 'start', '--pool', 'etl', '--type', 'ecs', '--with-healthcheck'],
        environment: { PREFECT_API_URL: 'https://api.prefect.cloud/api' },
        secrets: { PREFECT_API_KEY: ecs.Secret.fromSecretsManager(made.apiKey) },
        logging: ecs.LogDrivers.awsLogs({ logGroup: made.logGroup, streamPrefix: 'worker' }),
      });
      made.taskDefinition.addToTaskRolePolicy(new iam.PolicyStatement({ actions: ['ecs:DescribeTasks', 'ecs:StopTask'], resources: [stack.formatArn({ service: 'ecs', resource: 'task', resourceName: `${made.cluster.clusterName}/*` })] }));
    },
  },
  service: {
    type: 'AWS::ECS::Service',
    write: (_, id, { taskDefinition, vpc, cluster }) => {
      const service = new ecs.FargateService(cluster.stack, id, {
        cluster,
        taskDefinition,
        desiredCount: 2,
        circuitBreaker: { rollback: true },
        minHealthyPercent: 100,
        cloudMapOptions: {},
        securityGroups: [new ec2.SecurityGroup(cluster.stack, `${id}Group`, { vpc, allowAllOutbound: false })],
      });
      service.autoScaleTaskCount({ minCapacity: 2, maxCapacity: 2 });
    },
  },
  target: {
    type: 'AWS::ApplicationAutoScaling::ScalableTarget',
    write: (stack, id) => void new appscaling.ScalableTarget(stack, id, { serviceNamespace: appscaling.ServiceNamespace.ECS, resourceId: id, scalableDimension: 'ecs:service:DesiredCount', minCapacity: 1, maxCapacity: 2 }),
  },
  group: { type: 'AWS::EC2::SecurityGroup', write: (stack, id, { vpc }) => new ec2.SecurityGroup(stack, id, { vpc, allowAllOutbound: false }).addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.tcp(443)) },
  alarm: {
    type: 'AWS::CloudWatch::Alarm',
    write: (stack, id, made) => {
      made.alarm = metric(id, id).createAlarm(stack, id, { threshold: 1, evaluationPeriods: 3, alarmDescription: 'What happened, what it means, and the first step.' });
      made.alarm.addAlarmAction({ bind: () => ({ alarmActionArn: made.topic.topicArn }) });
    },
  },
  composite: { type: 'AWS::CloudWatch::CompositeAlarm', write: (stack, id, { alarm }) => void new cloudwatch.CompositeAlarm(stack, id, { alarmRule: cloudwatch.AlarmRule.anyOf(alarm) }) },
  policy: {
    type: 'AWS::IAM::Policy',
    write: (stack, id) => void new iam.Role(stack, id, { assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com') }).addToPolicy(new iam.PolicyStatement({ actions: ['logs:PutLogEvents'], resources: [stack.formatArn({ service: 'logs', resource: id })] })),
  },
  role: { type: 'AWS::IAM::Role', write: (stack, id) => void new iam.Role(stack, id, { assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com') }) },
  dashboard: {
    type: 'AWS::CloudWatch::Dashboard',
    write: (stack, id, { alarm }) => void new cloudwatch.Dashboard(stack, id, {
      widgets: [[new cloudwatch.AlarmStatusWidget({ alarms: [alarm] })], ...Array.from({ length: 12 }, (_, index) => [new cloudwatch.GraphWidget({ left: [metric(`A${index}`, id), metric(`B${index}`, id), metric(`C${index}`, id)] })])],
    }),
  },
};

function writePlain(stack: Stack, plan: Plan): void {
  const made = {} as Made;
  for (const [part, { write }] of Object.entries(PARTS)) {
    for (let index = 0; index < (plan[part] ?? 0); index++) write(stack, `${part[0].toUpperCase()}${part.slice(1)}${index}`, made);
  }
}

function aFunction(stack: Stack, id: string, { apiKey, key }: Made, options: Partial<lambda.FunctionProps> = {}): lambda.Function {
  const made = new lambda.Function(stack, id, {
    runtime: lambda.Runtime.NODEJS_22_X,
    handler: 'index.handler',
    code: lambda.Code.fromInline('exports.handler = () => {};'),
    logGroup: new logs.LogGroup(stack, `${id}Logs`, { encryptionKey: key }),
    ...options,
  });
  apiKey.grantRead(made);
  return made;
}

function aCustomResource(stack: Stack, id: string, { handler, cluster }: Made, resourceType: string): void {
  const Configuration = stack.toJsonString({ cluster: cluster.clusterArn, pool: id });
  new CustomResource(stack, id, { serviceToken: handler.functionArn, resourceType, properties: { Configuration } });
}
