import { ofType } from '../template';
import type { Template } from '../types';
import { editText, first, Mutant, NotApplicable } from './mutant';

const TASK = 'AWS::ECS::TaskDefinition';
const task = (template: Template, where?: (properties: any) => boolean) => first(template, TASK, where)[1].Properties;
const waits = ({ DependsOn }: any) => DependsOn !== undefined;
const sidecar = (template: Template) =>
  task(template, ({ ContainerDefinitions }) => ContainerDefinitions.some(waits)).ContainerDefinitions.find(waits);
const ecsWorker = (template: Template) =>
  task(template, ({ ContainerDefinitions }) => ContainerDefinitions.some(({ Command = [] }: any) => Command.includes('ecs')))
    .ContainerDefinitions.find(({ Command = [] }: any) => Command.includes('ecs'));
const mounted = (template: Template) => task(template, ({ Volumes }) => Volumes?.length > 0);
const event = (template: Template, type: string) => first(template, 'AWS::Events::Rule', ({ EventPattern }) => EventPattern?.['detail-type'].includes(type))[1].Properties;
const permission = (template: Template) => first(template, 'AWS::Lambda::Permission')[1].Properties;

/** Parts of a task, events and calls that don't fit each other. */
export const taskMutants: Mutant[] = [
  { name: 'container that waits for none of the task', caughtBy: 'containers', edit: (template) => { sidecar(template).DependsOn[0].ContainerName = 'other'; } },
  { name: 'sidecar that nobody waits for', caughtBy: 'containers', edit: (template) => delete sidecar(template).DependsOn },
  { name: 'container that mounts no volume', caughtBy: 'containers', edit: (template) => { mounted(template).Volumes[0].Name = 'other'; } },
  { name: 'volume at two places', caughtBy: 'containers', edit: (template) => { mounted(template).ContainerDefinitions.find(({ MountPoints }: any) => MountPoints).MountPoints[0].ContainerPath = '/other'; } },
  { name: 'variable twice', caughtBy: 'containers', edit: (template) => task(template).ContainerDefinitions[0].Environment.push({ ...task(template).ContainerDefinitions[0].Environment[0], Value: 'other' }) },
  { name: 'task for EC2', caughtBy: 'tasks', edit: (template) => { task(template).RequiresCompatibilities = ['EC2']; } },
  { name: 'service on EC2', caughtBy: 'tasks', edit: (template) => { first(template, 'AWS::ECS::Service')[1].Properties.LaunchType = 'EC2'; } },
  { name: 'Spot that the cluster doesn\'t have', caughtBy: 'tasks', edit: (template) => { first(template, 'AWS::ECS::ClusterCapacityProviderAssociations')[1].Properties.CapacityProviders = ['FARGATE']; first(template, /^Custom::.*WorkPool/i); } },
  { name: 'spans where no collector listens', caughtBy: 'tasks', edit: (template) => editText(template, TASK, /"endpoint":"127\.0\.0\.1:4318"/, '"endpoint":"127.0.0.1:4317"') },
  { name: 'collector without its receiver', caughtBy: 'tasks', edit: (template) => editText(template, TASK, /"receivers":\["otlp"\]/, '"receivers":["zipkin"]') },
  { name: 'health check that is longer than its interval', caughtBy: 'containers', edit: (template) => { task(template).ContainerDefinitions.find(({ HealthCheck }: any) => HealthCheck).HealthCheck.Timeout = 60; } },
  { name: 'task whose logs go to another region', caughtBy: 'containers', edit: (template) => { task(template).ContainerDefinitions[0].LogConfiguration.Options['awslogs-region'] = 'eu-west-9'; } },

  { name: 'containers that want more memory than their task has', caughtBy: 'containers', edit: (template) => { task(template).ContainerDefinitions[0].Memory = 65536; } },
  { name: 'worker that may write to its file system', caughtBy: 'containers', edit: (template) => { ecsWorker(template).ReadonlyRootFilesystem = false; } },
  { name: 'worker that runs as root', caughtBy: 'containers', edit: (template) => { ecsWorker(template).User = 'root'; } },
  { name: 'worker whose home is where it can\'t write', caughtBy: 'containers', edit: (template) => { ecsWorker(template).LinuxParameters.Tmpfs[0].ContainerPath = '/other'; } },
  { name: 'variable that OpenTelemetry doesn\'t read', caughtBy: 'containers', edit: (template) => editText(template, TASK, /^OTEL_LOGS_EXPORTER$/, 'OTEL_LOG_EXPORTER') },
  { name: 'container that leaves processes behind', caughtBy: 'containers', edit: (template) => { ecsWorker(template).LinuxParameters.InitProcessEnabled = false; } },

  { name: 'people told of every task that stops', caughtBy: 'events', edit: (template) => { const { detail } = first(template, 'AWS::Events::Rule', ({ EventPattern }) => EventPattern?.detail?.$or)[1].Properties.EventPattern; delete detail.$or; } },
  { name: 'events of another cluster', caughtBy: 'events', edit: (template) => { event(template, 'ECS Task State Change').EventPattern.detail.clusterArn = ['arn:aws:ecs:us-east-1:123456789012:cluster/other']; } },
  { name: 'events by the name of the cluster', caughtBy: 'events', edit: (template) => { const { detail } = event(template, 'ECS Task State Change').EventPattern; detail.clusterArn = [{ Ref: detail.clusterArn[0]['Fn::GetAtt'][0] }]; } },
  { name: 'events of every task', caughtBy: 'events', edit: (template) => delete event(template, 'ECS Task State Change').EventPattern.detail.taskDefinitionArn },
  {
    name: 'events of another family of flow runs',
    caughtBy: 'events',
    edit: (template) => {
      for (const [, { Properties = {} }] of ofType(template, 'AWS::Events::Rule')) {
        const [condition] = Properties.EventPattern?.detail?.taskDefinitionArn ?? [];
        if (condition && ofType(template, /^Custom::.*WorkPool/i).length > 0) {
          condition.prefix = { 'Fn::Join': ['', [condition.prefix, '-other']] };
          return;
        }
      }
      throw new NotApplicable('No rule is about flow runs.');
    },
  },
  { name: 'event that ECS doesn\'t send', caughtBy: 'events', edit: (template) => { event(template, 'ECS Deployment State Change').EventPattern.detail.eventName = ['SERVICE_DEPLOYMENT_FAILURE']; } },
  { name: 'event told with a field that it lacks', caughtBy: 'events', edit: (template) => { const { InputPathsMap } = event(template, 'ECS Deployment State Change').Targets[0].InputTransformer; InputPathsMap[Object.keys(InputPathsMap)[0]] = '$.detail.why'; } },
  { name: 'event told with a place that nothing fills', caughtBy: 'events', edit: (template) => { const { InputPathsMap } = event(template, 'ECS Deployment State Change').Targets[0].InputTransformer; delete InputPathsMap[Object.keys(InputPathsMap)[0]]; } },
  { name: 'failed deployments of the worker\'s service by its name', caughtBy: 'events', edit: (template) => { const pattern = event(template, 'ECS Deployment State Change').EventPattern; pattern.resources = [{ 'Fn::GetAtt': [pattern.resources[0].Ref, 'Name'] }]; } },
  { name: 'queue that another rule fills', caughtBy: 'events', edit: (template) => { first(template, 'AWS::Events::Rule', ({ EventPattern }) => EventPattern?.detail?.taskDefinitionArn)[1].Properties.EventPattern.detail = { ...event(template, 'ECS Task State Change').EventPattern.detail, taskDefinitionArn: undefined, group: ['service:other'] }; } },

  { name: 'rule that may not call its function', caughtBy: 'permissions', edit: (template) => { permission(template).SourceArn = { 'Fn::GetAtt': [first(template, 'AWS::Events::Rule', ({ EventPattern }) => EventPattern)[0], 'Arn'] }; } },
  { name: 'permission for another action', caughtBy: 'permissions', edit: (template) => { permission(template).Action = 'lambda:InvokeFunctionUrl'; } },
  { name: 'permission for every rule', caughtBy: 'permissions', edit: (template) => delete permission(template).SourceArn },
  { name: 'topic policy that speaks of another topic', caughtBy: 'permissions', edit: (template) => { first(template, 'AWS::SNS::TopicPolicy')[1].Properties.PolicyDocument.Statement[0].Resource = { 'Fn::Sub': 'arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}:other' }; } },
  {
    name: 'queue policy that allows a service everything',
    caughtBy: 'permissions',
    edit: (template) => {
      const statement = ofType(template, 'AWS::SQS::QueuePolicy').flatMap(([, { Properties }]) => Properties!.PolicyDocument.Statement).find(({ Effect }: any) => Effect === 'Allow');
      if (!statement) throw new NotApplicable('No queue takes events.');
      statement.Action = 'sqs:*';
    },
  },
  { name: 'call that is repeated beside the next one', caughtBy: 'permissions', edit: (template) => delete first(template, 'AWS::Events::Rule', ({ ScheduleExpression }) => ScheduleExpression)[1].Properties.Targets[0].RetryPolicy },
  { name: 'function that is called again beside its schedule', caughtBy: 'permissions', edit: (template) => { first(template, 'AWS::Lambda::EventInvokeConfig')[1].Properties.MaximumRetryAttempts = 2; } },
];
