import { aws_ec2 as ec2, aws_ecr as ecr, aws_ecs as ecs, aws_logs as logs, Fn, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { NetworkOptions, PrefectApi, PrefectFargateWorker, PrefectFargateWorkerProps, WorkerType, WorkPool } from '../../src';
import { addWorker, connectedVpc, importedVpc, newStack, resource, resources, selfHosted, templateOf, text, warnings } from '../support/worker';

const NO_INTERNET_ROUTE = 'cdk-prefect-fargate-worker:noInternetRoute';
const withNetwork = (network: NetworkOptions) => templateOf({ network });
const subnetsOfService = (template: Template) => resource(template, 'AWS::ECS::Service').Properties.NetworkConfiguration.AwsvpcConfiguration;

describe('the VPC that is made for a worker', () => {
  const template = templateOf();

  test('has a public and a private subnet in each of two zones', () => {
    template.resourceCountIs('AWS::EC2::Subnet', 4);
    const zones = resources(template, 'AWS::EC2::Subnet').map(({ Properties }) => Properties.AvailabilityZone['Fn::Select'][0]);
    expect(zones).toEqual([0, 1, 0, 1]);
  });

  test('has a NAT gateway in each zone, for the private subnet there', () => {
    template.resourceCountIs('AWS::EC2::NatGateway', 2);
    const gateways = resources(template, 'AWS::EC2::Route').map(({ Properties }) => Properties.NatGatewayId?.Ref).filter(Boolean);
    expect(new Set(gateways).size).toBe(2);
  });

  test('gives tasks no public addresses', () => {
    for (const { Properties } of resources(template, 'AWS::EC2::Subnet')) expect(Properties.MapPublicIpOnLaunch).toBe(false);
    expect(subnetsOfService(template).AssignPublicIp).toBe('DISABLED');
  });

  test('runs the service in its private subnets', () => {
    expect(text(subnetsOfService(template).Subnets)).toEqual([expect.stringMatching(/PrivateSubnet1/), expect.stringMatching(/PrivateSubnet2/)]);
  });

  test('takes every rule from its default security group', () => {
    template.resourceCountIs('Custom::VpcRestrictDefaultSG', 1);
  });

  test('logs all connections to an encrypted log group for 30 days, by a role of this account only', () => {
    template.hasResourceProperties('AWS::EC2::FlowLog', { TrafficType: 'ALL', ResourceType: 'VPC', LogDestinationType: 'cloud-watch-logs' });
    const { Properties } = resource(template, 'AWS::Logs::LogGroup', /FlowLogs/);
    expect(Properties).toMatchObject({ RetentionInDays: 30, KmsKeyId: { 'Fn::GetAtt': [resource(template, 'AWS::KMS::Key').logicalId, 'Arn'] } });
    expect(resource(template, 'AWS::IAM::Role', /FlowLogRole/).Properties.AssumeRolePolicyDocument.Statement[0]).toMatchObject({
      Principal: { Service: 'vpc-flow-logs.amazonaws.com' },
      Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
    });
  });

  test('keeps its flow logs as long as the other logs', () => {
    const longer = templateOf({ observability: { logRetention: logs.RetentionDays.ONE_YEAR } });
    expect(resource(longer, 'AWS::Logs::LogGroup', /FlowLogs/).Properties.RetentionInDays).toBe(365);
  });
});

describe('network options', () => {
  test('natGateways: 1 makes one NAT gateway for both zones', () => {
    const template = withNetwork({ natGateways: 1 });
    template.resourceCountIs('AWS::EC2::NatGateway', 1);
    template.resourceCountIs('AWS::EC2::Subnet', 4);
  });

  describe('natGateways: 0', () => {
    const stack = newStack();
    addWorker(stack, { network: { natGateways: 0 } });
    const template = Template.fromStack(stack);

    test('makes private subnets and no way to the internet', () => {
      template.resourceCountIs('AWS::EC2::NatGateway', 0);
      template.resourceCountIs('AWS::EC2::InternetGateway', 0);
      template.resourceCountIs('AWS::EC2::Subnet', 2);
      template.resourceCountIs('AWS::EC2::Route', 0);
    });

    test('warns that the API is out of reach', () => {
      expect(warnings(stack, NO_INTERNET_ROUTE)).toEqual([expect.stringMatching(/PrivateSubnet1, PrivateSubnet2 have no route .* https:\/\/api\.prefect\.cloud.*network\.natGateways or vpcSubnets.*privateNetwork/)]);
    });

    test('warns of the default images where they are not copied from their public registry', () => {
      expect(warnings(stack, 'cdk-prefect-fargate-worker:publicImage')).toEqual([]);
      const uncopied = newStack();
      addWorker(uncopied, { network: { natGateways: 0 }, copyImages: false });
      expect(warnings(uncopied, 'cdk-prefect-fargate-worker:publicImage')).toEqual([
        expect.stringMatching(/can't pull the default image from its public registry\. Set copyImages to true, or copy it to Amazon ECR yourself and give it with image\./),
        expect.stringMatching(/give it with flowRunDefaults\.image\./),
      ]);
    });

    test('warns of no image that is given', () => {
      const own = newStack();
      const image = ecs.ContainerImage.fromEcrRepository(new ecr.Repository(own, 'Images'));
      addWorker(own, { image, workPool: WorkPool.managed('etl', { flowRunDefaults: { image } }), network: { natGateways: 0 } });
      expect(warnings(own, 'cdk-prefect-fargate-worker:publicImage')).toEqual([]);
    });

    test('starts the service only when the endpoints are there, through which it gets image, secrets and logs', () => {
      const endpoints = Object.keys(template.findResources('AWS::EC2::VPCEndpoint'));
      expect(resource(template, 'AWS::ECS::Service').DependsOn).toEqual(expect.arrayContaining(endpoints));
    });
  });

  test('natGateways: 0 gives no warning for an API in the private network', () => {
    const stack = newStack();
    addWorker(stack, { api: selfHosted(stack), workPool: WorkPool.existing('etl'), network: { natGateways: 0 } });
    expect(warnings(stack, NO_INTERNET_ROUTE)).toEqual([]);
  });

  test('public subnets give a warning where functions run in them, which get no way out there', () => {
    const warned = (vpcEndpoints: boolean, privateNetwork: boolean) => {
      const stack = newStack();
      const vpc = new ec2.Vpc(stack, 'Theirs');
      const vpcSubnets = { subnetType: ec2.SubnetType.PUBLIC };
      addWorker(stack, { api: selfHosted(stack, { privateNetwork }), vpc, vpcSubnets, network: { vpcEndpoints } });
      return warnings(stack, 'cdk-prefect-fargate-worker:functionsInPublicSubnets');
    };
    expect(warned(false, true)).toEqual([expect.stringMatching(/Give private subnets, or set network\.vpcEndpoints/)]);
    expect(warned(true, true)).toEqual([]);
    expect(warned(false, false)).toEqual([]);
  });

  test('maxAzs: 3 spans three zones where the region has them', () => {
    const template = templateOf({ network: { maxAzs: 3 } }, { region: 'eu-central-1', account: '123456789012' });
    template.resourceCountIs('AWS::EC2::Subnet', 6);
    template.resourceCountIs('AWS::EC2::NatGateway', 3);
  });

  test('cidr is the range of the VPC', () => {
    withNetwork({ cidr: '10.77.0.0/16' }).hasResourceProperties('AWS::EC2::VPC', { CidrBlock: '10.77.0.0/16' });
  });

  test.each([
    ['10.77.0.0/20', ['10.77.0.0/24', '10.77.1.0/24', '10.77.4.0/22', '10.77.8.0/22']],
    ['10.77.0.0/24', ['10.77.0.0/28', '10.77.0.16/28', '10.77.0.64/26', '10.77.0.128/26']],
    ['10.77.0.0/26', ['10.77.0.0/28', '10.77.0.16/28', '10.77.0.32/28', '10.77.0.48/28']],
  ])('cidr %s is shared out between public and private subnets', (cidr, subnets) => {
    const found = resources(withNetwork({ cidr }), 'AWS::EC2::Subnet').map(({ Properties }) => Properties.CidrBlock);
    expect(found.sort()).toEqual(subnets.sort());
  });

  test.each([
    [{ cidr: '10.77.0.0/27' }, 'network.cidr is "10.77.0.0/27": give an IPv4 range such as 10.20.0.0/16, from /16 to /26, which holds a public and a private subnet in each of 2 zones.'],
    [{ cidr: '10.77.0.0/26', maxAzs: 3 }, 'network.cidr is "10.77.0.0/26": give an IPv4 range such as 10.20.0.0/16, from /16 to /25,'],
    [{ cidr: '10.0.0.0/8' }, 'network.cidr is "10.0.0.0/8":'],
    [{ cidr: '10.77.0.0' }, 'network.cidr is "10.77.0.0":'],
  ])('%j is refused', (network, message) => {
    expect(() => withNetwork(network)).toThrow(message);
  });

  test('flowLogs: false makes no flow log, and no group and role for it', () => {
    const template = withNetwork({ flowLogs: false });
    template.resourceCountIs('AWS::EC2::FlowLog', 0);
    expect(Object.keys(template.toJSON().Resources).filter(id => /FlowLog/.test(id))).toEqual([]);
  });
});

describe('a VPC that is given', () => {
  const stack = newStack();
  const vpc = importedVpc(stack, { privateSubnetIds: ['subnet-private1', 'subnet-private2'], publicSubnetIds: ['subnet-public1', 'subnet-public2'] });
  const worker = addWorker(stack, { vpc });
  const template = Template.fromStack(stack);

  test.each(['AWS::EC2::VPC', 'AWS::EC2::Subnet', 'AWS::EC2::NatGateway', 'AWS::EC2::VPCEndpoint', 'AWS::EC2::FlowLog', 'AWS::EC2::Route'])('gets no %s', type => {
    template.resourceCountIs(type, 0);
  });

  test('is what the worker shows, and its private subnets are used', () => {
    expect(worker.vpc).toBe(vpc);
    expect(subnetsOfService(template)).toMatchObject({ Subnets: ['subnet-private1', 'subnet-private2'], AssignPublicIp: 'DISABLED' });
    expect(warnings(stack, NO_INTERNET_ROUTE)).toEqual([]);
  });

  test('may have its subnets from the exports of another stack', () => {
    const exported = templateOf(scope => ({ vpc: importedVpc(scope, { vpcId: Fn.importValue('vpc'), privateSubnetIds: Fn.importListValue('subnets', 2) }) }));
    expect(subnetsOfService(exported).Subnets).toHaveLength(2);
  });

  test('with public subnets chosen gives tasks a public address, and warns of nothing', () => {
    const open = newStack();
    addWorker(open, { vpc: importedVpc(open, { publicSubnetIds: ['subnet-1', 'subnet-2'] }), vpcSubnets: { subnetType: ec2.SubnetType.PUBLIC } });
    expect(subnetsOfService(Template.fromStack(open))).toMatchObject({ Subnets: ['subnet-1', 'subnet-2'], AssignPublicIp: 'ENABLED' });
    expect(warnings(open, NO_INTERNET_ROUTE)).toEqual([]);
  });

  test('with private subnets chosen gives tasks no public address', () => {
    const closed = newStack();
    const both = importedVpc(closed, { privateSubnetIds: ['subnet-1', 'subnet-2'], publicSubnetIds: ['subnet-3', 'subnet-4'] });
    addWorker(closed, { vpc: both, vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS } });
    expect(subnetsOfService(Template.fromStack(closed))).toMatchObject({ Subnets: ['subnet-1', 'subnet-2'], AssignPublicIp: 'DISABLED' });
  });

  test('with isolated subnets only is used, with a warning', () => {
    const closed = newStack();
    addWorker(closed, { vpc: importedVpc(closed, { isolatedSubnetIds: ['subnet-1', 'subnet-2'] }) });
    expect(subnetsOfService(Template.fromStack(closed)).Subnets).toEqual(['subnet-1', 'subnet-2']);
    expect(warnings(closed, NO_INTERNET_ROUTE)).toHaveLength(1);
  });

  test('with isolated subnets warns of nothing where the API is in the private network', () => {
    const closed = newStack();
    const api = PrefectApi.selfHosted({ url: 'http://prefect.internal:4200/api', privateNetwork: true });
    addWorker(closed, { api, vpc: importedVpc(closed, { isolatedSubnetIds: ['subnet-1', 'subnet-2'] }) });
    expect(warnings(closed, NO_INTERNET_ROUTE)).toEqual([]);
  });
});

describe('a server inside the network', () => {
  const REFUSAL = /^Stack\/Worker: vpc is missing: with privateNetwork or proxyUrl the deployment reaches the Prefect API inside your network, .*give the VPC that reaches it with vpc \(or cluster\), .*WorkPool\.existing\(\)\.$/;
  const worker = (stack: Stack, props: Partial<PrefectFargateWorkerProps> = {}) =>
    new PrefectFargateWorker(stack, 'Worker', { api: selfHosted(stack), workPool: WorkPool.managed('etl'), ...props });

  test.each<[string, Partial<PrefectFargateWorkerProps>]>([
    ['a VPC that is made here', {}],
    ['one without NAT gateways', { network: { natGateways: 0 } }],
    ['a PROCESS worker', { workerType: WorkerType.PROCESS }],
  ])('is out of reach when the pool is to be made, which is refused: %s', (_, props) => {
    expect(() => worker(newStack(), props)).toThrow(REFUSAL);
  });

  test('is reached from a given VPC, or that of a cluster, or later where the pool exists', () => {
    const stack = newStack();
    const vpc = connectedVpc(stack);
    expect(() => worker(stack, { vpc })).not.toThrow();
    const other = newStack();
    expect(() => worker(other, { cluster: new ecs.Cluster(other, 'Cluster', { vpc: connectedVpc(other) }) })).not.toThrow();
    expect(() => worker(newStack(), { workPool: WorkPool.existing('etl') })).not.toThrow();
  });

  describe('that peering leads to', () => {
    const stack = newStack();
    const vpc = connectedVpc(stack);
    const peering = new ec2.CfnVPCPeeringConnection(stack, 'Peering', { vpcId: vpc.vpcId, peerVpcId: 'vpc-server' });
    const routes = vpc.privateSubnets.map((subnet, index) => new ec2.CfnRoute(stack, `ToServer${index}`, {
      routeTableId: subnet.routeTable.routeTableId, destinationCidrBlock: '10.1.0.0/16', vpcPeeringConnectionId: peering.attrId,
    }));
    const connected = worker(stack, { vpc });
    connected.node.addDependency(...routes);
    const template = Template.fromStack(stack);

    test.each(['Custom::PrefectWorkPool', 'AWS::ECS::Service'])('is asked by the %s only once the user\'s routes are there', type => {
      expect(resource(template, type).DependsOn).toEqual(expect.arrayContaining(['ToServer0', 'ToServer1']));
    });
  });

  test('is asked only once the routes are there that subnets count as their way out', () => {
    const stack = newStack();
    const vpc = connectedVpc(stack);
    worker(stack, { vpc });
    for (const subnet of vpc.privateSubnets) {
      (subnet as ec2.PrivateSubnet).addRoute('ToServer', {
        routerType: ec2.RouterType.VPC_PEERING_CONNECTION, routerId: 'pcx-1', destinationCidrBlock: '10.1.0.0/16', enablesInternetConnectivity: true,
      });
    }
    const template = Template.fromStack(stack);
    const routes = Object.keys(template.findResources('AWS::EC2::Route')).filter(id => /ToServer/.test(id));
    expect(routes).toHaveLength(2);
    for (const type of ['Custom::PrefectWorkPool', 'AWS::ECS::Service']) expect(resource(template, type).DependsOn).toEqual(expect.arrayContaining(routes));
  });
});

describe('a network that can not be', () => {
  test.each<[string, NetworkOptions, string]>([
    ['no zone', { maxAzs: 0 }, 'network.maxAzs is 0: give a whole number of at least 1.'],
    ['half a zone', { maxAzs: 1.5 }, 'network.maxAzs is 1.5: give a whole number of at least 1.'],
    ['fewer than no NAT gateways', { natGateways: -1 }, 'network.natGateways is -1: give a whole number of at least 0.'],
  ])('of %s is refused', (_, network, message) => {
    expect(() => addWorker(newStack(), { network })).toThrow(message);
  });

  test.each<[keyof NetworkOptions, NetworkOptions]>([
    ['maxAzs', { maxAzs: 2 }], ['natGateways', { natGateways: 0 }], ['cidr', { cidr: '10.0.0.0/16' }], ['flowLogs', { flowLogs: false }],
  ])('shapes a given VPC by %s is refused', (option, network) => {
    const stack = newStack();
    expect(() => addWorker(stack, { network, vpc: importedVpc(stack) })).toThrow(
      `network.${option} is ${JSON.stringify(network[option])}: it applies only to a VPC that is created for the worker; remove it, or remove vpc (or cluster).`);
  });

  test('has subnets chosen without a VPC is refused', () => {
    expect(() => addWorker(newStack(), { vpcSubnets: { subnetType: ec2.SubnetType.PUBLIC } })).toThrow(
      'vpcSubnets is {"subnetType":"Public"}: it selects from your own VPC; give vpc (or cluster) too.');
  });

  test.each([WorkerType.ECS, WorkerType.PROCESS])('has only public subnets, and they are not chosen, is refused (%s)', workerType => {
    const stack = newStack();
    const vpc = importedVpc(stack, { publicSubnetIds: ['subnet-1', 'subnet-2'] });
    expect(() => addWorker(stack, { workerType, vpc })).toThrow(
      'vpc is "Stack/Vpc": it has no private subnets; give a VPC with private subnets, or say with vpcSubnets which ones to use.');
  });

  test('has no security group in the list of groups is refused', () => {
    expect(() => addWorker(newStack(), { securityGroups: [] })).toThrow('securityGroups is []: give at least one, or leave the prop out to have one created.');
  });
});

describe('a security group that ends up in the template', () => {
  test('belongs to the given VPC', () => {
    templateOf(stack => ({ vpc: importedVpc(stack) })).allResourcesProperties('AWS::EC2::SecurityGroup', { VpcId: Match.exact('vpc-0a1b2c3d') });
  });
});
