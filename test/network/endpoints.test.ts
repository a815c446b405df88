import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { PrefectFargateWorkerProps, WorkerType, WorkPool } from '../../src';
import { addWorker, importedVpc, newStack, resource, resources, templateOf, text } from '../support/worker';

const FOR_EVERY_WORKER = ['ecr.api', 'ecr.dkr', 'logs', 's3', 'secretsmanager'];
const FOR_ECS_WORKERS = [...FOR_EVERY_WORKER, 'ecs', 'sqs'].sort();

/** Services that a template has endpoints for. */
const endpoints = (template: Template) => resources(template, 'AWS::EC2::VPCEndpoint')
  .map(({ Properties }) => text(Properties.ServiceName).replace('com.amazonaws.{AWS::Region}.', '')).sort();

describe('endpoints of a new VPC', () => {
  const template = templateOf();

  test('are those that an ECS worker and its flow runs use', () => {
    expect(endpoints(template)).toEqual(FOR_ECS_WORKERS);
  });

  test('are those that a PROCESS worker uses', () => {
    expect(endpoints(templateOf({ workerType: WorkerType.PROCESS }))).toEqual(FOR_EVERY_WORKER);
  });

  test('are none with vpcEndpoints: false', () => {
    expect(endpoints(templateOf({ network: { vpcEndpoints: false } }))).toEqual([]);
  });

  test('answer to the services\' own names in the private subnets', () => {
    for (const { Properties } of resources(template, 'AWS::EC2::VPCEndpoint').filter(one => one.Properties.VpcEndpointType === 'Interface')) {
      expect(Properties.PrivateDnsEnabled).toBe(true);
      expect(text(Properties.SubnetIds)).toEqual([expect.stringMatching(/PrivateSubnet1/), expect.stringMatching(/PrivateSubnet2/)]);
    }
  });

  test('carry S3 as a gateway on the routes of the private subnets', () => {
    const { Properties } = resource(template, 'AWS::EC2::VPCEndpoint', /S3/);
    expect(Properties.VpcEndpointType).toBe('Gateway');
    expect(text(Properties.RouteTableIds)).toEqual(expect.arrayContaining([expect.stringMatching(/PrivateSubnet1/), expect.stringMatching(/PrivateSubnet2/)]));
  });

  test('have a security group each, which takes HTTPS from the VPC and lets nothing out', () => {
    const groups = resources(template, 'AWS::EC2::VPCEndpoint').filter(one => one.Properties.SecurityGroupIds).map(one => text(one.Properties.SecurityGroupIds));
    expect(new Set(groups.flat()).size).toBe(6);
    const vpc = resource(template, 'AWS::EC2::VPC').logicalId;
    for (const [id, { Properties }] of Object.entries(template.findResources('AWS::EC2::SecurityGroup')).filter(([name]) => /EndpointSecurityGroup/.test(name))) {
      expect({ id, ingress: Properties.SecurityGroupIngress }).toEqual({
        id, ingress: [expect.objectContaining({ CidrIp: { 'Fn::GetAtt': [vpc, 'CidrBlock'] }, IpProtocol: 'tcp', FromPort: 443, ToPort: 443 })],
      });
      expect(Properties.SecurityGroupEgress).toEqual([expect.objectContaining({ CidrIp: '255.255.255.255/32' })]);
    }
  });

  test.each([
    ['EcrApi', 'ecr:*'], ['EcrDocker', 'ecr:*'], ['Logs', 'logs:*'], ['SecretsManager', 'secretsmanager:*'], ['Ecs', 'ecs:*'], ['Sqs', 'sqs:*'], ['S3', 's3:*'],
  ])('let only identities of this account through: %s', (id, actions) => {
    const [statement] = resource(template, 'AWS::EC2::VPCEndpoint', new RegExp(`Network${id}Endpoint`)).Properties.PolicyDocument.Statement;
    expect(statement).toMatchObject({ Effect: 'Allow', Action: actions, Condition: { StringEquals: { 'aws:PrincipalAccount': { Ref: 'AWS::AccountId' } } } });
  });

  test('let everyone read from S3, as by presigned links to image layers and from public data sets, and nobody else write to it', () => {
    const { Statement } = resource(template, 'AWS::EC2::VPCEndpoint', /S3/).Properties.PolicyDocument;
    expect(Statement).toHaveLength(2);
    expect(Statement[1]).toMatchObject({ Effect: 'Allow', Action: ['s3:GetObject', 's3:GetObjectVersion', 's3:ListBucket'], Principal: '*', Resource: '*' });
  });
});

describe('endpoints of a given VPC', () => {
  const withRouteTables = (stack: Stack) =>
    importedVpc(stack, { privateSubnetIds: ['subnet-private1', 'subnet-private2'], privateSubnetRouteTableIds: ['rtb-1', 'rtb-2'] });

  test('are none, because it may have them', () => {
    expect(endpoints(templateOf(stack => ({ vpc: importedVpc(stack) })))).toEqual([]);
  });

  test('are made with vpcEndpoints: true', () => {
    expect(endpoints(templateOf(stack => ({ vpc: withRouteTables(stack), network: { vpcEndpoints: true } })))).toEqual(FOR_ECS_WORKERS);
  });

  test('are made once where two workers ask for them', () => {
    const stack = newStack();
    const vpc = withRouteTables(stack);
    addWorker(stack, { vpc, network: { vpcEndpoints: true } }, 'One');
    addWorker(stack, { vpc, network: { vpcEndpoints: true }, workPool: WorkPool.managed('second') }, 'Two');
    expect(endpoints(Template.fromStack(stack))).toEqual(FOR_ECS_WORKERS);
  });

  test('are made once where two workers import the VPC, and ask for different ones', () => {
    const stack = newStack();
    const subnets = { privateSubnetIds: ['subnet-private1', 'subnet-private2'], privateSubnetRouteTableIds: ['rtb-1', 'rtb-2'] };
    const vpcEndpoints = true;
    addWorker(stack, { vpc: importedVpc(stack, subnets, 'Vpc1'), network: { vpcEndpoints }, workerType: WorkerType.PROCESS }, 'One');
    addWorker(stack, { vpc: importedVpc(stack, subnets, 'Vpc2'), network: { vpcEndpoints }, workPool: WorkPool.managed('second') }, 'Two');
    const template = Template.fromStack(stack);
    expect(endpoints(template)).toEqual(FOR_ECS_WORKERS);
    const service = resource(template, 'AWS::ECS::Service', /^Two/);
    expect(service.DependsOn).toEqual(expect.arrayContaining(Object.keys(template.findResources('AWS::EC2::VPCEndpoint'))));
  });

  test('are made in each of two VPCs', () => {
    const stack = newStack();
    addWorker(stack, { vpc: withRouteTables(stack), network: { vpcEndpoints: true } }, 'One');
    const other = importedVpc(stack, { vpcId: 'vpc-other', privateSubnetIds: ['subnet-3', 'subnet-4'], privateSubnetRouteTableIds: ['rtb-3', 'rtb-4'] }, 'Other');
    addWorker(stack, { vpc: other, network: { vpcEndpoints: true }, workPool: WorkPool.managed('second') }, 'Two');
    expect(endpoints(Template.fromStack(stack))).toEqual([...FOR_ECS_WORKERS, ...FOR_ECS_WORKERS].sort());
  });

  test('are refused with a way out where the VPC was imported without its route tables', () => {
    const stack = newStack();
    expect(() => addWorker(stack, { vpc: importedVpc(stack), network: { vpcEndpoints: true } })).toThrow(/^network\.vpcEndpoints is true: .*privateSubnetRouteTableIds/);
  });
});

describe('a second worker in the VPC of a first', () => {
  const share = (first: Partial<PrefectFargateWorkerProps>, second: Partial<PrefectFargateWorkerProps>) => {
    const stack = newStack();
    const { vpc } = addWorker(stack, { workPool: WorkPool.managed('one'), ...first }, 'One');
    addWorker(stack, { workPool: WorkPool.managed('two'), vpc, ...second }, 'Two');
    return Template.fromStack(stack);
  };

  test('makes neither a VPC nor endpoints of its own', () => {
    const template = share({}, {});
    template.resourceCountIs('AWS::EC2::VPC', 1);
    template.resourceCountIs('AWS::EC2::FlowLog', 1);
    expect(endpoints(template)).toEqual(FOR_ECS_WORKERS);
  });

  test('of the type ECS adds what the VPC of a PROCESS worker lacks', () => {
    const template = share({ workerType: WorkerType.PROCESS }, { workerType: WorkerType.ECS });
    expect(endpoints(template)).toEqual(FOR_ECS_WORKERS);
    expect(resource(template, 'AWS::EC2::VPCEndpoint', /Sqs/).logicalId).toMatch(/^OneNetwork/);
  });

  test('adds none where the first was told to have none', () => {
    expect(endpoints(share({ network: { vpcEndpoints: false } }, {}))).toEqual([]);
  });

  test('adds none where it is told to', () => {
    expect(endpoints(share({ workerType: WorkerType.PROCESS }, { network: { vpcEndpoints: false } }))).toEqual(FOR_EVERY_WORKER);
  });
});
