import { ofType } from '../template';
import type { Template } from '../types';
import { first, Mutant, NotApplicable } from './mutant';

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

export const observabilityMutants: Mutant[] = [
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
