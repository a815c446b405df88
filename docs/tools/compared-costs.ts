import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { bill, BUILDS, cloud, HOURS, Line, PRICE, total } from './costs';
import { PrefectFargateWorker, WorkerType, WorkPool } from '../../src';

/** Of the default network, and for endpoints against NAT gateways. */
const ZONES = 2;
const PRIVATE_LINK_GIGABYTE = 0.01;
/** `prefect-aws ecs-worker deploy-service` by its template's defaults: one worker of 1 vCPU and 2 GB, in a network that is there. */
const OFFICIAL = (PRICE.vCpuHour.X86_64 + 2 * PRICE.gigabyteHour.X86_64) * HOURS;
/** Half of fifty pools' workers are of each type, five in a stack, as docs/scale.md has them. */
const [STACKS, A_STACK] = [10, 5];

/** What idle workers cost in several set-ups, and beside them what the official template does. */
export function comparedCosts(): string {
  const network = (lines: readonly Line[]) => total(lines.filter(({ what }) => /NAT|addresses|endpoints/.test(what)));
  const workers = (lines: readonly Line[]) => total(lines.filter(({ what }) => what === 'workers'));
  const row = (what: string, lines: readonly Line[]) =>
    `| ${what} | ${workers(lines).toFixed(0)} | ${network(lines).toFixed(0)} | ${(total(lines) - workers(lines) - network(lines)).toFixed(0)} | **${total(lines).toFixed(0)}** |`;
  const one = (build: (app: App) => Stack) => bill(Template.fromStack(build(new App({ analyticsReporting: false }))).toJSON());
  return [
    '| set-up | workers | network | alarms, metrics, the rest | in all, $ a month |', '| --- | ---: | ---: | ---: | ---: |',
    row('the default: two ECS workers, a NAT gateway and endpoints in each zone', one(BUILDS.default)),
    row('the same with one NAT gateway and without endpoints', one(oneNatGateway)),
    row('[small](#small)', one(BUILDS.small)),
    row('[scaled to zero](#scaled-to-zero), in a VPC that is there', one(BUILDS.zero)),
    row(`fifty pools, half of them ECS and half PROCESS from zero, in ${STACKS} stacks and one VPC`, fifty()),
    `| official template, \`prefect-aws ecs-worker deploy-service\`: one worker of 1 vCPU, in a VPC that is there | ${OFFICIAL.toFixed(0)} | 0 | 0 | **${OFFICIAL.toFixed(0)}** |`,
  ].join('\n');
}

/** From how much traffic on an endpoint costs less than the NAT gateway that is there anyway. */
export function endpointsAgainstNat(): string {
  const { endpointHour, natGatewayGigabyte } = PRICE;
  const [fixed, saved] = [ZONES * endpointHour * HOURS, natGatewayGigabyte - PRIVATE_LINK_GIGABYTE];
  return `An interface endpoint in ${ZONES} zones costs ${ZONES} × ${endpointHour} × ${HOURS} h = $${fixed.toFixed(2)} a month and ${PRIVATE_LINK_GIGABYTE} a GB, a NAT gateway that is there `
    + `anyway ${natGatewayGigabyte} a GB: an endpoint costs less from ${fixed.toFixed(2)} ÷ (${natGatewayGigabyte} − ${PRIVATE_LINK_GIGABYTE}) = **${Math.round(fixed / saved)} GB a month** on. `
    + 'Few workers have that much traffic with one service; endpoints are for networks without other egress, and for traffic that must not leave AWS. The gateway endpoint for Amazon S3, '
    + 'through which images come, costs nothing.';
}

function oneNatGateway(app: App): Stack {
  const stack = new Stack(app, 'OneNatGateway');
  new PrefectFargateWorker(stack, 'Worker', { api: cloud(stack), workPool: WorkPool.managed('etl'), network: { natGateways: 1, vpcEndpoints: false } });
  return stack;
}

function fifty(): Line[] {
  const app = new App({ analyticsReporting: false });
  let first: PrefectFargateWorker | undefined;
  const stacks = Array.from({ length: STACKS }, (_, index) => {
    const stack = new Stack(app, `Stack${index}`);
    const api = cloud(stack);
    for (let number = 0; number < A_STACK; number++) {
      const workerType = (index * A_STACK + number) % 2 === 0 ? WorkerType.ECS : WorkerType.PROCESS;
      const worker: PrefectFargateWorker = new PrefectFargateWorker(stack, `Worker${number}`, {
        api,
        workerType,
        workPool: WorkPool.managed(`pool-${index}-${number}`),
        vpc: first?.vpc,
        cluster: first?.cluster,
        scaling: workerType === WorkerType.PROCESS ? { minWorkers: 0 } : undefined,
      });
      first ??= worker;
    }
    return stack;
  });
  return stacks.flatMap(stack => bill(Template.fromStack(stack).toJSON()));
}
