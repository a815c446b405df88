import { Template } from 'aws-cdk-lib/assertions';
import { ObservabilityOptions } from '../../src';
import { addWorker, newStack, templateOf } from '../support/worker';

const ids = (template: Template) => new Set(Object.keys(template.toJSON().Resources));
const types = (template: Template, given: Set<string>) => [...new Set([...given].map(id => template.toJSON().Resources[id].Type))].sort();
const all = templateOf({ observability: { logArchive: {}, logDestinationArn: 'arn:aws:logs:us-east-1:999999999999:destination:central' } });

describe('switching off', () => {
  const EVERYTHING: ObservabilityOptions = { logArchive: {}, logDestinationArn: 'arn:aws:logs:us-east-1:999999999999:destination:central' };

  test.each<[string, ObservabilityOptions, string[]]>([
    ['alarms', { ...EVERYTHING, alarms: { enabled: false } }, ['AWS::CloudWatch::Alarm', 'AWS::CloudWatch::CompositeAlarm', 'AWS::Events::Rule', 'AWS::SNS::Topic', 'AWS::SNS::TopicPolicy']],
    ['dashboard', { ...EVERYTHING, dashboard: false }, ['AWS::CloudWatch::Dashboard', 'AWS::Events::Rule', 'AWS::Lambda::Permission', 'AWS::Logs::MetricFilter', 'AWS::Logs::QueryDefinition']],
    ['logArchive', { ...EVERYTHING, logArchive: undefined }, [
      'AWS::IAM::Policy', 'AWS::IAM::Role', 'AWS::KMS::Key', 'AWS::KinesisFirehose::DeliveryStream', 'AWS::Logs::LogGroup', 'AWS::Logs::LogStream', 'AWS::Logs::SubscriptionFilter', 'AWS::S3::Bucket', 'AWS::S3::BucketPolicy',
    ]],
    ['logDestinationArn', { ...EVERYTHING, logDestinationArn: undefined }, ['AWS::Logs::SubscriptionFilter']],
  ])('%s removes all of its resources and nothing else', (feature, observability, removed) => {
    const without = templateOf({ observability });
    const gone = new Set([...ids(all)].filter(id => !ids(without).has(id)));
    expect(types(all, gone)).toEqual(removed);
    expect([...ids(without)].filter(id => !ids(all).has(id))).toEqual([]);
    const left = JSON.stringify(without.toJSON().Resources);
    for (const id of gone) expect([feature, id, left.includes(`"${id}"`)]).toEqual([feature, id, false]);
  });

  test('alarms leaves the worker without topic and alarms, and its key without their statement', () => {
    const stack = newStack();
    const worker = addWorker(stack, { observability: { alarms: { enabled: false } } });
    expect([worker.alarms, worker.alarmTopic]).toEqual([{}, undefined]);
    expect(JSON.stringify(Template.fromStack(stack).findResources('AWS::KMS::Key'))).not.toContain('AlarmTopic');
  });
});

test('the default has fewer than 145 resources, and everything on fewer than 200', () => {
  expect(ids(templateOf()).size).toBeLessThan(145);
  expect(ids(all).size).toBeLessThan(200);
});
