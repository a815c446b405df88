import { aws_ec2 as ec2, aws_ecs as ecs, CfnParameter, Fn, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { addWorker, importedVpc, newStack, resource, templateOf } from '../support/worker';

const clusterIn = (stack: Stack, vpc: ec2.IVpc) =>
  ecs.Cluster.fromClusterAttributes(stack, 'Shared', { clusterName: 'shared', vpc, securityGroups: [] });

describe('a cluster of the worker\'s own', () => {
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
