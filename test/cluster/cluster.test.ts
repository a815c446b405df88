import { aws_ec2 as ec2, aws_ecs as ecs, CfnParameter, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { addWorker, importedVpc, newStack, resource, templateOf } from '../support/worker';

const clusterIn = (stack: Stack, vpc: ec2.IVpc) =>
  ecs.Cluster.fromClusterAttributes(stack, 'Shared', { clusterName: 'shared', vpc, securityGroups: [] });

describe('a cluster that is made for the worker', () => {
  const template = templateOf();

  test('offers Fargate on demand and Spot', () => {
    template.hasResourceProperties('AWS::ECS::ClusterCapacityProviderAssociations', { CapacityProviders: ['FARGATE', 'FARGATE_SPOT'] });
  });

  test('has container insights', () => {
    template.hasResourceProperties('AWS::ECS::Cluster', { ClusterSettings: [{ Name: 'containerInsights', Value: 'enabled' }] });
  });

  test('has a private DNS namespace in the VPC', () => {
    template.hasResourceProperties('AWS::ServiceDiscovery::PrivateDnsNamespace', {
      Name: Match.stringLikeRegexp('^[a-z0-9-]+\\.internal$'),
      Vpc: { Ref: resource(template, 'AWS::EC2::VPC').logicalId },
    });
  });

  test('has no namespace in an imported VPC, whose DNS settings are not known', () => {
    const imported = templateOf(stack => ({ vpc: importedVpc(stack) }));
    imported.resourceCountIs('AWS::ECS::Cluster', 1);
    imported.resourceCountIs('AWS::ServiceDiscovery::PrivateDnsNamespace', 0);
  });
});

describe('a cluster that is given', () => {
  test('is used, with its VPC, and nothing is made beside it', () => {
    const stack = newStack();
    const vpc = importedVpc(stack);
    const cluster = clusterIn(stack, vpc);
    const worker = addWorker(stack, { cluster });
    const template = Template.fromStack(stack);
    template.resourceCountIs('AWS::ECS::Cluster', 0);
    template.resourceCountIs('AWS::EC2::VPC', 0);
    template.resourceCountIs('AWS::ECS::ClusterCapacityProviderAssociations', 0);
    template.hasResourceProperties('AWS::ECS::Service', { Cluster: 'shared' });
    expect(worker.cluster).toBe(cluster);
    expect(worker.vpc).toBe(vpc);
  });

  test('is taken with a VPC of the same id that was imported another time', () => {
    const stack = newStack();
    const cluster = clusterIn(stack, importedVpc(stack));
    expect(() => addWorker(stack, { cluster, vpc: importedVpc(stack, undefined, 'Again') })).not.toThrow();
  });

  test('is taken with a VPC whose id is known only at deployment', () => {
    const stack = newStack();
    const vpcId = new CfnParameter(stack, 'VpcId').valueAsString;
    const cluster = clusterIn(stack, importedVpc(stack, { vpcId, privateSubnetIds: ['subnet-1', 'subnet-2'] }));
    expect(() => addWorker(stack, { cluster, vpc: importedVpc(stack, undefined, 'Again') })).not.toThrow();
  });

  test('is taken in a VPC of the app with an import of the same VPC', () => {
    const stack = newStack();
    const made = new ec2.Vpc(stack, 'Made');
    const cluster = new ecs.Cluster(stack, 'Shared', { vpc: made });
    expect(() => addWorker(stack, { cluster, vpc: importedVpc(stack, { vpcId: made.vpcId, privateSubnetIds: ['subnet-1', 'subnet-2'] }) })).not.toThrow();
  });

  test('may know fewer subnets of the VPC than vpc does', () => {
    const stack = newStack();
    const cluster = clusterIn(stack, importedVpc(stack, {}, 'Bare'));
    addWorker(stack, { cluster, vpc: importedVpc(stack) });
    Template.fromStack(stack).hasResourceProperties('AWS::ECS::Service', {
      NetworkConfiguration: { AwsvpcConfiguration: { Subnets: ['subnet-private1', 'subnet-private2'] } },
    });
  });

  test('is refused in another imported VPC than vpc', () => {
    const stack = newStack();
    const cluster = clusterIn(stack, importedVpc(stack, { vpcId: 'vpc-theirs' }, 'Theirs'));
    expect(() => addWorker(stack, { cluster, vpc: importedVpc(stack) })).toThrow(
      'cluster is "Stack/Shared": it is in the VPC vpc-theirs, and vpc is vpc-0a1b2c3d; give a cluster of the same VPC, or only one of the two.');
  });

  test('is refused in another VPC of the app than vpc', () => {
    const stack = newStack();
    const cluster = new ecs.Cluster(stack, 'Shared', { vpc: new ec2.Vpc(stack, 'Theirs') });
    const vpc = new ec2.Vpc(stack, 'Ours');
    expect(() => addWorker(stack, { cluster, vpc })).toThrow('cluster is "Stack/Shared": it is in the VPC Stack/Theirs, and vpc is Stack/Ours');
  });

  test('is refused in a VPC of the app where vpc is an imported one', () => {
    const stack = newStack();
    const cluster = new ecs.Cluster(stack, 'Shared', { vpc: new ec2.Vpc(stack, 'Theirs') });
    expect(() => addWorker(stack, { cluster, vpc: importedVpc(stack) })).toThrow(/^Stack\/Worker: cluster is "Stack\/Shared": it is in the VPC Stack\/Theirs/);
  });
});
