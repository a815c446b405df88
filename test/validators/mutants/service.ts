import { asArray, ofType, targetOf } from '../template';
import type { Template } from '../types';
import { container, first, forgetDependency, Mutant, NotApplicable } from './mutant';

const service = (template: Template) => first(template, 'AWS::ECS::Service')[1].Properties;
const events = (template: Template) => {
  const id = first(template, 'AWS::SQS::Queue', ({ RedrivePolicy }) => RedrivePolicy)[0];
  return { id, properties: template.Resources[id].Properties! };
};
const queuePolicy = (template: Template) => {
  const { id } = events(template);
  return first(template, 'AWS::SQS::QueuePolicy', ({ Queues }) => asArray<any>(Queues).some((queue) => targetOf(template, queue) === id))[1].Properties.PolicyDocument;
};
/** The template's first alarm, or one that has no fault but that of the mutant. */
const alarm = (template: Template) => {
  const found = ofType(template, 'AWS::CloudWatch::Alarm').find(([, { Properties }]) => Properties?.MetricName);
  template.Resources.MutantAlarm ??= {
    Type: 'AWS::CloudWatch::Alarm',
    Properties: { Namespace: 'AWS/ECS', MetricName: 'CPUUtilization', Dimensions: [{ Name: 'ClusterName', Value: 'mutant' }], Statistic: 'Average', Period: 60, EvaluationPeriods: 3, Threshold: 90, ComparisonOperator: 'GreaterThanThreshold' },
  };
  return (found?.[1] ?? template.Resources.MutantAlarm).Properties!;
};
const dashboard = (template: Template, metrics: unknown[], body?: string) => {
  template.Resources.MutantDashboard = {
    Type: 'AWS::CloudWatch::Dashboard',
    Properties: { DashboardBody: body ?? JSON.stringify({ widgets: [{ type: 'metric', properties: { title: 'Mutant', metrics } }] }) },
  };
};

export const serviceMutants: Mutant[] = [
  { name: 'minimum = maximum = 100 %', caughtBy: 'deployments', edit: (template) => Object.assign(service(template).DeploymentConfiguration, { MinimumHealthyPercent: 100, MaximumPercent: 100 }) },
  { name: 'minimum healthy 0 %', caughtBy: 'deployments', edit: (template) => service(template).DeploymentConfiguration.MinimumHealthyPercent = 0 },
  { name: 'circuit breaker without rollback', caughtBy: 'deployments', edit: (template) => service(template).DeploymentConfiguration.DeploymentCircuitBreaker = { Enable: true, Rollback: false } },
  { name: 'no availability zone rebalancing', caughtBy: 'deployments', edit: (template) => delete service(template).AvailabilityZoneRebalancing },
  { name: 'stop timeout above what Fargate gives', caughtBy: 'deployments', edit: (template) => container(template).StopTimeout = 300 },
  { name: 'image latest', caughtBy: 'deployments', edit: (template) => container(template).Image = 'prefecthq/prefect:3-latest' },
  { name: 'image without a tag', caughtBy: 'deployments', edit: (template) => container(template).Image = 'prefecthq/prefect' },
  { name: 'image with a moving tag', caughtBy: 'deployments', edit: (template) => container(template).Image = 'prefecthq/prefect:3.8-python3.12' },
  { name: 'no log configuration', caughtBy: 'deployments', edit: (template) => delete container(template).LogConfiguration },
  { name: 'logs without a stream prefix', caughtBy: 'deployments', edit: (template) => delete container(template).LogConfiguration.Options['awslogs-stream-prefix'] },
  { name: 'no health check', caughtBy: 'deployments', edit: (template) => delete container(template).HealthCheck },
  { name: 'size that Fargate does not offer', caughtBy: 'names', edit: (template) => Object.assign(first(template, 'AWS::ECS::TaskDefinition')[1].Properties, { Cpu: '1024', Memory: '512' }) },
  { name: 'statistic misspelt', caughtBy: 'names', edit: (template) => { delete alarm(template).Statistic; alarm(template).ExtendedStatistic = 'Averge'; } },
  { name: 'metric that nobody publishes', caughtBy: 'names', edit: (template) => { alarm(template).MetricName = 'LateFlows'; } },
  { name: 'namespace misspelt', caughtBy: 'names', edit: (template) => { alarm(template).Namespace = 'PrefectFargateWorkers'; } },
  { name: 'datapoints above periods', caughtBy: 'names', edit: (template) => Object.assign(alarm(template), { EvaluationPeriods: 2, DatapointsToAlarm: 3 }) },
  {
    name: 'metric maths with an unknown id',
    caughtBy: 'names',
    edit: (template) => {
      alarm(template);
      template.Resources.MutantAlarm.Properties = {
        EvaluationPeriods: 1,
        Threshold: 1,
        ComparisonOperator: 'GreaterThanThreshold',
        Metrics: [
          { Id: 'ratio', Expression: 'used / reserved' },
          { Id: 'used', ReturnData: false, MetricStat: { Metric: { Namespace: 'ECS/ContainerInsights', MetricName: 'MemoryUtilized' }, Period: 60, Stat: 'Average' } },
        ],
      };
    },
  },
  {
    name: 'AWS Config rule that does not exist',
    caughtBy: 'names',
    edit: (template) => template.Resources.MutantRule = { Type: 'AWS::Config::ConfigRule', Properties: { Source: { Owner: 'AWS', SourceIdentifier: 'ECS_CONTAINER_READONLY_ACCESS' } } },
  },
  { name: 'dashboard that is not JSON', caughtBy: 'dashboards', edit: (template) => dashboard(template, [], '{"widgets": [') },
  { name: 'dashboard with a metric that nobody publishes', caughtBy: 'dashboards', edit: (template) => dashboard(template, [['AWS/SQS', 'MessagesVisible', 'QueueName', 'events']]) },
  { name: 'dashboard with an unknown id', caughtBy: 'dashboards', edit: (template) => dashboard(template, [[{ expression: 'late * 2', id: 'double' }]]) },
  { name: 'queue without dead letters', caughtBy: 'sqs', edit: (template) => delete events(template).properties.RedrivePolicy },
  { name: 'message that is put aside at once', caughtBy: 'sqs', edit: (template) => events(template).properties.RedrivePolicy.maxReceiveCount = 1 },
  { name: 'message that comes back while it is handled', caughtBy: 'sqs', edit: (template) => events(template).properties.VisibilityTimeout = 30 },
  {
    name: 'dead letters that expire with their message',
    caughtBy: 'sqs',
    edit: (template) => {
      const dead = targetOf(template, events(template).properties.RedrivePolicy)!;
      template.Resources[dead].Properties!.MessageRetentionPeriod = 3600;
    },
  },
  { name: 'queue that takes plain HTTP', caughtBy: 'sqs', edit: (template) => { const policy = queuePolicy(template); policy.Statement = policy.Statement.filter((statement: any) => statement.Effect !== 'Deny'); } },
  {
    name: 'queue that takes the events of any rule',
    caughtBy: 'sqs',
    edit: (template) => {
      const statement = queuePolicy(template).Statement.find((candidate: any) => candidate.Effect === 'Allow' && candidate.Condition);
      if (!statement) {
        throw new NotApplicable('No statement has a condition.');
      }
      delete statement.Condition;
    },
  },
  { name: 'queue that refuses its rule', caughtBy: 'sqs', edit: (template) => { const policy = queuePolicy(template); policy.Statement = policy.Statement.filter((statement: any) => statement.Effect !== 'Allow'); } },
  {
    name: 'Lambda slower than the visibility of its queue',
    caughtBy: 'sqs',
    edit: (template) => {
      const [handler, fn] = first(template, 'AWS::Lambda::Function');
      fn.Properties.Timeout = 120;
      template.Resources.MutantMapping = { Type: 'AWS::Lambda::EventSourceMapping', Properties: { FunctionName: { Ref: handler }, EventSourceArn: { 'Fn::GetAtt': [events(template).id, 'Arn'] } } };
    },
  },
  {
    name: 'service before the work pool',
    caughtBy: 'dependencies',
    edit: (template) => {
      first(template, 'AWS::ECS::Service');
      forgetDependency(template, [first(template, /^Custom::.*WorkPool/i)[0]]);
    },
  },
  {
    name: 'function called before it may write its logs',
    caughtBy: 'dependencies',
    edit: (template) => {
      const handler = targetOf(template, first(template, /^Custom::.*WorkPool/i)[1].Properties.ServiceToken);
      const role = targetOf(template, template.Resources[handler!].Properties!.Role);
      template.Resources.MutantPolicy = { Type: 'AWS::IAM::Policy', Properties: { PolicyName: 'late', Roles: [{ Ref: role }], PolicyDocument: { Version: '2012-10-17', Statement: [] } } };
    },
  },
];
