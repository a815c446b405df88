import { ofType } from '../template';
import type { Template } from '../types';
import { another, editReference, editText, first, Mutant, NotApplicable } from './mutant';

const topicStatement = (template: Template, service: string) => {
  const policy = first(template, 'AWS::SNS::TopicPolicy')[1].Properties.PolicyDocument;
  const statement = policy.Statement.find((candidate: any) => candidate.Principal?.Service === service);
  if (!statement) throw new NotApplicable(`The topic lets no ${service} publish.`);
  return { statement, policy };
};
const keyStatement = (template: Template) => {
  for (const [, { Properties = {} }] of ofType(template, 'AWS::KMS::Key')) {
    const statement = Properties.KeyPolicy.Statement.find((candidate: any) => [candidate.Principal?.Service].flat().includes('cloudwatch.amazonaws.com'));
    if (statement) return statement;
  }
  throw new NotApplicable('No key is for a topic.');
};
const metricAlarm = (template: Template, namespace: string) => first(template, 'AWS::CloudWatch::Alarm', ({ Namespace }) => Namespace === namespace)[1].Properties;
/** Edits the dashboard's body, which is a Fn::Join of texts and references. */
const inDashboard = (template: Template, from: RegExp, to: string) => {
  const { Properties } = first(template, 'AWS::CloudWatch::Dashboard')[1];
  const parts: any[] = Properties.DashboardBody['Fn::Join']?.[1] ?? [];
  const index = parts.findIndex((part) => typeof part === 'string' && from.test(part));
  if (index < 0) throw new NotApplicable('The dashboard has no such text.');
  parts[index] = parts[index].replace(from, to);
};

const dimension = (template: Template, name: string): { Name: string; Value: any } => {
  for (const [, { Properties = {} }] of ofType(template, 'AWS::CloudWatch::Alarm')) {
    const lists = [Properties.Dimensions, ...(Properties.Metrics ?? []).map(({ MetricStat }: any) => MetricStat?.Metric?.Dimensions)];
    const found = lists.flatMap((list) => list ?? []).find(({ Name }) => Name === name);
    if (found) return found;
  }
  throw new NotApplicable(`No alarm has the dimension ${name}.`);
};
const follow = (template: Template, name: string, to: (value: any) => any) => {
  const found = dimension(template, name);
  found.Value = to(found.Value);
};
const DASHBOARD = 'AWS::CloudWatch::Dashboard';
const owner = (reference: any) => reference.Ref ?? reference['Fn::GetAtt'][0];

export const observabilityMutants: Mutant[] = [
  { name: 'alarm for another pool', caughtBy: 'dimensions', edit: (template) => follow(template, 'WorkPool', () => 'other') },
  { name: 'alarm for another worker', caughtBy: 'dimensions', edit: (template) => follow(template, 'Worker', () => 'other') },
  { name: 'alarm on a cluster by its ARN', caughtBy: 'dimensions', edit: (template) => follow(template, 'ClusterName', ({ Ref }) => ({ 'Fn::GetAtt': [Ref, 'Arn'] })) },
  { name: 'alarm on a service by its ARN', caughtBy: 'dimensions', edit: (template) => follow(template, 'ServiceName', (value) => ({ Ref: owner(value) })) },
  { name: 'alarm on a queue by its URL', caughtBy: 'dimensions', edit: (template) => follow(template, 'QueueName', (value) => ({ Ref: owner(value) })) },
  { name: 'alarm on a function by its ARN', caughtBy: 'dimensions', edit: (template) => follow(template, 'FunctionName', (value) => ({ 'Fn::GetAtt': [owner(value), 'Arn'] })) },
  { name: 'alarm on a NAT gateway that is its subnet', caughtBy: 'dimensions', edit: (template) => follow(template, 'NatGatewayId', ({ Ref }) => template.Resources[Ref].Properties!.SubnetId) },
  { name: 'alarm on the service of another worker', caughtBy: 'dimensions', edit: (template) => follow(template, 'ServiceName', (value) => ({ 'Fn::GetAtt': [another(template, owner(value)), 'Name'] })) },
  { name: 'publisher that publishes for another worker', caughtBy: 'dimensions', edit: (template) => editText(template, 'AWS::Events::Rule', /"worker":"(?=.*"leadTimeSeconds")/, '"worker":"Other') },
  { name: 'reconciler that publishes for another worker', caughtBy: 'dimensions', edit: (template) => editText(template, 'AWS::Events::Rule', /"worker":"(?=.*"interruptedRuns")/, '"worker":"Other') },
  { name: 'prices that are published for another worker', caughtBy: 'dimensions', edit: (template) => editText(template, 'AWS::Events::Rule', /"worker":"(?=.*"family")/, '"worker":"Other') },
  { name: 'workers whose price nobody publishes', caughtBy: 'dimensions', edit: (template) => editText(template, 'AWS::Events::Rule', /"pricedTask"/, '"task"') },
  { name: 'budget of the costs of more than a week', caughtBy: 'alarm-senses', edit: (template) => { first(template, 'AWS::CloudWatch::Alarm', ({ Metrics }) => Metrics?.some(({ MetricStat }: any) => MetricStat?.Metric.MetricName === 'WorkerCost'))[1].Properties.EvaluationPeriods = 2; } },
  { name: 'query for prices that asks the logs of workers', caughtBy: 'log-readers', edit: (template) => { first(template, 'AWS::Logs::QueryDefinition', ({ QueryString }) => /ispresent\(Cost\)/.test(QueryString))[1].Properties.LogGroupNames = first(template, 'AWS::Logs::QueryDefinition', ({ QueryString }) => /levelname/.test(QueryString))[1].Properties.LogGroupNames; } },
  { name: 'dashboard of another pool', caughtBy: 'dimensions', edit: (template) => editText(template, DASHBOARD, /"WorkPool","\w+/, '"WorkPool","other') },
  { name: 'dashboard of another service', caughtBy: 'dimensions', edit: (template) => editReference(template, DASHBOARD, /"ServiceName","$/, () => 'other') },
  { name: 'dashboard of a VPC that is a subnet', caughtBy: 'dimensions', edit: (template) => editReference(template, DASHBOARD, /VPC Id\\"=\\"$/, () => ({ Ref: first(template, 'AWS::EC2::Subnet')[0] })) },
  { name: 'alarm that goes off while all is well', caughtBy: 'alarm-senses', edit: (template) => { metricAlarm(template, 'AWS/SQS').ComparisonOperator = 'LessThanThreshold'; } },
  { name: 'alarm that is always on', caughtBy: 'alarm-senses', edit: (template) => { metricAlarm(template, 'AWS/SQS').Threshold = 0; } },
  { name: 'alarm that is never on', caughtBy: 'alarm-senses', edit: (template) => { metricAlarm(template, 'AWS/ECS').Threshold = 900; } },
  { name: 'alarm for want of data', caughtBy: 'alarm-senses', edit: (template) => { metricAlarm(template, 'AWS/ECS').TreatMissingData = 'breaching'; } },
  { name: 'alarm by the sum of what is there', caughtBy: 'alarm-senses', edit: (template) => { metricAlarm(template, 'AWS/ECS').Statistic = 'Sum'; } },
  { name: 'alarm that is over for others', caughtBy: 'alarm-senses', edit: (template) => { const [, { Properties }] = first(template, 'AWS::CloudWatch::Alarm', ({ OKActions }) => OKActions?.[0]?.Ref); template.Resources.MutantTopic = { Type: 'AWS::SNS::Topic' }; Properties.OKActions = [{ Ref: 'MutantTopic' }]; } },
  { name: 'alarm on one NAT gateway twice', caughtBy: 'alarm-senses', edit: (template) => { const { Metrics } = first(template, 'AWS::CloudWatch::Alarm', ({ Metrics: metrics }) => metrics?.filter(({ MetricStat }: any) => MetricStat?.Metric.Namespace === 'AWS/NATGateway').length > 1)[1].Properties; Metrics.at(-1).MetricStat = Metrics.at(-2).MetricStat; } },
  { name: 'composite alarm without one that it names', caughtBy: 'alarm-senses', edit: (template) => editReference(template, 'AWS::CloudWatch::CompositeAlarm', /OR ALARM\("$/, () => { const { AlarmRule } = first(template, 'AWS::CloudWatch::CompositeAlarm')[1].Properties; return AlarmRule['Fn::Join'][1].find((part: any) => typeof part === 'object'); }) },
  { name: 'composite alarm with a bracket left open', caughtBy: 'alarm-senses', edit: (template) => editText(template, 'AWS::CloudWatch::CompositeAlarm', /"\)\)$/, '")') },
  { name: 'metrics of Container Insights where it is off', caughtBy: 'dimensions', edit: (template) => { first(template, 'AWS::ECS::Cluster')[1].Properties.ClusterSettings = []; } },
  { name: 'dashboard without an alarm', caughtBy: 'dashboards', edit: (template) => editReference(template, DASHBOARD, /"alarms":\["$/, (reference) => ({ 'Fn::GetAtt': [another(template, owner(reference)), 'Arn'] })) },
  { name: 'dashboard with one graph twice', caughtBy: 'dashboards', edit: (template) => editText(template, DASHBOARD, /"PendingRuns"/, '"RunningRuns"') },
  { name: 'archive that hides what goes wrong', caughtBy: 'log-readers', edit: (template) => { first(template, 'AWS::KinesisFirehose::DeliveryStream')[1].Properties.ExtendedS3DestinationConfiguration.CloudWatchLoggingOptions.Enabled = false; } },
  { name: 'archive whose errors have no place', caughtBy: 'log-readers', edit: (template) => delete first(template, 'AWS::KinesisFirehose::DeliveryStream')[1].Properties.ExtendedS3DestinationConfiguration.ErrorOutputPrefix },
  { name: 'query that asks nothing', caughtBy: 'log-readers', edit: (template) => { first(template, 'AWS::Logs::QueryDefinition')[1].Properties.LogGroupNames = []; } },
  { name: 'subscription with a role by its name', caughtBy: 'forms', edit: (template) => { const { Properties } = first(template, 'AWS::Logs::SubscriptionFilter', ({ RoleArn }) => RoleArn)[1]; Properties.RoleArn = { Ref: owner(Properties.RoleArn) }; } },
  { name: 'log stream of a group by its ARN', caughtBy: 'forms', edit: (template) => { const { Properties } = first(template, 'AWS::Logs::LogStream')[1]; Properties.LogGroupName = { 'Fn::GetAtt': [owner(Properties.LogGroupName), 'Arn'] }; } },
  { name: 'queue that no alarm follows', caughtBy: 'alarm-senses', edit: (template) => follow(template, 'QueueName', (value) => ({ 'Fn::GetAtt': [another(template, owner(value)), 'QueueName'] })) },
  { name: 'metric math with a bracket left open', caughtBy: 'names', edit: (template) => { const metric = first(template, 'AWS::CloudWatch::Alarm', ({ Metrics }) => Metrics?.[0].Expression)[1].Properties.Metrics[0]; metric.Expression = `(${metric.Expression}`; } },
  { name: 'errors counted in the logs of a function', caughtBy: 'log-readers', edit: (template) => { first(template, 'AWS::Logs::MetricFilter', ({ FilterPattern }) => /levelname/.test(FilterPattern))[1].Properties.LogGroupName = first(template, 'AWS::Lambda::Function', ({ LoggingConfig }) => LoggingConfig?.LogGroup)[1].Properties.LoggingConfig.LogGroup; } },
  { name: 'query that asks the logs of a function', caughtBy: 'log-readers', edit: (template) => { first(template, 'AWS::Logs::QueryDefinition')[1].Properties.LogGroupNames = [first(template, 'AWS::Lambda::Function', ({ LoggingConfig }) => LoggingConfig?.LogGroup)[1].Properties.LoggingConfig.LogGroup]; } },
  { name: 'archive of the logs of a function', caughtBy: 'log-readers', edit: (template) => { first(template, 'AWS::Logs::SubscriptionFilter')[1].Properties.LogGroupName = first(template, 'AWS::Lambda::Function', ({ LoggingConfig }) => LoggingConfig?.LogGroup)[1].Properties.LoggingConfig.LogGroup; } },
  { name: 'alarm that tells nobody', caughtBy: 'alarms', edit: (template) => delete metricAlarm(template, 'AWS/SQS').AlarmActions },
  { name: 'composite alarm of no alarm', caughtBy: 'alarms', edit: (template) => first(template, 'AWS::CloudWatch::CompositeAlarm')[1].Properties.AlarmRule = 'FALSE' },
  {
    name: 'composite alarm of an alarm that is not there',
    caughtBy: 'alarms',
    edit: (template) => first(template, 'AWS::CloudWatch::CompositeAlarm')[1].Properties.AlarmRule = { 'Fn::Sub': 'ALARM("${AWS::StackName}")' },
  },
  {
    name: 'topic that refuses its alarms',
    caughtBy: 'alarms',
    edit: (template) => {
      const { statement, policy } = topicStatement(template, 'cloudwatch.amazonaws.com');
      policy.Statement = policy.Statement.filter((candidate: any) => candidate !== statement);
    },
  },
  { name: 'topic that takes the alarms of any account', caughtBy: 'alarms', edit: (template) => delete topicStatement(template, 'cloudwatch.amazonaws.com').statement.Condition },
  {
    name: 'topic with a condition that EventBridge never fulfils',
    caughtBy: 'alarms',
    edit: (template) => topicStatement(template, 'events.amazonaws.com').statement.Condition = { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
  },
  { name: 'key that alarms may not use for their topic', caughtBy: 'key-policies', edit: (template) => keyStatement(template).Principal.Service = ['events.amazonaws.com'] },
  { name: 'key that EventBridge may not use for the topic', caughtBy: 'key-policies', edit: (template) => keyStatement(template).Principal.Service = ['cloudwatch.amazonaws.com'] },
  {
    name: 'key with a condition that EventBridge never fulfils for topics',
    caughtBy: 'key-policies',
    edit: (template) => keyStatement(template).Condition = { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
  },
  { name: 'metric with a dimension too few', caughtBy: 'names', edit: (template) => metricAlarm(template, 'AWS/ECS').Dimensions.shift() },
  { name: 'metric with a dimension misspelt', caughtBy: 'names', edit: (template) => metricAlarm(template, 'PrefectFargateWorker').Dimensions[0].Name = 'Pool' },
  { name: 'dashboard with a dimension misspelt', caughtBy: 'dashboards', edit: (template) => inDashboard(template, /"ServiceName"/, '"Service"') },
  { name: 'dashboard with an alarm that is not there', caughtBy: 'dashboards', edit: (template) => inDashboard(template, /("type":"alarm".*?"alarms":\[")/, '$1arn:aws:cloudwatch:us-east-1:123456789012:alarm:Gone","') },
  { name: 'dashboard that asks logs that are not there', caughtBy: 'dashboards', edit: (template) => inDashboard(template, /' \| fields/, '-old\' | fields') },
];
