import { aws_ec2 as ec2 } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { PrefectApi, WorkerType } from '../../src';
import { addWorker, configurationOf, importedVpc, newStack, resource, resources, selfHosted, templateOf } from '../support/worker';

const egress = (template: Template, group: RegExp) =>
  resource(template, 'AWS::EC2::SecurityGroup', group).Properties.SecurityGroupEgress.map(
    ({ CidrIp, IpProtocol, FromPort, ToPort }: Record<string, unknown>) => `${CidrIp} ${IpProtocol} ${FromPort}-${ToPort}`);
const groupsOfService = (template: Template) => resource(template, 'AWS::ECS::Service').Properties.NetworkConfiguration.AwsvpcConfiguration.SecurityGroups;
const HTTPS = '0.0.0.0/0 tcp 443-443';

describe('the groups of workers and flow runs', () => {
  const template = templateOf();

  test('let nothing in', () => {
    expect(resource(template, 'AWS::EC2::SecurityGroup', /WorkerSecurityGroup/).Properties.SecurityGroupIngress).toBeUndefined();
    expect(resource(template, 'AWS::EC2::SecurityGroup', /FlowRunSecurityGroup/).Properties.SecurityGroupIngress).toBeUndefined();
    template.resourceCountIs('AWS::EC2::SecurityGroupIngress', 0);
  });

  test('let HTTPS out, and nothing else', () => {
    expect(egress(template, /WorkerSecurityGroup/)).toEqual([HTTPS]);
    expect(egress(template, /FlowRunSecurityGroup/)).toEqual([HTTPS]);
  });

  test.each([
    ['https://prefect.example.com/api', [HTTPS]],
    ['https://prefect.example.com:443/api', [HTTPS]],
    ['https://prefect.example.com:4200/api', [HTTPS, '0.0.0.0/0 tcp 4200-4200']],
    ['http://prefect.example.com/api', [HTTPS, '0.0.0.0/0 tcp 80-80']],
  ])('let the port of the API out: %s', (url, expected) => {
    const api = PrefectApi.selfHosted({ url, privateNetwork: true });
    const own = templateOf({ api });
    expect(egress(own, /WorkerSecurityGroup/)).toEqual(expected);
    expect(egress(own, /FlowRunSecurityGroup/)).toEqual(expected);
    expect(egress(own, /WorkPoolSecurityGroup/)).toEqual(expected);
  });

  test('are one for a PROCESS worker, whose flow runs are in its task', () => {
    const stack = newStack();
    const worker = addWorker(stack, { workerType: WorkerType.PROCESS });
    const own = Template.fromStack(stack);
    expect(Object.keys(own.findResources('AWS::EC2::SecurityGroup')).filter(id => /(Worker|FlowRun)SecurityGroup/.test(id))).toHaveLength(1);
    expect([stack.resolve(worker.flowRunSecurityGroup.securityGroupId)]).toEqual(groupsOfService(own));
  });

  test('say whose they are', () => {
    expect(resource(template, 'AWS::EC2::SecurityGroup', /FlowRunSecurityGroup/).Properties.GroupDescription).toMatch(/^Prefect flow runs of Stack\/Worker: nothing in/);
  });
});

describe('security groups of the user', () => {
  const stack = newStack();
  const securityGroups = ['sg-11111111', 'sg-22222222'].map(id => ec2.SecurityGroup.fromSecurityGroupId(stack, id, id));
  const worker = addWorker(stack, { vpc: importedVpc(stack), securityGroups });
  const template = Template.fromStack(stack);

  test('are the workers\', just as they are', () => {
    expect(groupsOfService(template)).toEqual(['sg-11111111', 'sg-22222222']);
    expect(resources(template, 'AWS::EC2::SecurityGroup')).toEqual([]);
    template.resourceCountIs('AWS::EC2::SecurityGroupEgress', 0);
  });

  test('give the first to flow runs', () => {
    expect(worker.flowRunSecurityGroup).toBe(securityGroups[0]);
    expect(configurationOf(template).template.variables.network_configuration.securityGroups).toEqual(['sg-11111111']);
  });
});

describe('the function that manages the work pool', () => {
  test('runs outside any VPC where the API is on the internet', () => {
    expect(resource(templateOf(), 'AWS::Lambda::Function', /WorkPoolManagedFunction/).Properties.VpcConfig).toBeUndefined();
  });

  test('runs in the workers\' subnets where the API is in the private network', () => {
    const template = templateOf(stack => ({ api: selfHosted(stack) }));
    const { VpcConfig } = resource(template, 'AWS::Lambda::Function', /WorkPoolManagedFunction/).Properties;
    expect(VpcConfig.SubnetIds).toEqual(resource(template, 'AWS::ECS::Service').Properties.NetworkConfiguration.AwsvpcConfiguration.Subnets);
    expect(VpcConfig.SecurityGroupIds).toEqual([{ 'Fn::GetAtt': [resource(template, 'AWS::EC2::SecurityGroup', /WorkPoolSecurityGroup/).logicalId, 'GroupId'] }]);
  });
});
