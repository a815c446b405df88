import { aws_ec2 as ec2, aws_ecs as ecs } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { PrefectFargateWorkerProps, WorkerType, WorkPool } from '../../src';
import { addWorker, importedVpc, newStack, resource, resources, templateOf, text } from '../support/worker';

const { ECS, PROCESS } = WorkerType;
const watched: Partial<PrefectFargateWorkerProps> = { compliance: { configRules: true } };

/** The rules of a template by their identifiers. */
const rulesOf = (template: Template) =>
  new Map(resources(template, 'AWS::Config::ConfigRule').map(({ Properties, Condition }) => [Properties.Source.SourceIdentifier, { ...Properties, Condition }]));

describe('AWS Config', () => {
  const template = templateOf(watched);
  const rules = rulesOf(template);

  test('watches what an ECS worker is made of', () => {
    expect([...rules.keys()]).toEqual(expect.arrayContaining([
      'ECS_CONTAINERS_NONPRIVILEGED', 'ECS_CONTAINERS_READONLY_ACCESS', 'ECS_NO_ENVIRONMENT_SECRETS', 'ECS_TASK_DEFINITION_LOG_CONFIGURATION',
      'ECS_CONTAINER_INSIGHTS_ENABLED', 'ECS_FARGATE_LATEST_PLATFORM_VERSION', 'VPC_SG_OPEN_ONLY_TO_AUTHORIZED_PORTS',
      'SUBNET_AUTO_ASSIGN_PUBLIC_IP_DISABLED', 'LAMBDA_FUNCTION_PUBLIC_ACCESS_PROHIBITED', 'VPC_DEFAULT_SECURITY_GROUP_CLOSED',
    ]));
  });

  test('judges the worker\'s own resources only, by a tag that they have', () => {
    const shared = ['LAMBDA_FUNCTION_PUBLIC_ACCESS_PROHIBITED', 'SNS_ENCRYPTED_KMS'];
    const tags = (of: (identifier: string) => boolean) => [...rules.values()]
      .filter(rule => of(rule.Source.SourceIdentifier)).map(rule => rule.Scope);
    const scopes = tags(identifier => ![...shared, 'VPC_DEFAULT_SECURITY_GROUP_CLOSED'].includes(identifier));
    const [{ TagKey, TagValue }] = scopes;
    expect(scopes).toEqual(scopes.map(() => ({ TagKey, TagValue })));
    // What the workers of the stack share is judged once, by a tag of its own.
    const [common] = tags(identifier => shared.includes(identifier));
    expect(tags(identifier => shared.includes(identifier))).toEqual([common, common]);
    expect(common).toEqual({ TagKey, TagValue: expect.not.stringMatching(TagValue) });
    expect(resource(template, 'AWS::SNS::Topic').Properties.Tags).toContainEqual({ Key: TagKey, Value: common.TagValue });
    for (const type of ['AWS::ECS::TaskDefinition', 'AWS::ECS::Service', 'AWS::ECS::Cluster', 'AWS::EC2::SecurityGroup', 'AWS::EC2::Subnet']) {
      for (const { Properties } of resources(template, type)) expect(Properties.Tags).toContainEqual({ Key: TagKey, Value: TagValue });
    }
  });

  test('judges the default security group of the new VPC by its id', () => {
    const vpc = resource(template, 'AWS::EC2::VPC').logicalId;
    expect(text(rules.get('VPC_DEFAULT_SECURITY_GROUP_CLOSED').Scope)).toEqual({
      ComplianceResourceTypes: ['AWS::EC2::SecurityGroup'], ComplianceResourceId: `{${vpc}.DefaultSecurityGroup}`,
    });
  });

  test('looks for Prefect\'s credentials in clear', () => {
    expect(rules.get('ECS_NO_ENVIRONMENT_SECRETS').InputParameters)
      .toEqual({ secretKeys: 'PREFECT_API_KEY,PREFECT_API_AUTH_STRING,PREFECT_CLIENT_CUSTOM_HEADERS' });
  });

  test('says in each rule what it finds and what to do then, as briefly as it has to', () => {
    for (const { Description } of rules.values()) {
      expect(Description).toMatch(/^[A-Z].*\. [A-Z].*\.$/);
      expect(Description.length).toBeLessThanOrEqual(256);
    }
  });

  test('is not asked for rules that AWS GovCloud lacks', () => {
    const { Condition } = rules.get('ECS_NO_ENVIRONMENT_SECRETS');
    expect(template.toJSON().Conditions[Condition]).toEqual({ 'Fn::Not': [{ 'Fn::Equals': [{ Ref: 'AWS::Partition' }, 'aws-us-gov'] }] });
  });
});

describe('what is not there is not watched:', () => {
  test('a root file system that a PROCESS worker may write to', () => {
    expect([...rulesOf(templateOf({ ...watched, workerType: PROCESS })).keys()]).not.toContain('ECS_CONTAINERS_READONLY_ACCESS');
  });

  test('a VPC and a cluster of yours', () => {
    const rules = rulesOf(templateOf(stack => {
      const vpc = importedVpc(stack);
      return { ...watched, vpc, cluster: ecs.Cluster.fromClusterAttributes(stack, 'Shared', { clusterName: 'shared', vpc }) };
    }));
    for (const identifier of ['VPC_DEFAULT_SECURITY_GROUP_CLOSED', 'SUBNET_AUTO_ASSIGN_PUBLIC_IP_DISABLED', 'ECS_CONTAINER_INSIGHTS_ENABLED']) {
      expect([...rules.keys()]).not.toContain(identifier);
    }
    expect([...rules.keys()]).toContain('VPC_SG_OPEN_ONLY_TO_AUTHORIZED_PORTS');
  });

  test('security groups of yours', () => {
    const rules = rulesOf(templateOf(stack => ({
      ...watched,
      vpc: importedVpc(stack),
      securityGroups: [ec2.SecurityGroup.fromSecurityGroupId(stack, 'Group', 'sg-1')],
    })));
    expect([...rules.keys()]).not.toContain('VPC_SG_OPEN_ONLY_TO_AUTHORIZED_PORTS');
  });
});

test('two workers are told apart, and from what they share', () => {
  const stack = newStack();
  const first = addWorker(stack, watched, 'First');
  addWorker(stack, { ...watched, vpc: first.vpc, cluster: first.cluster, workPool: WorkPool.managed('other') }, 'Second');
  const values = new Set(resources(Template.fromStack(stack), 'AWS::Config::ConfigRule').map(({ Properties }) => Properties.Scope.TagValue).filter(Boolean));
  expect(values.size).toBe(3);
});

test.each([[ECS], [PROCESS]])('without compliance.configRules there are neither rules nor tags (%s)', workerType => {
  const template = templateOf({ workerType, compliance: {} });
  expect(resources(template, 'AWS::Config::ConfigRule')).toEqual([]);
  expect(JSON.stringify(resource(template, 'AWS::ECS::Service').Properties.Tags ?? [])).not.toContain('cdk-prefect');
  expect(template.toJSON().Conditions ?? {}).not.toHaveProperty(['WorkerComplianceOutsideGovCloud']);
});
