import { aws_ec2 as ec2, aws_ecs as ecs, aws_s3 as s3, aws_servicediscovery as servicediscovery } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { WorkerType, WorkPool } from '../../src';
import { addWorker, importedVpc, newStack, resource, templateOf } from '../support/worker';

describe.each([WorkerType.ECS, WorkerType.PROCESS])('the service of a worker of the type %s', workerType => {
  const template = templateOf({ workerType });
  const { Properties, DependsOn } = resource(template, 'AWS::ECS::Service');

  test('runs on Fargate', () => {
    expect(Properties).toMatchObject({ LaunchType: 'FARGATE' });
  });

  test('keeps the number of workers that scaling has set through every deployment', () => {
    expect(Properties.DesiredCount).toBeUndefined();
  });

  test('starts the new workers of a deployment before it stops the old ones', () => {
    expect(Properties.DeploymentConfiguration).toMatchObject({ MinimumHealthyPercent: 100, MaximumPercent: 200 });
  });

  test('rolls a failed deployment back', () => {
    expect(Properties.DeploymentConfiguration.DeploymentCircuitBreaker).toEqual({ Enable: true, Rollback: true });
  });

  test('keeps the zones balanced', () => {
    expect(Properties.AvailabilityZoneRebalancing).toBe('ENABLED');
  });

  test('gives its tags to the tasks', () => {
    expect(Properties).toMatchObject({ EnableECSManagedTags: true, PropagateTags: 'SERVICE' });
  });

  test('is registered in Cloud Map', () => {
    const registry = resource(template, 'AWS::ServiceDiscovery::Service').logicalId;
    expect(Properties.ServiceRegistries).toEqual([{ RegistryArn: { 'Fn::GetAtt': [registry, 'Arn'] } }]);
  });

  test('starts when the work pool is there, without which a worker stops', () => {
    expect(DependsOn).toContain(resource(template, 'Custom::PrefectWorkPool').logicalId);
  });

  test('starts when the routes to the internet are there', () => {
    const routes = Object.keys(template.findResources('AWS::EC2::Route')).filter(id => /PrivateSubnet/.test(id));
    expect(routes).toHaveLength(2);
    expect(DependsOn).toEqual(expect.arrayContaining(routes));
  });

  test('starts when its execution role may read the secrets', () => {
    expect(DependsOn).toContain(resource(template, 'AWS::IAM::Policy', /IdentityExecutionRoleDefaultPolicy/).logicalId);
  });
});

describe('the service of a worker', () => {
  test('starts when the roles of flow runs are complete: the first flow run may follow the first task within seconds', () => {
    const stack = newStack();
    new s3.Bucket(stack, 'Data').grantRead(addWorker(stack));
    const template = Template.fromStack(stack);
    expect(resource(template, 'AWS::ECS::Service').DependsOn).toEqual(expect.arrayContaining([
      resource(template, 'AWS::IAM::Policy', /IdentityFlowRunRoleDefaultPolicy/).logicalId,
      resource(template, 'AWS::IAM::Policy', /IdentityFlowRunExecutionRoleDefaultPolicy/).logicalId,
    ]));
  });

  test('depends on no pool where the pool is an existing one', () => {
    const template = templateOf({ workPool: WorkPool.existing('etl') });
    template.resourceCountIs('Custom::PrefectWorkPool', 0);
    expect(resource(template, 'AWS::ECS::Service').DependsOn).toEqual(expect.not.arrayContaining([expect.stringMatching(/WorkPool/)]));
  });

  test.each([servicediscovery.NamespaceType.HTTP, servicediscovery.NamespaceType.DNS_PUBLIC])('is not registered in a namespace of the type %s, which a given cluster may have', type => {
    const template = templateOf(stack => {
      const vpc = new ec2.Vpc(stack, 'Theirs');
      return { cluster: new ecs.Cluster(stack, 'Shared', { vpc, defaultCloudMapNamespace: { name: 'shared.example', type, vpc } }) };
    });
    template.resourceCountIs('AWS::ServiceDiscovery::Service', 0);
  });

  test('is not registered in Cloud Map where the VPC is imported', () => {
    const template = templateOf(stack => ({ vpc: importedVpc(stack) }));
    template.resourceCountIs('AWS::ServiceDiscovery::Service', 0);
    expect(resource(template, 'AWS::ECS::Service').Properties.ServiceRegistries).toBeUndefined();
  });
});
