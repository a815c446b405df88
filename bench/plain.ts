import {
  aws_applicationautoscaling as appscaling, aws_cloudwatch as cloudwatch, aws_cloudwatch_actions as actions, aws_ec2 as ec2, aws_ecr as ecr,
  aws_ecs as ecs, aws_events as events, aws_events_targets as targets, aws_iam as iam, aws_kms as kms, aws_lambda as lambda,
  aws_logs as logs, aws_scheduler as scheduler, aws_scheduler_targets as schedules, aws_secretsmanager as secretsmanager,
  aws_servicediscovery as cloudmap, aws_sns as sns, aws_sqs as sqs, CustomResource, Duration, Stack,
} from 'aws-cdk-lib';
import { IDependable } from 'constructs';
import { Fields, Model, Resources } from './model';
import { alarmMetric, inputOf, metric, patternOf, variablesOf } from './said';
import { widgetOf } from './widgets';

/** How often each part of a stack is written. */
export type Plan = { readonly [part: string]: number };

interface Made {
  model: Model;
  vpc: ec2.Vpc;
  cluster: ecs.Cluster;
  key: kms.Key;
  apiKey: secretsmanager.Secret;
  topic: sns.Topic;
  handler: lambda.Function;
  taskDefinition: ecs.FargateTaskDefinition;
  logGroup: logs.LogGroup;
  alarms: cloudwatch.Alarm[];
  /** What has to be there before a task starts. */
  beforehand: IDependable[];
  pools: CustomResource[];
}

interface Part {
  /** The type of which its number is counted. */
  readonly type: string;
  readonly write: (stack: Stack, id: string, made: Made) => void;
}

/** In this order: what comes with a part is counted before the next ones are planned. */
export const PARTS: { readonly [part: string]: Part } = {
  key: { type: 'AWS::KMS::Key', write: (stack, id, made) => { made.key = new kms.Key(stack, id, { enableKeyRotation: true }); } },
  network: {
    type: 'AWS::EC2::VPC',
    write: (stack, id, made) => {
      made.vpc = new ec2.Vpc(stack, id, { maxAzs: 2, restrictDefaultSecurityGroup: true });
      const flowLogs = new logs.LogGroup(stack, `${id}Logs`, { encryptionKey: made.key });
      made.vpc.addFlowLog('FlowLog', { destination: ec2.FlowLogDestination.toCloudWatchLogs(flowLogs) });
      made.beforehand.push(made.vpc.internetConnectivityEstablished, made.vpc.addGatewayEndpoint('S3', { service: ec2.GatewayVpcEndpointAwsService.S3 }));
    },
  },
  endpoint: {
    type: 'AWS::EC2::VPCEndpoint',
    write: (stack, id, { vpc, beforehand }) => {
      const endpoint = vpc.addInterfaceEndpoint(id, { service: new ec2.InterfaceVpcEndpointAwsService(id.toLowerCase()) });
      endpoint.addToPolicy(new iam.PolicyStatement({
        principals: [new iam.AnyPrincipal()], actions: ['*'], resources: ['*'], conditions: { StringEquals: { 'aws:PrincipalAccount': stack.account } },
      }));
      beforehand.push(endpoint);
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
    write: (stack, id, { handler, model }) => {
      const { Description: description, EventPattern, Targets } = model.next('AWS::Events::Rule', 'ScheduleExpression');
      new events.Rule(stack, id, {
        description,
        schedule: events.Schedule.rate(Duration.minutes(1)),
        eventPattern: EventPattern && patternOf(EventPattern),
        targets: [new targets.LambdaFunction(handler, Targets && { event: inputOf(stack, Targets[0]) })],
      });
    },
  },
  rule: {
    type: 'AWS::Events::Rule',
    write: (stack, id, { cluster, topic, model }) => {
      const { Description: description, EventPattern, Targets } = model.next('AWS::Events::Rule', 'EventPattern');
      new events.Rule(stack, id, {
        description,
        eventPattern: EventPattern ? patternOf(EventPattern) : { source: ['aws.ecs'], detail: { clusterArn: [cluster.clusterArn] } },
        targets: [new targets.SnsTopic(topic, Targets && { message: inputOf(stack, Targets[0]) })],
      });
    },
  },
  schedule: {
    type: 'AWS::Scheduler::Schedule',
    write: (stack, id, { handler, model }) => {
      const { Description: description, Target } = model.next('AWS::Scheduler::Schedule');
      new scheduler.Schedule(stack, id, {
        description,
        schedule: scheduler.ScheduleExpression.rate(Duration.hours(1)),
        target: new schedules.LambdaInvoke(handler, Target ? { input: scheduler.ScheduleTargetInput.fromObject(JSON.parse(Target.Input)) } : {}),
      });
    },
  },
  pool: { type: 'Custom::PrefectWorkPool', write: (stack, id, made) => void made.pools.push(aCustomResource(stack, id, made, 'Custom::PrefectWorkPool')) },
  flowRunTasks: {
    type: 'Custom::PrefectFlowRunTasks',
    write: (stack, id, made) => {
      const tasks = aCustomResource(stack, id, made, 'Custom::PrefectFlowRunTasks');
      // They end while all of this is there.
      tasks.node.addDependency(...made.beforehand);
      made.pools.push(tasks);
    },
  },
  image: { type: 'Custom::ImageCopy', write: (stack, id, made) => void aCustomResource(stack, id, made, 'Custom::ImageCopy') },
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
    write: (stack, id, { logGroup, model }) => {
      const { QueryString = 'fields @message\n| filter levelname = "ERROR"', LogGroupNames = [''] } = model.next('AWS::Logs::QueryDefinition');
      const [fields, ...rest]: string[] = QueryString.split('\n| ');
      const statements = (word: string) => rest.filter(line => line.startsWith(`${word} `)).map(line => line.slice(word.length + 1));
      const queryString = new logs.QueryString({
        fields: [fields.replace(/^fields /, '')], filterStatements: statements('filter'), sort: statements('sort')[0], limit: Number(statements('limit')[0] ?? 100),
      });
      new logs.QueryDefinition(stack, id, { queryDefinitionName: id, queryString, logGroups: LogGroupNames.map(() => logGroup) });
    },
  },
  task: {
    type: 'AWS::ECS::TaskDefinition',
    write: (stack, id, made) => {
      made.taskDefinition = new ecs.FargateTaskDefinition(stack, id, { cpu: 512, memoryLimitMiB: 1024 });
      const [said = {}] = made.model.next('AWS::ECS::TaskDefinition').ContainerDefinitions ?? [];
      made.taskDefinition.addContainer('worker', {
        image: ecs.ContainerImage.fromRegistry(said.Image ?? 'prefecthq/prefect-aws:0.7.12-python3.12-prefect3.9.1'),
        command: said.Command ?? ['prefect', 'worker', 'start', '--pool', 'etl', '--type', 'ecs', '--with-healthcheck'],
        environment: variablesOf(said.Environment) ?? { PREFECT_API_URL: 'https://api.prefect.cloud/api' },
        secrets: { PREFECT_API_KEY: ecs.Secret.fromSecretsManager(made.apiKey) },
        healthCheck: said.HealthCheck && { command: said.HealthCheck.Command, retries: said.HealthCheck.Retries },
        stopTimeout: said.StopTimeout && Duration.seconds(said.StopTimeout),
        readonlyRootFilesystem: said.ReadonlyRootFilesystem,
        user: said.User,
        logging: ecs.LogDrivers.awsLogs({ logGroup: made.logGroup, streamPrefix: 'worker' }),
      });
      allowAll(made.model, made.taskDefinition.taskRole);
      allowAll(made.model, made.taskDefinition.obtainExecutionRole());
      made.taskDefinition.addToTaskRolePolicy(new iam.PolicyStatement({ actions: ['ecs:DescribeTasks', 'ecs:StopTask'], resources: [stack.formatArn({ service: 'ecs', resource: 'task', resourceName: `${made.cluster.clusterName}/*` })] }));
    },
  },
  service: {
    type: 'AWS::ECS::Service',
    write: (_, id, { taskDefinition, vpc, cluster, beforehand, pools }) => {
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
      // The first task needs its routes, its permissions and its pool.
      service.node.addDependency(...beforehand, taskDefinition.taskRole, taskDefinition.obtainExecutionRole(), ...pools.splice(0, 2));
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
      const said = made.model.next('AWS::CloudWatch::Alarm');
      const alarm = alarmMetric(said, id).createAlarm(stack, id, {
        threshold: said.Threshold ?? 1,
        evaluationPeriods: said.EvaluationPeriods ?? 3,
        datapointsToAlarm: said.DatapointsToAlarm,
        treatMissingData: said.TreatMissingData,
        alarmDescription: said.AlarmDescription ?? 'What happened, what it means, and the first step.',
      });
      const action = new actions.SnsAction(made.topic);
      alarm.addAlarmAction(action);
      if (said.OKActions) alarm.addOkAction(action);
      made.alarms.push(alarm);
    },
  },
  composite: {
    type: 'AWS::CloudWatch::CompositeAlarm',
    write: (stack, id, { alarms, topic, model }) => {
      const { AlarmRule = 'ALARM', AlarmDescription: alarmDescription } = model.next('AWS::CloudWatch::CompositeAlarm');
      const rules = AlarmRule.match(/ALARM/g).map((_: string, index: number) => cloudwatch.AlarmRule.fromAlarm(alarms[index % alarms.length], cloudwatch.AlarmState.ALARM));
      const composite = new cloudwatch.CompositeAlarm(stack, id, { alarmDescription, alarmRule: cloudwatch.AlarmRule.anyOf(...rules) });
      composite.addAlarmAction(new actions.SnsAction(topic));
    },
  },
  policy: {
    type: 'AWS::IAM::Policy',
    write: (stack, id, { model }) => {
      const role = aRole(stack, id, model);
      allowAll(model, role);
      role.addToPolicy(new iam.PolicyStatement({ actions: ['logs:PutLogEvents'], resources: [stack.formatArn({ service: 'logs', resource: id })] }));
    },
  },
  role: { type: 'AWS::IAM::Role', write: (stack, id, { model }) => void aRole(stack, id, model) },
  dashboard: {
    type: 'AWS::CloudWatch::Dashboard',
    write: (stack, id, { alarms, logGroup, model }) => {
      const { DashboardBody } = model.next('AWS::CloudWatch::Dashboard');
      const metrics = (of: number) => ['A', 'B', 'C'].map(letter => metric(`${letter}${of}`, id));
      const widgets = DashboardBody
        ? JSON.parse(DashboardBody).widgets.map((widget: Fields) => [widgetOf(widget, alarms, logGroup)])
        : Array.from({ length: 12 }, (_, index) => [new cloudwatch.GraphWidget({ left: metrics(index) })]);
      new cloudwatch.Dashboard(stack, id, { widgets });
    },
  },
};

/** @param resources what they say; as little as they can where it is not given */
export function writePlain(stack: Stack, plan: Plan, resources: Resources = {}): void {
  const made: Partial<Made> & Pick<Made, 'model'> = { alarms: [], beforehand: [], pools: [], model: new Model(resources, () => made.key!.keyId, () => made.key!.keyArn) };
  for (const [part, { write }] of Object.entries(PARTS)) {
    for (let index = 0; index < (plan[part] ?? 0); index++) write(stack, `${part[0].toUpperCase()}${part.slice(1)}${index}`, made as Made);
  }
}

function aFunction(stack: Stack, id: string, { apiKey, key, model }: Made, options: Partial<lambda.FunctionProps> = {}): lambda.Function {
  const { Description: description, Environment } = model.next('AWS::Lambda::Function', 'Description');
  const made = new lambda.Function(stack, id, {
    description,
    runtime: lambda.Runtime.NODEJS_22_X,
    handler: 'index.handler',
    code: lambda.Code.fromInline('exports.handler = () => {};'),
    environment: Environment?.Variables,
    logGroup: new logs.LogGroup(stack, `${id}Logs`, { encryptionKey: key }),
    ...options,
  });
  apiKey.grantRead(made);
  allowAll(model, made.role!);
  return made;
}

function aRole(stack: Stack, id: string, model: Model): iam.Role {
  const { Description: description } = model.next('AWS::IAM::Role', 'Description');
  const conditions = { StringEquals: { 'aws:SourceAccount': stack.account } };
  return new iam.Role(stack, id, { description, assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com', { conditions }) });
}

/** As many statements as one of the policies has. */
function allowAll(model: Model, role: iam.IRole): void {
  const { PolicyDocument } = model.next('AWS::IAM::Policy');
  for (const statement of PolicyDocument?.Statement ?? []) role.addToPrincipalPolicy(iam.PolicyStatement.fromJson(statement));
}

function aCustomResource(stack: Stack, id: string, { handler, cluster, model }: Made, resourceType: string): CustomResource {
  const { Configuration: said } = model.next(resourceType);
  const Configuration = stack.toJsonString(said ? JSON.parse(said) : { cluster: cluster.clusterArn, pool: id });
  return new CustomResource(stack, id, { serviceToken: handler.functionArn, resourceType, properties: { Configuration } });
}
