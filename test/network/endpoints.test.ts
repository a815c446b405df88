import { aws_ec2 as ec2, aws_ecs as ecs, aws_ssm as ssm, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { PrefectFargateWorkerProps, Tracing, WorkerType, WorkPool } from '../../src';
import { addWorker, importedVpc, newStack, resource, resources, selfHosted, templateOf, text } from '../support/worker';

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

  test('are also what secrets in SSM parameters and traces in X-Ray need', () => {
    const parameter = (stack: Stack) => ssm.StringParameter.fromSecureStringParameterAttributes(stack, 'Parameter', { parameterName: '/token' });
    expect(endpoints(templateOf(stack => ({ secrets: { TOKEN: ecs.Secret.fromSsmParameter(parameter(stack)) } })))).toEqual([...FOR_ECS_WORKERS, 'ssm'].sort());
    expect(endpoints(templateOf({ observability: { tracing: Tracing.xray() } }))).toEqual([...FOR_ECS_WORKERS, 'xray'].sort());
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
    expect(statement).toMatchObject({ Effect: 'Allow', Action: actions, Resource: '*', Condition: { StringEquals: { 'aws:PrincipalAccount': { Ref: 'AWS::AccountId' } } } });
  });

  test('let everyone read from S3, as by presigned links to image layers and from public data sets, and nobody else write to it', () => {
    const { Statement } = resource(template, 'AWS::EC2::VPCEndpoint', /S3/).Properties.PolicyDocument;
    expect(Statement).toHaveLength(2);
    expect(Statement[1]).toMatchObject({ Effect: 'Allow', Action: ['s3:GetObject', 's3:GetObjectVersion', 's3:ListBucket'], Principal: '*', Resource: '*' });
  });
});

describe('endpoints of a given VPC', () => {
  test('are made where only its isolated subnets have route tables', () => {
    const stack = newStack();
    const vpc = importedVpc(stack, { isolatedSubnetIds: ['subnet-1', 'subnet-2'], isolatedSubnetRouteTableIds: ['rtb-1', 'rtb-2'] });
    addWorker(stack, { api: selfHosted(stack), vpc, network: { vpcEndpoints: true }, workPool: WorkPool.existing('etl') });
    expect(resource(Template.fromStack(stack), 'AWS::EC2::VPCEndpoint', /S3/).Properties.RouteTableIds).toEqual(['rtb-1', 'rtb-2']);
  });

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
    expect(() => addWorker(stack, { vpc: importedVpc(stack), network: { vpcEndpoints: true } })).toThrow(/^Stack\/Worker: network\.vpcEndpoints is true: .*privateSubnetRouteTableIds/);
  });
});

describe('the ranges that endpoints admit', () => {
  const admitted = (vpc: (stack: Stack) => Partial<PrefectFargateWorkerProps>) => {
    const template = templateOf(stack => ({ network: { vpcEndpoints: true }, ...vpc(stack) }));
    const groups = Object.entries(template.findResources('AWS::EC2::SecurityGroup')).filter(([id]) => /EndpointSecurityGroup/.test(id));
    const [ranges, ...others] = groups.map(([, { Properties }]) => Properties.SecurityGroupIngress.map(({ CidrIp }: any) => text(CidrIp)));
    for (const other of others) expect(other).toEqual(ranges);
    return ranges;
  };
  const routeTables = { privateSubnetIds: ['subnet-1', 'subnet-2'], privateSubnetRouteTableIds: ['rtb-1', 'rtb-2'] };
  const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10'];

  test('are one where all known subnets are in it', () => {
    expect(admitted(stack => ({ vpc: importedVpc(stack, { ...routeTables, privateSubnetIpv4CidrBlocks: ['10.20.1.0/24', '10.20.2.0/24'] }) })))
      .toEqual(['10.20.0.0/16']);
  });

  test('are secondary ones too, where the subnets say so', () => {
    expect(admitted(stack => ({ vpc: importedVpc(stack, { ...routeTables, privateSubnetIpv4CidrBlocks: ['100.64.0.0/18', '100.64.64.0/18'] }) })))
      .toEqual(['10.20.0.0/16', '100.64.0.0/18', '100.64.64.0/18']);
  });

  test('are secondary ones too, where the VPC is of this app', () => {
    expect(admitted(stack => {
      const vpc = new ec2.Vpc(stack, 'Theirs', { ipAddresses: ec2.IpAddresses.cidr('10.20.0.0/16') });
      const { vpcId } = vpc;
      const block = new ec2.CfnVPCCidrBlock(stack, 'Secondary', { vpcId, cidrBlock: '100.64.0.0/16' });
      const subnet = new ec2.PrivateSubnet(stack, 'Subnet', { vpcId, cidrBlock: '100.64.0.0/18', availabilityZone: 'us-east-1a' });
      subnet.node.addDependency(block);
      return { vpc, vpcSubnets: { subnets: [subnet] } };
    })).toEqual(['10.20.0.0/16', '100.64.0.0/16']);
  });

  test('are all private ones where an import does not say in which its subnets are', () => {
    expect(admitted(stack => ({ vpc: importedVpc(stack, routeTables) }))).toEqual(PRIVATE);
    expect(admitted(stack => ({ vpc: importedVpc(stack, { ...routeTables, vpcCidrBlock: undefined }) }))).toEqual(PRIVATE);
  });

  test('are those of a second worker too, which chooses other subnets of the VPC', () => {
    const stack = newStack();
    const vpc = importedVpc(stack, { ...routeTables, privateSubnetIpv4CidrBlocks: ['10.20.1.0/24', '10.20.2.0/24'] });
    const other = ec2.Subnet.fromSubnetAttributes(stack, 'Other', { subnetId: 'subnet-3', availabilityZone: 'us-east-1a', ipv4CidrBlock: '100.64.0.0/18' });
    addWorker(stack, { vpc, network: { vpcEndpoints: true } }, 'One');
    addWorker(stack, { vpc, vpcSubnets: { subnets: [other] }, network: { vpcEndpoints: true }, workPool: WorkPool.managed('two') }, 'Two');
    const group = resource(Template.fromStack(stack), 'AWS::EC2::SecurityGroup', /LogsEndpointSecurityGroup/);
    expect(group.Properties.SecurityGroupIngress.map(({ CidrIp }: any) => CidrIp)).toEqual(['10.20.0.0/16', '100.64.0.0/18']);
  });
});

describe('endpoints for functions in the VPC', () => {
  const ALL = [...FOR_ECS_WORKERS, 'lambda', 'monitoring'].sort();

  test('are those that the CDK\'s functions need to call ours, too', () => {
    expect(endpoints(templateOf({ network: { functionsInVpc: true } }))).toEqual(ALL);
  });

  test('are those that a PROCESS worker\'s functions call, which ask Amazon ECS for the number of workers', () => {
    expect(endpoints(templateOf({ workerType: WorkerType.PROCESS, network: { functionsInVpc: true } }))).toEqual([...ALL.filter(service => service !== 'sqs'), 'application-autoscaling'].sort());
  });

  test('are those of Application Auto Scaling only where it knows how many workers there may be', () => {
    const of = (scaling: object) => endpoints(templateOf({ network: { functionsInVpc: true }, scaling }));
    expect(of({ minWorkers: 0 })).toEqual([...ALL, 'application-autoscaling'].sort());
    expect(of({ standby: {} })).toEqual([...ALL, 'application-autoscaling'].sort());
    expect(of({ minWorkers: 1, maxWorkers: 4 })).toEqual(ALL);
  });

  test('let the answers of custom resources through to CloudFormation\'s own bucket, and to no other', () => {
    const { Statement } = resource(templateOf({ network: { functionsInVpc: true } }), 'AWS::EC2::VPCEndpoint', /S3/).Properties.PolicyDocument;
    expect(Statement).toHaveLength(3);
    expect(Statement[2]).toMatchObject({ Effect: 'Allow', Action: 's3:PutObject', Principal: '*' });
    expect(Statement[2].Resource).toEqual({
      'Fn::Join': ['', [
        'arn:', { Ref: 'AWS::Partition' }, ':s3:::cloudformation-custom-resource-response-',
        { 'Fn::Join': ['', { 'Fn::Split': ['-', { Ref: 'AWS::Region' }] }] }, '/*',
      ]],
    });
  });

  test('are added by a second worker, and no statement is there twice', () => {
    const stack = newStack();
    const { vpc } = addWorker(stack, {}, 'One');
    addWorker(stack, { vpc, network: { functionsInVpc: true }, workPool: WorkPool.managed('two') }, 'Two');
    const template = Template.fromStack(stack);
    expect(endpoints(template)).toEqual(ALL);
    const sids = resource(template, 'AWS::EC2::VPCEndpoint', /S3/).Properties.PolicyDocument.Statement.map(({ Sid }: any) => Sid);
    expect(sids).toEqual(['OwnIdentities', 'ReadAnywhere', 'AnswerCloudFormation']);
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
