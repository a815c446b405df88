import { App, aws_ec2 as ec2, aws_elasticloadbalancingv2 as elb, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { PrefectApi, WorkerType, WorkPool } from '../../src';
import { addWorker, configurationOf, connectedVpc, importedVpc, newStack, resource, resources, selfHosted, templateOf, text } from '../support/worker';

const egress = (template: Template, group: RegExp) =>
  resource(template, 'AWS::EC2::SecurityGroup', group).Properties.SecurityGroupEgress.map(
    ({ CidrIp, IpProtocol, FromPort, ToPort }: Record<string, unknown>) => `${CidrIp} ${IpProtocol} ${FromPort}-${ToPort}`);
const groupsOfService = (template: Template) => resource(template, 'AWS::ECS::Service').Properties.NetworkConfiguration.AwsvpcConfiguration.SecurityGroups;
const HTTPS = '0.0.0.0/0 tcp 443-443';
const DNS = ['0.0.0.0/0 udp 53-53', '0.0.0.0/0 tcp 53-53'];

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
    for (const group of [/WorkerSecurityGroup/, /FlowRunSecurityGroup/, /FunctionSecurityGroup/]) expect(egress(own, group)).toEqual([...expected, ...DNS]);
  });

  test('are one for a PROCESS worker, whose flow runs are in its task', () => {
    const stack = newStack();
    const worker = addWorker(stack, { workerType: WorkerType.PROCESS });
    const own = Template.fromStack(stack);
    expect(Object.keys(own.findResources('AWS::EC2::SecurityGroup')).filter(id => /(Worker|FlowRun)SecurityGroup/.test(id))).toHaveLength(1);
    expect([stack.resolve(worker.flowRunSecurityGroup.securityGroupId)]).toEqual(groupsOfService(own));
  });

  test('say whose they are', () => {
    expect(resource(template, 'AWS::EC2::SecurityGroup', /FlowRunSecurityGroup/).Properties.GroupDescription).toMatch(/^Prefect flow runs of Stack\/Worker: no ingress/);
  });
});

describe('DNS', () => {
  const groups = (template: Template) => Object.keys(template.findResources('AWS::EC2::SecurityGroup')).filter(id => !/Endpoint/.test(id));

  test('is let out in a VPC that was not made here, whose DHCP options may name servers that groups filter', () => {
    const template = templateOf(stack => ({ vpc: importedVpc(stack) }));
    expect(groups(template)).toHaveLength(2);
    for (const id of groups(template)) expect(egress(template, new RegExp(id))).toEqual([HTTPS, ...DNS]);
  });

  test('needs no rule in a VPC of a worker\'s, where it is Amazon\'s own, nor for a second worker there', () => {
    const stack = newStack();
    const { vpc } = addWorker(stack, {}, 'One');
    addWorker(stack, { vpc, workPool: WorkPool.managed('two') }, 'Two');
    const template = Template.fromStack(stack);
    expect(groups(template)).toHaveLength(4);
    for (const id of groups(template)) expect(egress(template, new RegExp(id))).toEqual([HTTPS]);
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

/** The groups of each function of a template, by its logical id. */
const functions = (template: Template): [string, any][] => Object.entries<any>(template.findResources('AWS::Lambda::Function'))
  .map(([id, { Properties }]) => [id, Properties.VpcConfig]);
const asking = (template: Template) => functions(template).filter(([id]) => /WorkPoolFunction|RescueFunction|DemandFunction/.test(id));

describe('the functions that ask the Prefect API', () => {
  test('run outside any VPC where the API is on the internet, and have no group', () => {
    const stack = newStack();
    const worker = addWorker(stack);
    const template = Template.fromStack(stack);
    expect(functions(template).filter(([, vpc]) => vpc)).toEqual([]);
    expect(worker.functionSecurityGroup).toBeUndefined();
    expect(Object.keys(template.findResources('AWS::EC2::SecurityGroup')).filter(id => /Function/.test(id))).toEqual([]);
  });

  describe('where the API is in the private network', () => {
    const stack = newStack();
    const worker = addWorker(stack, { api: selfHosted(stack) });
    const template = Template.fromStack(stack);

    test('run in the workers\' subnets, in one group that the user can name', () => {
      const { Subnets } = resource(template, 'AWS::ECS::Service').Properties.NetworkConfiguration.AwsvpcConfiguration;
      expect(asking(template)).toHaveLength(3);
      for (const [, VpcConfig] of asking(template)) {
        expect(VpcConfig.SubnetIds).toEqual(Subnets);
        expect(VpcConfig.SecurityGroupIds).toEqual([stack.resolve(worker.functionSecurityGroup!.securityGroupId)]);
      }
    });

    test('are attached by Lambda with all permissions that this takes', () => {
      for (const role of [/WorkPoolRole/, /RescueRole/, /DemandRole/]) {
        expect(JSON.stringify(resource(template, 'AWS::IAM::Role', role).Properties.ManagedPolicyArns)).toContain('AWSLambdaENIManagementAccess');
        const policies = resources(template, 'AWS::IAM::Policy').filter(({ Properties }) => role.test(JSON.stringify(Properties.Roles)));
        expect(JSON.stringify(policies)).toContain('ec2:DescribeSubnets');
      }
    });

    test('leave the CDK\'s outside, which asks no Prefect API', () => {
      expect(functions(template).filter(([id, vpc]) => /Provider/.test(id) && vpc)).toEqual([]);
    });
  });

  test('have the user\'s groups where there are some', () => {
    const stack = newStack();
    const securityGroups = ['sg-11111111', 'sg-22222222'].map(id => ec2.SecurityGroup.fromSecurityGroupId(stack, id, id));
    const worker = addWorker(stack, { api: selfHosted(stack), vpc: importedVpc(stack), securityGroups });
    const template = Template.fromStack(stack);
    expect(asking(template)).toHaveLength(3);
    for (const [, vpc] of asking(template)) expect(vpc.SecurityGroupIds).toEqual(['sg-11111111', 'sg-22222222']);
    expect(worker.functionSecurityGroup).toBe(securityGroups[0]);
    template.resourceCountIs('AWS::EC2::SecurityGroup', 0);
  });
});

describe('functionsInVpc', () => {
  test.each<[string, (stack: Stack) => Parameters<typeof templateOf>[0]]>([
    ['of a VPC that is made here', () => ({ network: { functionsInVpc: true } })],
    ['of a given VPC', stack => ({ vpc: connectedVpc(stack), network: { functionsInVpc: true } })],
    ['of a given VPC with a server inside', stack => ({ vpc: connectedVpc(stack), api: selfHosted(stack), network: { functionsInVpc: true } })],
  ])('leaves no function outside: %s', (_, props) => {
    const stack = newStack();
    const worker = addWorker(stack, props(stack));
    const template = Template.fromStack(stack);
    expect(functions(template).length).toBeGreaterThanOrEqual(4);
    const group = stack.resolve(worker.functionSecurityGroup!.securityGroupId);
    for (const [id, vpc] of functions(template)) expect([id, vpc?.SecurityGroupIds]).toEqual([id, [group]]);
  });

  test('has the pool made once the way from there is, as its answer goes that way', () => {
    const template = templateOf({ network: { functionsInVpc: true } });
    const endpoints = Object.keys(template.findResources('AWS::EC2::VPCEndpoint'));
    expect(resource(template, 'Custom::PrefectWorkPool').DependsOn).toEqual(expect.arrayContaining(endpoints));
  });

  test('watches the default security group no longer, which keeps its rules', () => {
    const rules = (functionsInVpc: boolean) => JSON.stringify(resources(
      templateOf({ network: { functionsInVpc }, compliance: { configRules: true } }), 'AWS::Config::ConfigRule'));
    expect(rules(false)).toContain('VPC_DEFAULT_SECURITY_GROUP_CLOSED');
    expect(rules(true)).not.toContain('VPC_DEFAULT_SECURITY_GROUP_CLOSED');
  });

  test('is refused with copyImages, whose function is outside', () => {
    expect(() => templateOf({ copyImages: true, network: { functionsInVpc: true } })).toThrow(/^Stack\/Worker: copyImages is true: the function that copies runs outside the VPC/);
  });

  test('is refused in public subnets, where a function has no way out', () => {
    const stack = newStack();
    const vpcSubnets = { subnetType: ec2.SubnetType.PUBLIC };
    expect(() => addWorker(stack, { vpc: connectedVpc(stack), vpcSubnets, network: { functionsInVpc: true } })).toThrow(
      /^Stack\/Worker: network\.functionsInVpc is true: functions get no public address.*give private subnets, or leave functionsInVpc out\.$/);
  });
});

describe('apiClients', () => {
  test('are all groups that ask the server: of workers, of flow runs and of functions', () => {
    const stack = newStack();
    const vpc = connectedVpc(stack);
    const worker = addWorker(stack, { api: selfHosted(stack), vpc });
    const balancer = new elb.ApplicationLoadBalancer(stack, 'Server', { vpc });
    balancer.connections.allowFrom(worker.apiClients, ec2.Port.tcp(4200));
    const template = Template.fromStack(stack);
    const sources = resources(template, 'AWS::EC2::SecurityGroupIngress')
      .filter(({ Properties }) => Properties.FromPort === 4200).map(({ Properties }) => text(Properties.SourceSecurityGroupId));
    expect(sources.sort()).toEqual([/FunctionSecurityGroup/, /FlowRunSecurityGroup/, /WorkerSecurityGroup/].map(group => expect.stringMatching(group)));
  });

  test('are the one group of a PROCESS worker', () => {
    const worker = addWorker(newStack(), { workerType: WorkerType.PROCESS });
    expect(worker.apiClients.securityGroups).toEqual([worker.flowRunSecurityGroup]);
  });

  test('are let through to a server of another stack, which is no circle', () => {
    const app = new App({ analyticsReporting: false, treeMetadata: false });
    const [network, workers] = [new Stack(app, 'Network'), new Stack(app, 'Workers')];
    const vpc = connectedVpc(network);
    const balancer = new elb.ApplicationLoadBalancer(network, 'Server', { vpc });
    const worker = addWorker(workers, { api: selfHosted(workers), vpc });
    worker.apiClients.allowTo(balancer, ec2.Port.tcp(4200));
    expect(() => app.synth()).not.toThrow();
    expect(resources(Template.fromStack(workers), 'AWS::EC2::SecurityGroupIngress').filter(({ Properties }) => Properties.FromPort === 4200)).toHaveLength(3);
  });
});
