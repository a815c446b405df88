import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Resvg } from '@resvg/resvg-js';
import { App, Stack } from 'aws-cdk-lib';
import { arrow, frame, GREY, icon, INK, node, svg, text } from './drawing';
import { Inventory } from './inventory';
import { scenarios } from '../../test/scenarios';

/** Draws docs/architecture.png: what the default stack holds, counted in its construct tree. `npm run picture` */
export const WIDTH = 1640;
const HEIGHT = 1016;
/** Height of a row of panels, with the gap below it. */
export const ROW = 178;
export const ORANGE = '#d86613';
export const PREFECT = '#2463eb';
export const PURPLE = '#8c4fff';
export const GREEN = '#3f8624';
export const TEAL = '#00a4a6';
export const PINK = '#e7157b';
export const RED = '#dd344c';

export const plural = (count: number, one: string, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

/** The picture of a stack with one ECS worker. */
export function picture(stack: Stack): string {
  const inventory = new Inventory(stack);
  const pieces = [...network(inventory), ...panels(inventory)];
  const { missing } = inventory;
  if (missing.length > 0) throw new Error(`The picture shows no ${missing.join(', ')}: give each a place in docs/tools/picture.ts, or call it glue in inventory.ts.`);
  return svg(WIDTH, HEIGHT, [
    frame({ x: 258, y: 24, width: WIDTH - 282, height: HEIGHT - 48 }, 'AWS account', { stroke: INK }, 'architecture-group/AWSCloudlogo'),
    ...pieces,
    text(WIDTH - 48, HEIGHT - 36, `${inventory.size} resources, drawn from the synthesized default stack`, { size: 12.5, color: GREY, anchor: 'end' }),
  ]);
}

function network(inventory: Inventory): string[] {
  const [vpc] = inventory.take('AWS::EC2::VPC');
  const zones = new Set(inventory.take('AWS::EC2::Subnet').map(subnet => JSON.stringify(inventory.properties(subnet).AvailabilityZone))).size;
  const gateways = inventory.count('AWS::EC2::NatGateway');
  const endpoints = inventory.take('AWS::EC2::VPCEndpoint').map(endpoint => serviceName(inventory.properties(endpoint).ServiceName)).sort();
  const always = least(inventory);
  const groups = inventory.count('AWS::EC2::SecurityGroup');
  const flowLogs = inventory.count('AWS::EC2::FlowLog') > 0 ? ' · flow logs on' : '';
  const discovery = inventory.count('AWS::ServiceDiscovery::PrivateDnsNamespace') > 0 ? ' · Cloud Map' : '';
  inventory.take(['AWS::EC2::InternetGateway', 'AWS::ECS::Cluster', 'AWS::ECS::TaskDefinition', 'AWS::ServiceDiscovery::Service']);

  const left = 300;
  const width = 960;
  const lane = (width - 40 - 20 * (zones - 1)) / zones;
  const title = `VPC ${inventory.properties(vpc).CidrBlock} · ${plural(groups, 'security group')}, no ingress from outside${flowLogs}`;
  const pieces = [frame({ x: left, y: 80, width, height: 500 }, title, { stroke: PURPLE }, 'architecture-group/VirtualprivatecloudVPC')];
  for (let zone = 0; zone < zones; zone++) {
    const x = left + 20 + zone * (lane + 20);
    const middle = x + lane / 2;
    pieces.push(
      frame({ x, y: 124, width: lane, height: 440 }, `Availability zone ${zone + 1}`, { stroke: '#147eba', dashed: true }),
      frame({ x: x + 14, y: 160, width: lane - 28, height: 130 }, 'Public subnet', { stroke: GREEN, fill: '#f2f8ee' }, 'architecture-group/Publicsubnet'),
      frame({ x: x + 14, y: 304, width: lane - 28, height: 246 }, 'Private subnet', { stroke: TEAL, fill: '#eef9f9' }, 'architecture-group/Privatesubnet'),
      ...zone < gateways ? [node(middle, 188, 'resource/AmazonVPCNATGateway', 'NAT gateway')] : [],
      node(middle - 100, 396, 'architecture-service/AWSFargate', 'Worker', always > zone ? ['polls the work pool,', 'starts the tasks'] : ['when runs are due']),
      node(middle + 100, 396, 'resource/AmazonElasticContainerServiceTask', 'Flow runs', ['a Fargate task each,', 'with a role of its own']),
      arrow([[middle - 58, 422], [middle + 58, 422]], ORANGE, { x: middle, y: 414, lines: ['RunTask'], anchor: 'middle' }),
      ...zone < gateways ? [arrow([[middle, 352], [middle, 272]], GREY)] : [],
    );
  }
  pieces.push(
    frame({ x: left + 48, y: 352, width: width - 96, height: 186 }, `ECS cluster · Fargate and Fargate Spot${discovery}`, { stroke: ORANGE, dashed: true }),
    ...prefect(left, gateways > 0),
    ...endpointList(endpoints),
  );
  return pieces;
}

/** How many workers always run: what Auto Scaling may go down to, or what the service asks for. */
function least(inventory: Inventory): number {
  const [target] = inventory.take('AWS::ApplicationAutoScaling::ScalableTarget');
  const [service] = inventory.take('AWS::ECS::Service');
  return target ? inventory.properties(target).MinCapacity : inventory.properties(service).DesiredCount;
}

function prefect(vpcLeft: number, outbound: boolean): string[] {
  return [
    frame({ x: 24, y: 150, width: 190, height: 200 }, 'Prefect', { stroke: PREFECT, fill: '#f3f6ff' }),
    text(36, 196, 'Prefect Cloud, or', { size: 13.5 }),
    text(36, 214, 'a server of your own', { size: 13.5 }),
    `<rect x="36" y="238" width="166" height="92" rx="4" fill="#ffffff" stroke="${PREFECT}" stroke-width="1.4"/>`,
    text(48, 262, 'Work pool', { size: 14, weight: 600, color: PREFECT }),
    text(48, 284, 'with this stack’s cluster,', { size: 12 }),
    text(48, 300, 'subnets, roles and logs', { size: 12 }),
    text(48, 316, 'in its job template', { size: 12 }),
    ...outbound ? [
      arrow([[vpcLeft, 214], [214, 214]], PREFECT),
      `<circle cx="${vpcLeft}" cy="214" r="19" fill="#ffffff"/>`,
      icon('resource/AmazonVPCInternetGateway', vpcLeft - 20, 194, 40),
    ] : [],
    text(36, 374, 'Workers poll it, flow runs', { size: 12.5, color: GREY }),
    text(36, 390, 'report to it, over HTTPS.', { size: 12.5, color: GREY }),
    arrow([[vpcLeft, 712], [119, 712], [119, 402]], PREFECT),
    ...['pool: on cdk deploy;', 'demand and rescue:', 'every minute'].map((line, index) => text(128, 670 + 16 * index, line, { size: 12.5, color: PREFECT })),
  ];
}

/** The service in an endpoint's service name, which ends in it. */
function serviceName(name: any): string {
  const end = typeof name === 'string' ? name : name['Fn::Join'][1].at(-1);
  const service = end.replace(/^.*amazonaws\.[^.]*\.?/, '').replace(/^\./, '');
  return service;
}

/** How endpoints' services are called, and their icons. */
const SERVICES: Record<string, readonly [string, string]> = {
  's3': ['Amazon S3', 'AmazonSimpleStorageService'],
  'ecr.api': ['Amazon ECR', 'AmazonElasticContainerRegistry'],
  'ecr.dkr': ['Amazon ECR (images)', 'AmazonElasticContainerRegistry'],
  'logs': ['CloudWatch Logs', 'AmazonCloudWatch'],
  'monitoring': ['CloudWatch', 'AmazonCloudWatch'],
  'secretsmanager': ['Secrets Manager', 'AWSSecretsManager'],
  'ecs': ['Amazon ECS', 'AmazonElasticContainerService'],
  'sqs': ['Amazon SQS', 'AmazonSimpleQueueService'],
  'xray': ['AWS X-Ray', 'AWSXRay'],
};

function endpointList(endpoints: readonly string[]): string[] {
  const [x, y, width] = [1316, 80, 276];
  return [
    frame({ x, y, width, height: 500 }, 'AWS services, reached', { stroke: PURPLE, dashed: true }),
    text(x + 12, y + 44, 'over VPC endpoints', { size: 15, weight: 600, color: PURPLE }),
    text(x + 12, y + 66, 'each with a policy of its own', { size: 12.5, color: GREY }),
    ...endpoints.flatMap((service, index) => {
      const [name, symbol] = SERVICES[service];
      const top = y + 92 + index * 56;
      return [icon(`architecture-service/${symbol}`, x + 20, top, 38), text(x + 72, top + 24, name, { size: 14.5 })];
    }),
    arrow([[1260, 330], [1316, 330]], PURPLE),
  ];
}

export interface Part {
  readonly icon: string;
  readonly title: string;
  readonly notes: readonly string[];
  readonly count: number;
}

export interface Panel {
  readonly title: string;
  readonly color: string;
  readonly parts: readonly Part[];
}

function panels(inventory: Inventory): string[] {
  const all: Panel[] = [
    {
      title: 'Work pool',
      color: ORANGE,
      parts: [{ icon: 'architecture-service/AWSLambda', title: 'Pool function', notes: ['creates, updates and', 'checks the pool'], count: inventory.count(['Custom::PrefectWorkPool', 'Custom::PrefectFlowRunTasks', 'AWS::Lambda::Function', 'AWS::Scheduler::Schedule'], 'WorkPool') }],
    },
    {
      title: 'Images',
      color: ORANGE,
      parts: [{ icon: 'architecture-service/AmazonElasticContainerRegistry', title: 'Repository', notes: ['copies of the', 'official images'], count: inventory.count(['AWS::ECR::Repository', 'Custom::ImageCopy', 'AWS::Lambda::Function'], 'PrefectImages') }],
    },
    {
      title: 'Flow runs\' tasks',
      color: PINK,
      parts: [
        { icon: 'architecture-service/AmazonEventBridge', title: 'Rule', notes: ['task state', 'changes'], count: inventory.count('AWS::Events::Rule', 'WorkPool') },
        { icon: 'architecture-service/AmazonSimpleQueueService', title: 'Queue', notes: ['and dead-letter', 'queue'], count: inventory.count('AWS::SQS::Queue') },
        { icon: 'architecture-service/AWSLambda', title: 'Rescue', notes: ['starts lost', 'runs again'], count: inventory.count(['AWS::Lambda::Function', 'AWS::Events::Rule'], 'Rescue') },
      ],
    },
    {
      title: 'Scaling',
      color: PINK,
      parts: [
        { icon: 'architecture-service/AWSLambda', title: 'Demand', notes: ['asks Prefect,', 'sets the count'], count: inventory.count(['AWS::Lambda::Function', 'AWS::Events::Rule'], 'Demand') },
        { icon: 'architecture-service/AWSApplicationAutoScaling', title: 'Auto Scaling', notes: policies(inventory), count: inventory.count(['AWS::ApplicationAutoScaling::ScalableTarget', 'AWS::ApplicationAutoScaling::ScalingPolicy', 'AWS::CloudWatch::Alarm'], '/TaskCount/') },
      ],
    },
    {
      title: 'Observability',
      color: PINK,
      parts: [
        { icon: 'resource/AmazonCloudWatchLogs', title: 'Logs', notes: [plural(inventory.count('AWS::Logs::LogGroup'), 'group') + ',', 'encrypted'], count: 1 },
        { icon: 'resource/AmazonCloudWatchAlarm', title: 'Alarms', notes: alarms(inventory), count: inventory.count(['AWS::CloudWatch::Alarm', 'AWS::CloudWatch::CompositeAlarm'], '/Observability/') },
        { icon: 'architecture-service/AmazonCloudWatch', title: 'Dashboard', notes: ['costs and', 'saved queries'], count: inventory.count(['AWS::CloudWatch::Dashboard', 'AWS::Logs::QueryDefinition', 'AWS::Logs::MetricFilter']) + inventory.count('AWS::Events::Rule', 'TaskEnds') },
        { icon: 'architecture-service/AmazonSimpleNotificationService', title: 'Topic', notes: ['tells you'], count: inventory.count('AWS::SNS::Topic') + inventory.count('AWS::Events::Rule', '/Observability/') },
      ],
    },
    {
      title: 'Identity and keys',
      color: RED,
      parts: [
        { icon: 'architecture-service/AWSIdentityandAccessManagement', title: plural(inventory.count('AWS::IAM::Role', '/Identity/'), 'role'), notes: ['for workers', 'and flow runs'], count: inventory.count('AWS::IAM::Role') },
        { icon: 'architecture-service/AWSKeyManagementService', title: 'KMS key', notes: ['logs and', 'queues'], count: inventory.count('AWS::KMS::Key') },
        { icon: 'architecture-service/AWSSecretsManager', title: 'API key', notes: ['only ever', 'a reference'], count: inventory.count('AWS::SecretsManager::Secret') },
      ],
    },
  ];
  const shown = there(all);

  // In one row they would be too narrow to read.
  const middle = shown.findIndex(({ title }) => title === 'Observability');
  return [...row(shown.slice(0, middle), 620), ...row(shown.slice(middle), 620 + ROW)];
}

/** The panels, and the parts of them, of which there is something. */
export function there(all: readonly Panel[]): Panel[] {
  return all.map(panel => ({ ...panel, parts: panel.parts.filter(({ count }) => count > 0) })).filter(({ parts }) => parts.length > 0);
}

export function row(shown: readonly Panel[], y: number): string[] {
  const gap = 16;
  const [left, right] = [300, 1592];
  const parts = shown.reduce((sum, panel) => sum + panel.parts.length, 0);
  const cell = (right - left - gap * (shown.length - 1)) / parts;
  let x = left;
  return shown.flatMap(panel => {
    const from = x;
    const width = cell * panel.parts.length;
    x += width + gap;
    return [
      frame({ x: from, y, width, height: ROW - gap }, panel.title, { stroke: panel.color }),
      ...panel.parts.map((part, index) => node(from + cell * (index + 0.5), y + 38, part.icon, part.title, part.notes)),
    ];
  });
}

function policies(inventory: Inventory): string[] {
  const [target] = inventory.take('AWS::ApplicationAutoScaling::ScalableTarget');
  const { MinCapacity, MaxCapacity } = target ? inventory.properties(target) : { MinCapacity: 0, MaxCapacity: 0 };
  return [MinCapacity === MaxCapacity ? `always ${MinCapacity}` : `${MinCapacity} to ${MaxCapacity}`, 'workers'];
}

function alarms(inventory: Inventory): string[] {
  return [`${inventory.count('AWS::CloudWatch::Alarm', '/Observability/')}, and one`, 'over them all'];
}

export function png(drawing: string): Buffer {
  const fonts = dirname(require.resolve('@expo-google-fonts/inter/package.json'));
  const fontFiles = ['400Regular/Inter_400Regular.ttf', '600SemiBold/Inter_600SemiBold.ttf'].map(file => join(fonts, file));
  return new Resvg(drawing, { font: { fontFiles, loadSystemFonts: false, defaultFontFamily: 'Inter' } }).render().asPng();
}

if (require.main === module) {
  process.env.CDK_VALIDATION = 'false';
  const stack = scenarios.find(({ name }) => name === 'ecs')!.build(new App({ analyticsReporting: false }));
  writeFileSync(join(__dirname, '..', 'architecture.png'), png(picture(stack)));
}
