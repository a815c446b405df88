import { aws_sns as sns } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { WorkPool } from '../../src';
import { addWorker, newStack, resource, resources, templateOf, text } from '../support/worker';

const template = templateOf();
const rule = (name: string) => resource(template, 'AWS::Events::Rule', new RegExp(`ObservabilityEvents${name}`)).Properties;
const message = (name: string) => text(rule(name).Targets[0].InputTransformer.InputTemplate);

describe('the topic', () => {
  test('is the stack\'s, and encrypted with its key', () => {
    expect(text(resource(template, 'AWS::SNS::Topic').Properties.KmsMasterKeyId)).toMatch(/^\{PrefectWorkersSharedKey\w+\.Arn\}$/);
  });

  test('takes messages of CloudWatch alarms of this account, of EventBridge, and nothing in clear', () => {
    const statements = resource(template, 'AWS::SNS::TopicPolicy').Properties.PolicyDocument.Statement;
    expect(statements).toEqual([
      expect.objectContaining({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
      expect.objectContaining({ Action: 'sns:Publish', Principal: { Service: 'cloudwatch.amazonaws.com' }, Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } } }),
      // EventBridge allows no condition here.
      { Sid: 'Rules', Effect: 'Allow', Action: 'sns:Publish', Principal: { Service: 'events.amazonaws.com' }, Resource: expect.anything() },
    ]);
  });

  test('has a key that CloudWatch and EventBridge may use for topics of this account', () => {
    const statement = resource(template, 'AWS::KMS::Key').Properties.KeyPolicy.Statement.find(({ Sid }: any) => Sid === 'AlarmTopic');
    expect(statement.Principal.Service).toEqual(['cloudwatch.amazonaws.com', 'events.amazonaws.com']);
    expect(statement.Action).toEqual(['kms:Decrypt', 'kms:GenerateDataKey']);
    expect(text(statement.Condition)).toEqual({
      ArnLike: { 'kms:EncryptionContext:aws:sns:topicArn': 'arn:{AWS::Partition}:sns:{AWS::Region}:{AWS::AccountId}:*' },
    });
  });

  test('may be yours: it is told all, and its policy lets alarms and rules publish', () => {
    const stack = newStack();
    const topic = new sns.Topic(stack, 'Own');
    const worker = addWorker(stack, { observability: { alarmTopic: topic } });
    expect(worker.alarmTopic).toBe(topic);
    const own = Template.fromStack(stack);
    own.resourceCountIs('AWS::SNS::Topic', 1);
    const services = resource(own, 'AWS::SNS::TopicPolicy').Properties.PolicyDocument.Statement.map(({ Principal }: any) => Principal.Service);
    expect(services).toEqual(['cloudwatch.amazonaws.com', 'events.amazonaws.com']);
    for (const { Properties } of resources(own, 'AWS::CloudWatch::CompositeAlarm')) expect(Properties.AlarmActions).toEqual([{ Ref: resource(own, 'AWS::SNS::Topic').logicalId }]);
    expect(JSON.stringify(resource(own, 'AWS::KMS::Key').Properties.KeyPolicy)).not.toContain('AlarmTopic');
  });

  test('may be imported', () => {
    const stack = newStack();
    addWorker(stack, { observability: { alarmTopic: sns.Topic.fromTopicArn(stack, 'Topic', 'arn:aws:sns:us-east-1:123456789012:pager') } });
    const own = Template.fromStack(stack);
    own.resourceCountIs('AWS::SNS::Topic', 0);
    expect(resource(own, 'AWS::CloudWatch::CompositeAlarm').Properties.AlarmActions).toEqual(['arn:aws:sns:us-east-1:123456789012:pager']);
  });

  test('is shared by two workers without a statement twice', () => {
    const stack = newStack();
    const topic = new sns.Topic(stack, 'Own');
    for (const id of ['One', 'Two']) addWorker(stack, { workPool: WorkPool.managed(id), observability: { alarmTopic: topic } }, id);
    const statements = resource(Template.fromStack(stack), 'AWS::SNS::TopicPolicy').Properties.PolicyDocument.Statement;
    const sids = statements.map(({ Sid }: any) => Sid);
    expect(new Set(sids).size).toBe(sids.length);
  });
});

describe('a deployment that failed', () => {
  test('is one of this service that ECS calls failed', () => {
    expect(rule('DeploymentFailed').EventPattern).toEqual({
      'source': ['aws.ecs'],
      'detail-type': ['ECS Deployment State Change'],
      'resources': [{ Ref: resource(template, 'AWS::ECS::Service').logicalId }],
      'detail': { eventName: ['SERVICE_DEPLOYMENT_FAILED'] },
    });
  });

  test('is told with ECS\'s reason and the first step', () => {
    expect(rule('DeploymentFailed').Targets[0].InputTransformer.InputPathsMap).toMatchObject({ 'detail-reason': '$.detail.reason' });
    expect(message('DeploymentFailed')).toMatch(/^"DeploymentFailed: .*Stack\/Worker failed\."\n"Reason: <detail-reason>"\n/);
    expect(message('DeploymentFailed')).toMatch(/"First step: .*operations\.md#deploymentfailed"$/);
  });
});

describe('a task that stopped for an error', () => {
  test('is one of this service, and none that ECS stopped for another cause', () => {
    const { detail } = rule('TaskFailed').EventPattern;
    expect(text(detail.group)).toEqual([expect.stringMatching(/^service:\{WorkerService\w+\.Name\}$/)]);
    expect(text(detail.clusterArn)).toEqual([expect.stringMatching(/^\{WorkerCluster\w+\.Arn\}$/)]);
    expect(detail.lastStatus).toEqual(['STOPPED']);
    expect(detail.$or).toEqual([
      { stopCode: ['EssentialContainerExited', 'TaskFailedToStart'] },
      { stoppedReason: [{ prefix: 'Task failed container health checks' }] },
    ]);
  });

  test('is told with ECS\'s reason and the first step', () => {
    expect(rule('TaskFailed').Targets[0].InputTransformer.InputPathsMap).toMatchObject({
      'detail-stoppedReason': '$.detail.stoppedReason', 'detail-stopCode': '$.detail.stopCode', 'detail-taskArn': '$.detail.taskArn',
    });
    expect(message('TaskFailed')).toContain('"Reason: <detail-stoppedReason> (<detail-stopCode>)"');
    expect(message('TaskFailed')).toMatch(/"First step: .*operations\.md#taskfailed"$/);
  });
});
