import { App, aws_ecs as ecs, aws_secretsmanager as secretsmanager, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { serverBill } from './server-costs';
import { OwnServer } from '../../examples/own-server';
import { PublicServer } from '../../examples/public-server';
import { ScaledToZero } from '../../examples/scaled-to-zero';
import { Small } from '../../examples/small';
import { PrefectApi, PrefectFargateWorker, PrefectFargateWorkerProps, Results, WorkerType, WorkPool } from '../../src';
import { UNITS } from '../../src/demand/metrics';
import { FARGATE_PRICES, REFERENCE_REGION } from '../../src/private/fargate-prices';
import { scenarios } from '../../test/scenarios';

/**
 * What a template costs while nothing runs but the workers: counted in the template, times AWS's list prices for us-east-1.
 */
export const HOURS = 730;
// test/validators judges templates; here it would only be slow.
process.env.CDK_VALIDATION = 'false';

const { X86_64, ARM64 } = FARGATE_PRICES[REFERENCE_REGION];

/** In US dollars, as of 2026-03, and Fargate as the library has it. The pages are in docs/costs.md. */
export const PRICE = {
  vCpuHour: { X86_64: X86_64[0], ARM64: ARM64![0] } as Record<string, number>,
  gigabyteHour: { X86_64: X86_64[1], ARM64: ARM64![1] } as Record<string, number>,
  natGatewayHour: 0.045,
  publicAddressHour: 0.005,
  endpointHour: 0.01,
  key: 1,
  secret: 0.4,
  hostedZone: 0.5,
  alarmMetric: 0.1,
  fastAlarmMetric: 0.3,
  compositeAlarm: 0.5,
  dashboard: 3,
  metric: 0.3,
  thousandPuts: 0.01,
  tenThousandReadings: 0.05,
  storedImageGigabyte: 0.1,
  natGatewayGigabyte: 0.045,
  functionGigabyteSecond: 0.0000133334,
  millionCalls: 0.2,
};
/** What the official images take in a registry, about. */
const IMAGE_GIGABYTES = 0.3;
/** A flow run of the default size, for as long. */
const FLOW_RUN_MINUTES = 10;
/** Requests a minute for each worker: the demand is published once; its function reads the API's secret once, the one that looks for lost runs twice. */
const [PUTS, READINGS] = [1, 3];
/** What a worker's turns of the two functions take in a minute while nothing is due. */
const [TURNS, SECONDS, GIGABYTES] = [2, 1, 0.25];
export interface Line {
  readonly what: string;
  readonly arithmetic: string;
  readonly dollars: number;
}

export const BUILDS: Record<string, (app: App) => Stack> = {
  default: app => scenarios.find(({ name }) => name === 'ecs')!.build(app),
  small: app => new Small(app, 'Small'),
  ownServer: app => new OwnServer(app, 'OwnServer'),
  publicServer: app => new PublicServer(app, 'PublicServer'),
  zero: app => new ScaledToZero(app, 'ScaledToZero', { env: { account: '123456789012', region: 'us-east-1' } }),
};

function templateOf(build: string): any {
  return Template.fromStack(BUILDS[build](new App({ analyticsReporting: false }))).toJSON();
}

/** The bill of a build, line by line, as a table. */
export function costs(build: string): string {
  const template = templateOf(build);
  const lines = /Server$/.test(build) ? serverBill(template) : bill(template);
  const rows = lines.map(({ what, arithmetic, dollars }) => `| ${what} | ${arithmetic} | ${dollars.toFixed(2)} |`);
  return ['| what | arithmetic | $ a month |', '| --- | --- | ---: |', ...rows, `| **in all** | | **${total(lines).toFixed(2)}** |`].join('\n');
}

/** What the quick start costs, and what less costs, in a sentence. */
export function quickStartPrice(): string {
  const [usual, small, zero] = ['default', 'small', 'zero'].map(build => total(bill(templateOf(build))));
  return `**It costs** about $${usual.toFixed(0)} a month in us-east-1 while no flow runs, most of it for the NAT gateways and endpoints of its own network. `
    + `[A small one](docs/costs.md#small) costs $${small.toFixed(0)}, [one that scales to zero](docs/costs.md#scaled-to-zero) in an existing VPC $${zero.toFixed(0)}; `
    + '[a further pool and a flow run](docs/costs.md#a-further-worker) are listed there too.';
}

/** What one flow run of the default size costs, by where its task pulls the image from. */
export function flowRunCosts(): string {
  const { vCpuHour, gigabyteHour, natGatewayGigabyte } = PRICE;
  const compute = (0.5 * vCpuHour.X86_64 + gigabyteHour.X86_64) * FLOW_RUN_MINUTES / 60;
  const pulled = IMAGE_GIGABYTES * natGatewayGigabyte;
  const row = (what: string, arithmetic: string, dollars: number) => `| ${what} | ${arithmetic} | ${dollars.toFixed(4)} |`;
  return [
    '| what | arithmetic | $ a run |',
    '| --- | --- | ---: |',
    row(`${FLOW_RUN_MINUTES} minutes of half a vCPU and 1 GiB`, `(0.5 × ${vCpuHour.X86_64} + ${gigabyteHour.X86_64}) × ${FLOW_RUN_MINUTES} ÷ 60`, compute),
    row('its image from Amazon ECR, layers through the S3 endpoint', `${IMAGE_GIGABYTES} GB × 0`, 0),
    row('its image from Docker Hub, through a NAT gateway', `${IMAGE_GIGABYTES} GB × ${natGatewayGigabyte}`, pulled),
  ].join('\n');
}

/** What one more idle worker adds to a stack with one of each type, in their VPC and cluster. */
export function furtherWorkerCosts(): string {
  const [before, ...after] = [[], [WorkerType.ECS], [WorkerType.PROCESS]].map(more =>
    bill(Template.fromStack(together([WorkerType.ECS, WorkerType.PROCESS, ...more])).toJSON()));
  const minutes = 60 * HOURS;
  const turns = TURNS * minutes * (SECONDS * GIGABYTES * PRICE.functionGigabyteSecond + PRICE.millionCalls / 1e6);
  const of = (lines: readonly Line[], name: string) => lines.filter(({ what }) => what === name).reduce((sum, { dollars }) => sum + dollars, 0);
  const rows = [
    ...[...new Set(after.flat().map(({ what }) => what))].map(what => [what, ...after.map(lines => of(lines, what) - of(before, what))] as const),
    [`its turns of the functions: ${TURNS} × ${minutes} × (${SECONDS} s × ${GIGABYTES} GB × ${PRICE.functionGigabyteSecond} + ${PRICE.millionCalls} ÷ 10⁶)`, turns, turns] as const,
  ].filter(([, ...dollars]) => dollars.some(amount => amount > 0.005));
  const sum = (index: 1 | 2) => rows.reduce((all, row) => all + row[index], 0).toFixed(2);
  return [
    '| what | ECS, two workers, $ a month | PROCESS, from zero, $ a month |', '| --- | ---: | ---: |',
    ...rows.map(([what, ...dollars]) => `| ${what} | ${dollars.map(amount => amount.toFixed(2)).join(' | ')} |`),
    `| **in all** | **${sum(1)}** | **${sum(2)}** |`,
  ].join('\n');
}

/** Off by default, each beside the same worker without it: without the dashboard, which counts costs by itself. */
const UNSEEN = { dashboard: false };
const WITH: Record<string, Partial<PrefectFargateWorkerProps>> = {
  '`verify`': { verify: true },
  '[`results`](results.md)': { results: Results.managed() },
  '`flowRunDefaults.outOfMemory`': { workPool: WorkPool.managed('pool0', { flowRunDefaults: { outOfMemory: { maxMemoryMiB: 8192, remember: true } } }) },
  '[costs that are seen](#costs-that-are-seen), with `monthlyBudget`': { observability: { ...UNSEEN, monthlyBudget: 500 } },
};

/** What each of the features that are off by default adds to a stack with an idle worker. */
export function featureCosts(): string {
  const counted = (props?: Partial<PrefectFargateWorkerProps>) => {
    const template = Template.fromStack(together([WorkerType.ECS], { observability: UNSEEN, ...props })).toJSON();
    return { resources: Object.keys(template.Resources).length, dollars: total(bill(template)) };
  };
  const without = counted();
  const rows = Object.entries(WITH).map(([name, props]) => {
    const { resources, dollars } = counted(props);
    return `| ${name} | ${resources - without.resources} | ${(dollars - without.dollars).toFixed(2)} |`;
  });
  return ['| | resources | $ a month |', '| --- | ---: | ---: |', ...rows].join('\n');
}

export function cloud(stack: Stack): PrefectApi {
  return PrefectApi.cloud({
    accountId: '11111111-2222-3333-4444-555555555555',
    workspaceId: '66666666-7777-8888-9999-000000000000',
    apiKey: ecs.Secret.fromSecretsManager(new secretsmanager.Secret(stack, 'ApiKey')),
  });
}

function together(types: readonly WorkerType[], props: Partial<PrefectFargateWorkerProps> = {}): Stack {
  const stack = new Stack(new App({ analyticsReporting: false }), 'Stack');
  const api = cloud(stack);
  let first: PrefectFargateWorker | undefined;
  types.forEach((workerType, index) => {
    const scaling = workerType === WorkerType.PROCESS ? { minWorkers: 0 } : undefined;
    const worker = new PrefectFargateWorker(stack, `Worker${index}`, { api, workerType, workPool: WorkPool.managed(`pool${index}`), vpc: first?.vpc, cluster: first?.cluster, scaling, ...props });
    first ??= worker;
  });
  return stack;
}

export const total = (lines: readonly Line[]) => lines.reduce((sum, { dollars }) => sum + Number(dollars.toFixed(2)), 0);

/** What a template's resources cost while nothing is due. */
export function bill(template: any): Line[] {
  const resources = Object.values<any>(template.Resources);
  const of = (type: string): any[] => resources.filter(({ Type }) => Type === type).map(({ Properties }) => Properties ?? {});
  const hourly = (what: string, count: number, price: number): Line =>
    ({ what, arithmetic: `${count} × ${price} × ${HOURS} h`, dollars: count * price * HOURS });
  const monthly = (what: string, count: number, price: number): Line => ({ what, arithmetic: `${count} × ${price}`, dollars: count * price });
  const endpoints = of('AWS::EC2::VPCEndpoint').filter(({ VpcEndpointType }) => VpcEndpointType === 'Interface');
  return [
    ...of('AWS::ECS::Service').flatMap(service => workers(service, template, of('AWS::ApplicationAutoScaling::ScalableTarget'))),
    hourly('NAT gateways', of('AWS::EC2::NatGateway').length, PRICE.natGatewayHour),
    hourly('their public addresses', of('AWS::EC2::EIP').length, PRICE.publicAddressHour),
    hourly('interface endpoints, in each zone', endpoints.reduce((sum, { SubnetIds }) => sum + SubnetIds.length, 0), PRICE.endpointHour),
    monthly('KMS key', of('AWS::KMS::Key').length, PRICE.key),
    monthly('secret with the API key', 1, PRICE.secret),
    monthly('Cloud Map namespace', of('AWS::ServiceDiscovery::PrivateDnsNamespace').length, PRICE.hostedZone),
    monthly('metrics of demand, costs, looks at flow runs and log errors', published(of('AWS::Events::Rule')) + of('AWS::Logs::MetricFilter').length, PRICE.metric),
    monthly('thousand metrics published', of('AWS::ECS::Service').length * PUTS * 60 * HOURS / 1000, PRICE.thousandPuts),
    monthly('ten thousand readings of the secret', of('AWS::ECS::Service').length * READINGS * 60 * HOURS / 10_000, PRICE.tenThousandReadings),
    monthly('metrics under alarms', metricsUnder(of('AWS::CloudWatch::Alarm').filter(alarm => !isFast(alarm))), PRICE.alarmMetric),
    monthly('metrics under alarms that look every ten seconds', metricsUnder(of('AWS::CloudWatch::Alarm').filter(isFast)), PRICE.fastAlarmMetric),
    monthly('composite alarms', of('AWS::CloudWatch::CompositeAlarm').length, PRICE.compositeAlarm),
    monthly('GB of copied images', of('Custom::ImageCopy').length * IMAGE_GIGABYTES, PRICE.storedImageGigabyte),
    monthly('dashboard', of('AWS::CloudWatch::Dashboard').length, PRICE.dashboard),
  ].filter(({ dollars, what }) => dollars > 0 || what === 'workers');
}

/** What the publisher sends for each worker: how many workers are needed only where their number isn't fixed. And whether looks at its flow runs fail. */
function published(rules: any[]): number {
  const told = rules.map(({ Targets = [] }) => JSON.stringify(Targets[0]?.Input ?? '').replaceAll('\\', ''));
  const names = (settings: string) => {
    if (/"interruptedRuns":/.test(settings)) return 1;
    if (!/"leadTimeSeconds":/.test(settings)) return 0;
    const counted = /"(flowRunLimit|workers)":\d/.test(settings);
    const priced = /"pricedTask":/.test(settings);
    const warm = /"warmTaskHours":/.test(settings);
    return Object.keys(UNITS).filter(name => (counted || !name.endsWith('Workers') || name === 'OnlineWorkers')
      && (warm || !['UnscheduledWorkers', 'WarmWorkers'].includes(name)) && (priced || name !== 'WorkerCost')).length;
  };
  return told.reduce((sum, settings) => sum + names(settings), 0);
}

const periods = ({ Period, Metrics = [] }: any): number[] => [Period, ...Metrics.map(({ MetricStat }: any) => MetricStat?.Period)].filter(Boolean);
const isFast = (alarm: any) => Math.min(...periods(alarm)) < 60;

/** An alarm over a metric math expression is billed for each metric in it. */
function metricsUnder(alarms: any[]): number {
  return alarms.reduce((sum, alarm) => sum + periods(alarm).length, 0);
}

/** The least that always run: what Auto Scaling may go down to, or what the service asks for. */
function workers(service: any, { Resources }: any, scaled: any[]): Line[] {
  const task = Resources[service.TaskDefinition.Ref].Properties;
  const [id] = Object.entries<any>(Resources).find(([, { Properties }]) => Properties === service)!;
  const target = scaled.find(({ ResourceId }) => JSON.stringify(ResourceId).includes(`"${id}"`));
  const count = target?.MinCapacity ?? service.DesiredCount ?? 0;
  const architecture = task.RuntimePlatform?.CpuArchitecture ?? 'X86_64';
  const [vCpu, gigabytes] = [Number(task.Cpu) / 1024, Number(task.Memory) / 1024];
  const [cpuPrice, memoryPrice] = [PRICE.vCpuHour[architecture], PRICE.gigabyteHour[architecture]];
  return [{
    what: 'workers',
    arithmetic: `${count} × (${vCpu} vCPU × ${cpuPrice} + ${gigabytes} GB × ${memoryPrice}) × ${HOURS} h`,
    dollars: count * (vCpu * cpuPrice + gigabytes * memoryPrice) * HOURS,
  }];
}
