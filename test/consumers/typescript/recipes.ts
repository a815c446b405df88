import { join } from 'node:path';
import { App, aws_ec2 as ec2, Stack } from 'aws-cdk-lib';
import { Alarms } from '../../../examples/alarms';
import { BehindAProxy } from '../../../examples/behind-a-proxy';
import { Boundary } from '../../../examples/boundary';
import { CustomImage } from '../../../examples/custom-image';
import { ExistingVpc } from '../../../examples/existing-vpc';
import { FlowRunTask } from '../../../examples/flow-run-task';
import { FromCliTemplate } from '../../../examples/from-cli-template';
import { FromTerraform } from '../../../examples/from-terraform';
import { ManyPools } from '../../../examples/many-pools';
import { OutOfMemory } from '../../../examples/out-of-memory';
import { OwnRoles } from '../../../examples/own-roles';
import { OwnServer } from '../../../examples/own-server';
import { OwnTemplate } from '../../../examples/own-template';
import { Peaks } from '../../../examples/peaks';
import { Permissions } from '../../../examples/permissions';
import { PinnedVersions } from '../../../examples/pinned-versions';
import { PrecreatedRoles } from '../../../examples/precreated-roles';
import { PrefectCloud } from '../../../examples/prefect-cloud';
import { PrivateLink } from '../../../examples/private-link';
import { PrivateRegistry } from '../../../examples/private-registry';
import { PublicServer } from '../../../examples/public-server';
import { RegistryCredentials } from '../../../examples/registry-credentials';
import { Resume } from '../../../examples/resume';
import { ScaledToZero } from '../../../examples/scaled-to-zero';
import { SelfHosted } from '../../../examples/self-hosted';
import { Small } from '../../../examples/small';
import { Spot } from '../../../examples/spot';
import { bothRegions } from '../../../examples/standby-region';
import { Traced } from '../../../examples/tracing';
import { TracedElsewhere } from '../../../examples/tracing-otlp';
import { UnscheduledRuns } from '../../../examples/unscheduled-runs';
import { VpcPeering } from '../../../examples/vpc-peering';

/** Synthesizes the recipes with the props of test/docs/recipes.ts; test/consumers/python/recipes.py does the same with their twins. */
const env = { account: '123456789012', region: 'us-east-1' };
const network = (app: App, props?: ec2.VpcProps) => new ec2.Vpc(new Stack(app, 'Network'), 'Vpc', props);
const closedNetwork = (app: App) => network(app, { subnetConfiguration: [{ name: 'Closed', subnetType: ec2.SubnetType.PRIVATE_ISOLATED }] });

const recipes: Record<string, (app: App) => unknown> = {
  'alarms': app => new Alarms(app, 'Example'),
  'behind-a-proxy': app => new BehindAProxy(app, 'Example', { vpc: closedNetwork(app), proxyUrl: 'http://proxy.example.com:3128' }),
  'boundary': app => new Boundary(app, 'Example'),
  'custom-image': app => new CustomImage(app, 'Example'),
  'existing-vpc': app => new ExistingVpc(app, 'Example', { env }),
  'flow-run-task': app => new FlowRunTask(app, 'Example'),
  'from-cli-template': app => new FromCliTemplate(app, 'Example', { env }),
  'from-terraform': app => new FromTerraform(app, 'Example'),
  'many-pools': app => new ManyPools(app, 'Example'),
  'out-of-memory': app => new OutOfMemory(app, 'Example'),
  'own-roles': app => new OwnRoles(app, 'Example', { env }),
  'own-server': app => new OwnServer(app, 'Example'),
  'own-template': app => new OwnTemplate(app, 'Example'),
  'peaks': app => new Peaks(app, 'Example'),
  'permissions': app => new Permissions(app, 'Example'),
  'pinned-versions': app => new PinnedVersions(app, 'Example'),
  'precreated-roles': app => new PrecreatedRoles(app, 'Example'),
  'prefect-cloud': app => new PrefectCloud(app, 'Example'),
  'private-link': app => new PrivateLink(app, 'Example', { vpc: network(app), endpointSecurityGroupId: 'sg-0123456789abcdef0' }),
  'private-registry': app => new PrivateRegistry(app, 'Example', { vpc: closedNetwork(app) }),
  'public-server': app => new PublicServer(app, 'Example'),
  'registry-credentials': app => new RegistryCredentials(app, 'Example'),
  'resume': app => new Resume(app, 'Example'),
  'scaled-to-zero': app => new ScaledToZero(app, 'Example', { env }),
  'self-hosted': app => new SelfHosted(app, 'Example', { vpc: network(app) }),
  'small': app => new Small(app, 'Example'),
  'spot': app => new Spot(app, 'Example'),
  'standby-region': app => bothRegions(app, env.account),
  'tracing': app => new Traced(app, 'Example'),
  'tracing-otlp': app => new TracedElsewhere(app, 'Example'),
  'unscheduled-runs': app => new UnscheduledRuns(app, 'Example'),
  'vpc-peering': app => new VpcPeering(app, 'Example', { peerVpcId: 'vpc-0a1b2c3d', peerCidr: '10.1.0.0/16' }),
};

const out = process.argv[2];
for (const [name, build] of Object.entries(recipes)) {
  const app = new App({ outdir: join(out, name), analyticsReporting: false, treeMetadata: false });
  build(app);
  app.synth();
}
