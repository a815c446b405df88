import { aws_ecs as ecs } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { WorkPool } from '../../src';
import { addWorker, configurationOf, importedVpc, newStack, resource, resources, templateOf, text } from '../support/worker';

const template = templateOf();
const queue = resource(template, 'AWS::SQS::Queue', /EventsQueue/);
const deadLetters = resource(template, 'AWS::SQS::Queue', /DeadLetter/);
const key = resource(template, 'AWS::KMS::Key');
const rule = resource(template, 'AWS::Events::Rule', /WorkPoolEvents/);
const policyOf = (logicalId: string) => resources(template, 'AWS::SQS::QueuePolicy')
  .filter(({ Properties }) => Properties.Queues.some(({ Ref }: any) => Ref === logicalId))
  .flatMap(({ Properties }) => Properties.PolicyDocument.Statement);

describe('the rule', () => {
  test('takes the state changes of the flow runs\' tasks in this cluster, and their ends where they are their own doing', () => {
    expect(text(rule.Properties.EventPattern)).toEqual({
      'source': ['aws.ecs'],
      'detail-type': ['ECS Task State Change'],
      'detail': {
        clusterArn: [`{${resource(template, 'AWS::ECS::Cluster').logicalId}.Arn}`],
        taskDefinitionArn: [{ prefix: `arn:{AWS::Partition}:ecs:{AWS::Region}:{AWS::AccountId}:task-definition/${configurationOf(template).template.taskDefinition.family.replace(/-{{ family }}$/, '')}` }],
        stopCode: [{ exists: false }, 'EssentialContainerExited', 'TaskFailedToStart'],
      },
    });
  });

  test('takes every family that Prefect names where the pool is an existing one', () => {
    const existing = resource(templateOf({ workPool: WorkPool.existing('etl') }), 'AWS::Events::Rule', /WorkPoolEvents/).Properties.EventPattern;
    expect(text(existing.detail.taskDefinitionArn[0].prefix)).toMatch(/:task-definition\/prefect$/);
  });

  test('takes them in a given cluster', () => {
    const stack = newStack();
    addWorker(stack, { cluster: ecs.Cluster.fromClusterAttributes(stack, 'Shared', { clusterName: 'shared', vpc: importedVpc(stack), securityGroups: [] }) });
    expect(text(resource(Template.fromStack(stack), 'AWS::Events::Rule', /WorkPoolEvents/).Properties.EventPattern.detail.clusterArn[0])).toMatch(/:cluster\/shared$/);
  });

  test('sends them to the queue, which takes them from this rule only', () => {
    expect(rule.Properties.State).toBe('ENABLED');
    expect(rule.Properties.Targets).toEqual([expect.objectContaining({ Arn: { 'Fn::GetAtt': [queue.logicalId, 'Arn'] } })]);
    expect(policyOf(queue.logicalId).filter(({ Effect }) => Effect === 'Allow')).toEqual([expect.objectContaining({
      Action: 'sqs:SendMessage',
      Principal: { Service: 'events.amazonaws.com' },
      Resource: { 'Fn::GetAtt': [queue.logicalId, 'Arn'] },
      Condition: { ArnEquals: { 'aws:SourceArn': { 'Fn::GetAtt': [rule.logicalId, 'Arn'] } } },
    })]);
  });
});

describe('the queue', () => {
  test('keeps a message from others as long as the observer may hold it', () => {
    expect(queue.Properties.VisibilityTimeout).toBe(300);
  });

  test('puts a message that nobody can handle aside after three times, for two weeks', () => {
    expect(queue.Properties.RedrivePolicy).toEqual({ deadLetterTargetArn: { 'Fn::GetAtt': [deadLetters.logicalId, 'Arn'] }, maxReceiveCount: 3 });
    expect(deadLetters.Properties.MessageRetentionPeriod).toBe(14 * 24 * 3600);
  });

  test.each([['queue', queue], ['dead-letter queue', deadLetters]])('and its messages are encrypted with the worker\'s key: the %s', (_, { Properties }) => {
    expect(Properties.KmsMasterKeyId).toEqual({ 'Fn::GetAtt': [key.logicalId, 'Arn'] });
  });

  test.each([['queue', queue], ['dead-letter queue', deadLetters]])('refuses what comes without TLS: the %s', (_, { logicalId }) => {
    expect(policyOf(logicalId)).toContainEqual(expect.objectContaining({ Effect: 'Deny', Action: 'sqs:*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }));
  });

  test('has a key that EventBridge may use for this account', () => {
    const statement = key.Properties.KeyPolicy.Statement.find(({ Principal }: any) => Principal.Service === 'events.amazonaws.com');
    expect(statement).toMatchObject({
      Action: ['kms:Decrypt', 'kms:GenerateDataKey'], Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
    });
  });
});
