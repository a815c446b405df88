import { App, aws_ec2 as ec2, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Alarms } from '../../examples/alarms';
import { BehindAProxy } from '../../examples/behind-a-proxy';
import { Boundary } from '../../examples/boundary';
import { CustomImage } from '../../examples/custom-image';
import { ExistingVpc } from '../../examples/existing-vpc';
import { FlowRunTask } from '../../examples/flow-run-task';
import { FromCliTemplate } from '../../examples/from-cli-template';
import { FromTerraform } from '../../examples/from-terraform';
import { ManyPools } from '../../examples/many-pools';
import { OutOfMemory } from '../../examples/out-of-memory';
import { OwnRoles } from '../../examples/own-roles';
import { OwnServer } from '../../examples/own-server';
import { OwnTemplate } from '../../examples/own-template';
import { Peaks } from '../../examples/peaks';
import { Permissions } from '../../examples/permissions';
import { PinnedVersions } from '../../examples/pinned-versions';
import { PrecreatedRoles } from '../../examples/precreated-roles';
import { PrefectCloud } from '../../examples/prefect-cloud';
import { PrivateLink } from '../../examples/private-link';
import { PrivateRegistry } from '../../examples/private-registry';
import { PublicServer } from '../../examples/public-server';
import { RegistryCredentials } from '../../examples/registry-credentials';
import { Resume } from '../../examples/resume';
import { ScaledToZero } from '../../examples/scaled-to-zero';
import { SelfHosted } from '../../examples/self-hosted';
import { Small } from '../../examples/small';
import { Spot } from '../../examples/spot';
import { bothRegions } from '../../examples/standby-region';
import { Traced } from '../../examples/tracing';
import { TracedElsewhere } from '../../examples/tracing-otlp';
import { UnscheduledRuns } from '../../examples/unscheduled-runs';
import { VpcPeering } from '../../examples/vpc-peering';
import { container, resource, resources, settingsOf, WORKER_TASK } from '../support/worker';

const env = { account: '123456789012', region: 'us-east-1' };

interface Recipe {
  readonly build: (app: App) => Stack;
  /** What its reader wants of it. */
  readonly works: (template: Template) => void;
}

const pools = (template: Template) => resources(template, 'Custom::PrefectWorkPool').map(pool => JSON.stringify(pool));

/** Every example, as its recipe in the documents uses it. */
export const recipes: Record<string, Recipe> = {
  'prefect-cloud': {
    build: scope => new PrefectCloud(scope, 'Example'),
    works: template => {
      expect(JSON.stringify(container(template).Secrets)).toContain(':worker::');
      expect(JSON.stringify(container(template).Secrets)).not.toContain(':management::');
      expect(pools(template)[0]).toContain(':management::');
      expect(pools(template)[0]).toContain('backfill');
    },
  },
  'self-hosted': {
    build: scope => new SelfHosted(scope, 'Example', { vpc: new ec2.Vpc(new Stack(scope, 'Network'), 'Vpc') }),
    works: template => {
      template.resourceCountIs('AWS::EC2::VPC', 0);
      template.hasResourceProperties('AWS::EC2::SecurityGroup', { SecurityGroupEgress: Match.arrayWith([Match.objectLike({ FromPort: 4200 })]) });
    },
  },
  'own-server': {
    build: scope => new OwnServer(scope, 'Example'),
    works: template => {
      template.resourceCountIs('AWS::ECS::Cluster', 1);
      template.hasResourceProperties('AWS::EC2::SecurityGroup', { SecurityGroupEgress: Match.arrayWith([Match.objectLike({ FromPort: 4200 })]) });
    },
  },
  'public-server': {
    build: scope => new PublicServer(scope, 'Example'),
    works: template => {
      template.hasResourceProperties('AWS::ElasticLoadBalancingV2::LoadBalancer', { Scheme: 'internet-facing' });
      template.resourceCountIs('AWS::WAFv2::WebACLAssociation', 1);
    },
  },
  'flow-run-task': {
    build: scope => new FlowRunTask(scope, 'Example'),
    works: template => {
      const [pool] = pools(template);
      for (const wanted of ['fileSystemId', 'accessPointId', 'DB_PASSWORD', ':password::', 'datadog', '/mnt/files']) expect(pool).toContain(wanted);
      template.hasResourceProperties('AWS::ECS::TaskDefinition', { EphemeralStorage: { SizeInGiB: 100 } });
    },
  },
  'existing-vpc': {
    build: scope => new ExistingVpc(scope, 'Example', { env }),
    works: template => {
      template.resourceCountIs('AWS::EC2::VPC', 0);
      template.resourceCountIs('AWS::ECS::Cluster', 0);
      template.hasResourceProperties('AWS::ECS::Service', { Cluster: 'shared' });
    },
  },
  'own-template': {
    build: scope => new OwnTemplate(scope, 'Example'),
    works: template => {
      const [pool] = pools(template);
      for (const wanted of ['data-region', '{{ data_region }}', 'max_run_time', '21600']) expect(pool).toContain(wanted);
    },
  },
  'private-link': {
    build: scope => {
      const network = new Stack(scope, 'Network');
      const vpc = new ec2.Vpc(network, 'Vpc');
      return new PrivateLink(scope, 'Example', { vpc, endpointSecurityGroupId: 'sg-0123456789abcdef0' });
    },
    works: template => {
      expect(container(template).Environment).toContainEqual({ Name: 'PREFECT_CLOUD_API_URL', Value: 'https://api.private.prefect.cloud/api' });
      const ingress = resources(template, 'AWS::EC2::SecurityGroupIngress');
      expect(ingress.length).toBeGreaterThanOrEqual(3);
      for (const { Properties } of ingress) expect(Properties).toMatchObject({ FromPort: 443, IpProtocol: 'tcp' });
    },
  },
  'private-registry': {
    build: scope => new PrivateRegistry(scope, 'Example', {
      vpc: new ec2.Vpc(new Stack(scope, 'Network'), 'Vpc', { subnetConfiguration: [{ name: 'Closed', subnetType: ec2.SubnetType.PRIVATE_ISOLATED }] }),
    }),
    works: template => {
      template.resourceCountIs('AWS::EC2::NatGateway', 0);
      template.resourceCountIs('AWS::EC2::InternetGateway', 0);
      expect(JSON.stringify(container(template).Image)).toContain('worker-0.7.12-prefect3.9.1');
    },
  },
  'behind-a-proxy': {
    build: scope => new BehindAProxy(scope, 'Example', {
      vpc: new ec2.Vpc(new Stack(scope, 'Network'), 'Vpc', { subnetConfiguration: [{ name: 'Closed', subnetType: ec2.SubnetType.PRIVATE_ISOLATED }] }),
      proxyUrl: 'http://proxy.example.com:3128',
    }),
    works: template => {
      expect(container(template).Environment).toContainEqual({ Name: 'NO_PROXY', Value: '.amazonaws.com,localhost,127.0.0.1,169.254.170.2' });
      expect(pools(template)[0]).toContain('http://proxy.example.com:3128');
      for (const group of ['NetworkWorker', 'NetworkFlowRun', 'SharedFunction']) {
        expect(JSON.stringify(resource(template, 'AWS::EC2::SecurityGroup', new RegExp(`${group}SecurityGroup`)).Properties.SecurityGroupEgress)).toContain('3128');
      }
    },
  },
  'registry-credentials': {
    build: scope => new RegistryCredentials(scope, 'Example'),
    works: template => expect(container(template).RepositoryCredentials).toBeDefined(),
  },
  'small': {
    build: scope => new Small(scope, 'Example'),
    works: template => {
      template.resourceCountIs('AWS::EC2::NatGateway', 1);
      template.resourceCountIs('AWS::EC2::VPCEndpoint', 0);
    },
  },
  'spot': {
    build: scope => new Spot(scope, 'Example'),
    works: template => expect(pools(template)[0]).toContain('FARGATE_SPOT'),
  },
  'resume': {
    build: scope => new Resume(scope, 'Example'),
    works: template => template.hasResourceProperties('AWS::S3::Bucket', { LifecycleConfiguration: { Rules: [Match.objectLike({ ExpirationInDays: 14 })] } }),
  },
  'out-of-memory': {
    build: scope => new OutOfMemory(scope, 'Example'),
    works: template => expect(settingsOf(template, /RescueSchedule/).outOfMemory).toEqual({ maxMemoryMiB: 16384, remember: true }),
  },
  'many-pools': {
    build: scope => new ManyPools(scope, 'Example'),
    works: template => {
      expect(pools(template)).toHaveLength(3);
      template.resourceCountIs('AWS::EC2::VPC', 1);
      template.resourceCountIs('AWS::ECS::Cluster', 1);
    },
  },
  'peaks': {
    build: scope => new Peaks(scope, 'Example'),
    works: template => {
      const [start, end] = resource(template, 'AWS::ApplicationAutoScaling::ScalableTarget').Properties.ScheduledActions;
      expect([start.ScalableTargetAction.MinCapacity, end.ScalableTargetAction.MinCapacity]).toEqual([3, 0]);
    },
  },
  'alarms': {
    build: scope => new Alarms(scope, 'Example'),
    works: template => {
      const topics = ['NoWorkerOnline', 'OldestLateRun', 'CrashedRuns'].map(name => resource(template, 'AWS::CloudWatch::Alarm', new RegExp(`Alarms${name}`)).Properties.AlarmActions[0].Ref);
      expect(topics).toEqual([expect.stringMatching(/^Page/), expect.stringMatching(/^Page/), expect.stringMatching(/^Inform/)]);
      expect(Object.keys(template.findResources('AWS::CloudWatch::Alarm')).join()).not.toMatch(/HighCpu/);
      expect(resource(template, 'AWS::CloudWatch::Alarm', /^Blocked/).Properties.MetricName).toBe('BlockedRuns');
    },
  },
  'unscheduled-runs': {
    build: scope => new UnscheduledRuns(scope, 'Example'),
    works: template => {
      const { ScheduledActions } = resource(template, 'AWS::ApplicationAutoScaling::ScalableTarget').Properties;
      expect(ScheduledActions.map(({ ScalableTargetAction }: any) => ScalableTargetAction.MinCapacity)).toEqual([4, 0]);
      expect(settingsOf(template, /Demand/).scaleInMinutes).toBe(10);
    },
  },
  'tracing': {
    build: scope => new Traced(scope, 'Example'),
    works: template => {
      expect(container(template, 'collector').Essential).toBe(false);
      expect(pools(template)[0]).toMatch(/OTEL_TRACES_SAMPLER_ARG.{1,10}0\.1/);
      expect(resources(template, 'AWS::Config::ConfigRule').length).toBeGreaterThan(5);
    },
  },
  'tracing-otlp': {
    build: scope => new TracedElsewhere(scope, 'Example'),
    works: template => {
      expect(container(template, 'collector').Secrets).toEqual([{ Name: 'OTLP_HEADER_0', ValueFrom: expect.anything() }]);
      expect(JSON.stringify(container(template, 'collector').Environment)).toContain('https://api.honeycomb.io');
      expect(pools(template)[0]).toContain('honeycomb-api-key');
    },
  },
  'custom-image': {
    build: scope => new CustomImage(scope, 'Example'),
    works: template => expect(resource(template, 'AWS::ECS::TaskDefinition', WORKER_TASK).Properties.RuntimePlatform.CpuArchitecture).toBe('ARM64'),
  },
  'scaled-to-zero': {
    build: scope => new ScaledToZero(scope, 'Example', { env }),
    works: template => {
      template.hasResourceProperties('AWS::ApplicationAutoScaling::ScalableTarget', {
        MinCapacity: 0,
        MaxCapacity: 20,
        ScheduledActions: Match.arrayWith([Match.objectLike({ ScalableTargetAction: { MinCapacity: 2, MaxCapacity: 20 }, Timezone: 'Europe/Berlin' })]),
      });
    },
  },
  'standby-region': {
    build: scope => bothRegions(scope, env.account)[1],
    works: template => {
      template.resourceCountIs('Custom::PrefectWorkPool', 0);
      template.hasResourceProperties('AWS::ApplicationAutoScaling::ScalableTarget', { MinCapacity: 0 });
    },
  },
  'permissions': {
    build: scope => new Permissions(scope, 'Example'),
    works: template => {
      const policy = JSON.stringify(resource(template, 'AWS::IAM::Policy', /FlowRunRole/).Properties);
      for (const action of ['s3:GetObject', 'athena:StartQueryExecution', 'secretsmanager:GetSecretValue']) expect(policy).toContain(action);
      template.hasResourceProperties('AWS::EC2::SecurityGroupIngress', { SourceSecurityGroupId: { 'Fn::GetAtt': [Match.stringLikeRegexp('FlowRunSecurityGroup'), 'GroupId'] } });
      expect(JSON.stringify(resource(template, 'AWS::IAM::Policy', /FlowRunExecutionRole/).Properties)).toContain('repository/flows');
      expect(JSON.stringify(resource(template, 'AWS::IAM::Policy', /WorkerRole/).Properties)).toMatch(/"iam:PassRole".*"Payroll/);
    },
  },
  'own-roles': {
    build: scope => new OwnRoles(scope, 'Example', { env }),
    works: template => {
      expect(Object.keys(template.findResources('AWS::IAM::Role')).filter(id => /Identity/.test(id))).toEqual([]);
      for (const role of ['prefect-flow-run', 'prefect-flow-run-execution']) expect(pools(template)[0]).toContain(`arn:aws:iam::123456789012:role/data/${role}\\"`);
      expect(JSON.stringify(resources(template, 'AWS::ECS::TaskDefinition'))).toContain('role/data/prefect-worker"');
    },
  },
  'precreated-roles': {
    build: scope => new PrecreatedRoles(scope, 'Example'),
    works: template => {
      for (const type of ['AWS::IAM::Role', 'AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy']) template.resourceCountIs(type, 0);
      expect(pools(template)[0]).toContain(':role/prefect-flow-run\\"');
    },
  },
  'boundary': {
    build: scope => new Boundary(scope, 'Example'),
    works: template => {
      const roles = resources(template, 'AWS::IAM::Role');
      expect(roles.length).toBeGreaterThan(10);
      for (const { Properties } of roles) {
        expect(Properties).toMatchObject({ Path: '/teams/data/' });
        expect(JSON.stringify(Properties.PermissionsBoundary)).toContain('policy/team-boundary');
      }
    },
  },
  'vpc-peering': {
    build: scope => new VpcPeering(scope, 'Example', { peerVpcId: 'vpc-0a1b2c3d', peerCidr: '10.1.0.0/16' }),
    works: template => {
      template.resourcePropertiesCountIs('AWS::EC2::Route', { DestinationCidrBlock: '10.1.0.0/16' }, 2);
      expect(resource(template, 'Custom::PrefectWorkPool').DependsOn).toEqual(expect.arrayContaining(['ToPeer0', 'ToPeer1']));
      template.hasResourceProperties('AWS::EC2::SecurityGroup', { SecurityGroupEgress: Match.arrayWith([Match.objectLike({ CidrIp: '10.1.0.0/16', FromPort: 5432 })]) });
    },
  },
  'pinned-versions': {
    build: scope => new PinnedVersions(scope, 'Example'),
    works: template => expect(pools(template)[0]).toContain('prefecthq/prefect:3.9.1-python3.12'),
  },
  'from-cli-template': {
    build: scope => new FromCliTemplate(scope, 'Example', { env }),
    works: template => expect(pools(template)[0]).toContain('my-ecs-pool'),
  },
  'from-terraform': {
    build: scope => new FromTerraform(scope, 'Example'),
    works: template => {
      template.resourceCountIs('AWS::EC2::VPC', 0);
      expect(container(template).Command).toContain('process');
    },
  },
};
