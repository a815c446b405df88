import { join } from 'node:path';
import {
  App, aws_ec2 as ec2, aws_ecs as ecs, aws_events as events, aws_events_targets as targets, aws_iam as iam, aws_kms as kms,
  aws_lambda as lambda, aws_logs as logs, aws_secretsmanager as secretsmanager, aws_servicediscovery as cloudmap, aws_sqs as sqs,
  custom_resources as cr, CustomResource, Duration, Stack,
} from 'aws-cdk-lib';
import { observe } from './plain-observability';

const command = ['prefect', 'worker', 'start', '--pool', 'etl', '--type', 'ecs', '--with-healthcheck'];
const API_URL = 'https://api.prefect.cloud/api/accounts/11111111-2222-3333-4444-555555555555/workspaces/66666666-7777-8888-9999-000000000000';

/** What the smallest app with PrefectFargateWorker makes, written with L2 constructs directly. */
export function plain(app: App, assets: string): Stack {
  const stack = new Stack(app, 'Plain');
  const apiKey = new secretsmanager.Secret(stack, 'ApiKey');
  const encryptionKey = new kms.Key(stack, 'Key', { enableKeyRotation: true });
  const logGroup = (id: string) => new logs.LogGroup(stack, id, { encryptionKey, retention: logs.RetentionDays.ONE_MONTH });

  const vpc = new ec2.Vpc(stack, 'Vpc', { maxAzs: 2, restrictDefaultSecurityGroup: true });
  vpc.addFlowLog('FlowLog', { destination: ec2.FlowLogDestination.toCloudWatchLogs(logGroup('FlowLogs')) });
  vpc.addGatewayEndpoint('S3', { service: ec2.GatewayVpcEndpointAwsService.S3 });
  const { ECR, ECR_DOCKER, CLOUDWATCH_LOGS, SECRETS_MANAGER, ECS, SQS } = ec2.InterfaceVpcEndpointAwsService;
  Object.entries({ ECR, ECR_DOCKER, CLOUDWATCH_LOGS, SECRETS_MANAGER, ECS, SQS }).forEach(([id, service]) => {
    vpc.addInterfaceEndpoint(id, { service }).addToPolicy(new iam.PolicyStatement({
      principals: [new iam.AnyPrincipal()], actions: ['*'], resources: ['*'], conditions: { StringEquals: { 'aws:PrincipalAccount': stack.account } },
    }));
  });
  const securityGroup = (id: string) => {
    const group = new ec2.SecurityGroup(stack, id, { vpc, allowAllOutbound: false });
    group.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.tcp(443));
    return group;
  };
  const [workers, flowRuns] = [securityGroup('Workers'), securityGroup('FlowRuns')];

  const cluster = new ecs.Cluster(stack, 'Cluster', { vpc, enableFargateCapacityProviders: true, containerInsightsV2: ecs.ContainerInsights.ENABLED });
  cluster.addDefaultCloudMapNamespace({ name: 'plain.internal', type: cloudmap.NamespaceType.DNS_PRIVATE, vpc });

  const role = (id: string) => new iam.Role(stack, id, { assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com') });
  const [workerRole, executionRole, flowRunRole, flowRunExecutionRole] = ['WorkerRole', 'ExecutionRole', 'FlowRunRole', 'FlowRunExecutionRole'].map(role);
  for (const [actions, resources] of [
    [['ecs:RegisterTaskDefinition', 'ecs:RunTask'], [stack.formatArn({ service: 'ecs', resource: 'task-definition', resourceName: '*' })]],
    [['ecs:DescribeTaskDefinition', 'ecs:DeregisterTaskDefinition'], ['*']],
    [['ecs:DescribeTasks', 'ecs:StopTask', 'ecs:TagResource'], [stack.formatArn({ service: 'ecs', resource: 'task', resourceName: `${cluster.clusterName}/*` })]],
    [['iam:PassRole'], [flowRunRole.roleArn, flowRunExecutionRole.roleArn]],
  ]) workerRole.addToPolicy(new iam.PolicyStatement({ actions, resources }));
  apiKey.grantRead(flowRunExecutionRole);

  const deadLetterQueue = new sqs.Queue(stack, 'DeadLetterQueue', { encryptionMasterKey: encryptionKey, enforceSSL: true });
  const queue = new sqs.Queue(stack, 'Queue', {
    encryptionMasterKey: encryptionKey, enforceSSL: true, deadLetterQueue: { queue: deadLetterQueue, maxReceiveCount: 3 },
  });
  queue.grantConsumeMessages(workerRole);
  new events.Rule(stack, 'Rule', { eventPattern: { source: ['aws.ecs'], detail: { clusterArn: [cluster.clusterArn] } }, targets: [new targets.SqsQueue(queue)] });

  const workerLogs = logGroup('WorkerLogs');
  workerLogs.grantWrite(flowRunExecutionRole);
  const taskDefinition = new ecs.FargateTaskDefinition(stack, 'Task', { cpu: 512, memoryLimitMiB: 1024, taskRole: workerRole, executionRole });
  taskDefinition.addContainer('worker', {
    image: ecs.ContainerImage.fromRegistry('prefecthq/prefect-aws:0.7.12-python3.12-prefect3.9.1'),
    command,
    environment: { PREFECT_API_URL: API_URL },
    secrets: { PREFECT_API_KEY: ecs.Secret.fromSecretsManager(apiKey) },
    logging: ecs.LogDrivers.awsLogs({ logGroup: workerLogs, streamPrefix: 'worker' }),
  });
  const service = new ecs.FargateService(stack, 'Service', {
    cluster,
    taskDefinition,
    desiredCount: 2,
    securityGroups: [workers],
    circuitBreaker: { rollback: true },
    minHealthyPercent: 100,
    cloudMapOptions: {},
  });
  service.autoScaleTaskCount({ minCapacity: 2, maxCapacity: 2 });

  const lambdaFunction = (id: string, asset: string, options: Partial<lambda.FunctionProps> = {}) => {
    const made = new lambda.Function(stack, id, {
      runtime: lambda.Runtime.NODEJS_22_X,
      handler: 'index.handler',
      code: lambda.Code.fromAsset(join(assets, asset)),
      timeout: Duration.seconds(50),
      logGroup: logGroup(`${id}Logs`),
      ...options,
    });
    apiKey.grantRead(made);
    return made;
  };
  const onEventHandler = lambdaFunction('WorkPoolFunction', 'work-pool/work-pool.lambda');
  const provider = new cr.Provider(stack, 'Provider', { onEventHandler, logGroup: logGroup('ProviderLogs') });
  const pool = new CustomResource(stack, 'WorkPool', {
    serviceToken: provider.serviceToken,
    resourceType: 'Custom::PrefectWorkPool',
    properties: { Configuration: stack.toJsonString({ cluster: cluster.clusterArn, group: flowRuns.securityGroupId }) },
  });
  service.node.addDependency(pool);

  const everyMinute = (id: string, asset: string) => {
    const made = lambdaFunction(id, asset, {
      maxEventAge: Duration.minutes(1), retryAttempts: 0, environment: { API_URL, CLUSTER: cluster.clusterName },
    });
    new events.Rule(stack, `${id}Schedule`, { schedule: events.Schedule.rate(Duration.minutes(1)), targets: [new targets.LambdaFunction(made)] });
    return made;
  };
  const rescue = everyMinute('Rescue', 'rescue/reconciler.lambda');
  rescue.addToRolePolicy(new iam.PolicyStatement({
    actions: ['ecs:DescribeTasks'], resources: [stack.formatArn({ service: 'ecs', resource: 'task', resourceName: `${cluster.clusterName}/*` })],
  }));
  const publisher = everyMinute('Publisher', 'demand/publisher.lambda');
  publisher.addToRolePolicy(new iam.PolicyStatement({
    actions: ['cloudwatch:PutMetricData'], resources: ['*'], conditions: { StringEquals: { 'cloudwatch:namespace': 'Plain' } },
  }));
  observe(stack, { encryptionKey, service, publisher, queue, deadLetterQueue, logGroup: workerLogs });
  return stack;
}
