import { createServer } from 'node:http';
import { AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { measured, ResourceUse } from './measured-process';
import { bars } from './plot';
import { median, option, report, spread, table } from './report';
import { FLOW_RUN, workerCommand } from '../src/task/command';
import { FLOW_RUN_ENVIRONMENT, HEARTBEAT_ENVIRONMENT, LOGGING, RETRIES } from '../src/task/environment';
import { WorkerType } from '../src/worker-type';
import { Prefect } from '../test/live/support/prefect';
import { pythonEnvironment } from '../test/python/environment';
import { startPrefectServer } from '../test/stand-in/prefect-server';

/**
 * What the library's programs add to a flow run's start and to a worker, beside the commands of Prefect's own images, with a real server:
 * `npm run bench:start [-- --flow-runs 10 --of-worker 24 --rounds 2] [--update]`
 */
const [FLOW_RUNS, OF_WORKER, ROUNDS] = [option('--flow-runs', 10), option('--of-worker', 24), option('--rounds', 2)];
const FLOWS = join(__dirname, '..', 'test', 'live', 'support');
const [POOL, AT_A_TIME] = ['processes', 4];
const TASK = 'arn:aws:ecs:us-east-1:123456789012:task/cluster/0123456789abcdef';

interface Start extends ResourceUse {
  /** From the container's start until the flow run was Running. */
  readonly toRunning: number;
  /** The seconds of each of the PARTS. */
  readonly parts: readonly number[];
}

/** What the time of a flow run's container goes into, each up to a request to the API or to the end. */
const PARTS = ['Python and Prefect\'s command load', 'its engine loads, and then the flow', 'the flow runs', 'both end'];

interface Work extends ResourceUse {
  readonly runsAMinute: number;
}

/** The official command, the same with the library's settings of Prefect, and the library's own. */
const VARIANTS = ['official', 'settings', 'library'] as const;
type Variant = (typeof VARIANTS)[number];
const TITLES: Record<Variant, string> = { official: 'official command', settings: 'with the library\'s settings', library: 'this library' };

/** A way to the server that notes when Prefect first asks it, and when a flow run's state is to be one that ends a part. */
class Timed {
  private begun: (number | undefined)[] = [];
  private readonly server;

  public constructor(to: string) {
    const { hostname, port } = new URL(to);
    this.server = createTcpServer(client => {
      const upstream = connect(Number(port), hostname);
      client.on('data', chunk => {
        const text = chunk.toString('latin1');
        [/^user-agent: prefect/im, /"type": ?"RUNNING"/, /"type": ?"COMPLETED"/].forEach((sign, part) => { if (sign.test(text)) this.begun[part] ??= Date.now(); });
      });
      for (const [from, other] of [[client, upstream], [upstream, client]]) from.pipe(other).on('error', () => from.destroy());
    });
  }

  public async listen(): Promise<string> {
    await new Promise<void>(resolve => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/api`;
  }

  /** Since the last time, in seconds. */
  public parts({ begun, seconds }: ResourceUse): number[] {
    const ends = [begun, ...this.begun, begun + seconds * 1000];
    this.begun = [];
    if (ends.length !== PARTS.length + 1) throw new Error(`Not every part was seen: ${ends}`);
    return PARTS.map((_, part) => (ends[part + 1]! - ends[part]!) / 1000);
  }

  public close(): void {
    this.server.close();
  }
}

class Bench {
  public constructor(
    private readonly prefect: Prefect, private readonly python: string, private readonly environment: Record<string, string>,
    private readonly timed: Timed, private readonly timedUrl: string,
  ) {}

  /** A flow run's container, as the official image starts it, or as the library does. */
  public async start(deployment: string, variant: Variant, metadata: string): Promise<Start> {
    const id = await this.prefect.schedule(deployment, Date.now());
    // As an ECS worker leaves it behind.
    await this.prefect.call('POST', `/flow_runs/${id}/set_state`, { state: { type: 'PENDING' } });
    await this.prefect.call('PATCH', `/flow_runs/${id}`, { infrastructure_pid: `cluster::${TASK}` });
    const ours = variant === 'library';
    const environment = {
      ...this.environment,
      PREFECT_API_URL: this.timedUrl,
      PREFECT__FLOW_RUN_ID: id,
      ...(variant !== 'official' && FLOW_RUN_ENVIRONMENT),
      ...(ours && { ...FLOW_RUN.environment, ECS_CONTAINER_METADATA_URI_V4: metadata }),
    };
    const used = await measured(this.python, ours ? FLOW_RUN.command : ['prefect', 'flow-run', 'execute'], environment, FLOWS).used;
    const run = await this.prefect.call<{ state_type: string; start_time: string }>('GET', `/flow_runs/${id}`);
    if (run.state_type !== 'COMPLETED') throw new Error(`The flow run is ${run.state_type}.`);
    return { ...used, toRunning: (Date.parse(run.start_time) - used.begun) / 1000, parts: this.timed.parts(used) };
  }

  /** A PROCESS worker for some flow runs. */
  public async work(deployment: string, variant: Variant): Promise<Work> {
    const official = ['prefect', 'worker', 'start', '--pool', POOL, '--type', 'process', '--limit', `${AT_A_TIME}`, '--with-healthcheck'];
    const command = variant === 'library' ? workerCommand({ workPoolName: POOL, workerType: WorkerType.PROCESS, flowRunLimit: AT_A_TIME }) : official;
    const ids = await Promise.all(Array.from({ length: OF_WORKER }, () => this.prefect.start(deployment)));
    const settings = variant === 'official' ? {} : { ...LOGGING, ...RETRIES, ...HEARTBEAT_ENVIRONMENT };
    const worker = measured(this.python, command, { ...this.environment, PREFECT_WORKER_WEBSERVER_PORT: '0', ...settings }, FLOWS);
    for (const id of ids) await this.prefect.waitFor(id, ['COMPLETED'], 300);
    worker.stop();
    const used = await worker.used;
    const times = (await this.prefect.flowRuns(ids) as unknown as { start_time: string; end_time: string }[]);
    const seconds = (Math.max(...times.map(({ end_time: end }) => Date.parse(end))) - used.begun) / 1000;
    return { ...used, runsAMinute: OF_WORKER / seconds * 60 };
  }
}

async function main(): Promise<void> {
  const { bin, python } = await pythonEnvironment();
  const server = await startPrefectServer({ database: 'postgres' });
  const metadata = createServer((request, response) => response.end(JSON.stringify(request.url === '/task' ? { TaskARN: TASK } : {})));
  await new Promise<void>(resolve => metadata.listen(0, '127.0.0.1', resolve));
  const timed = new Timed(server.apiUrl);
  try {
    const prefect = new Prefect(server.apiUrl);
    const environment = { PATH: `${bin}${delimiter}${process.env.PATH}`, HOME: server.directory, PREFECT_HOME: server.directory, PREFECT_API_URL: server.apiUrl };
    const bench = new Bench(prefect, python, environment, timed, await timed.listen());
    await prefect.call('POST', '/work_pools/', { name: POOL, type: 'process' });
    const deployment = await prefect.deploy('hello', { workPool: POOL, entrypoint: 'flows.py:hello', directory: FLOWS });

    const starts = new Map<Variant, Start[]>(VARIANTS.map(variant => [variant, []]));
    const works = new Map<Variant, Work[]>(VARIANTS.map(variant => [variant, []]));
    // The first round fills caches, and does not count. The order changes from round to round.
    const rotated = (index: number) => VARIANTS.map((_, place) => VARIANTS[(place + index + 1) % VARIANTS.length]);
    for (let index = -1; index < FLOW_RUNS; index++) {
      process.stderr.write(`\rflow run ${index + 2} of ${FLOW_RUNS + 1} `);
      for (const variant of rotated(index)) {
        const start = await bench.start(deployment, variant, `http://127.0.0.1:${(metadata.address() as AddressInfo).port}`);
        if (index >= 0) starts.get(variant)!.push(start);
      }
    }
    for (let index = 0; index < ROUNDS; index++) {
      process.stderr.write(`\rworker ${index + 1} of ${ROUNDS}     `);
      for (const variant of rotated(index)) works.get(variant)!.push(await bench.work(deployment, variant));
    }
    process.stderr.write('\n');
    report('start', ...found(starts, works));
  } finally {
    metadata.close();
    timed.close();
    await server.stop();
  }
}

function found(starts: Map<Variant, Start[]>, works: Map<Variant, Work[]>): [string, Record<string, string>] {
  function row<T>(what: string, values: Map<Variant, T[]>, pick: (one: T) => number, digits: number): string[] {
    const of = (variant: Variant) => values.get(variant)!.map(pick);
    const ratio = (to: Variant) => spread(of('library').map((own, index) => own / of(to)[index]), 2, 0.5);
    return [what, ...VARIANTS.map(variant => median(of(variant)).toFixed(digits)), ratio('official'), ratio('settings')];
  }
  const known = <T extends ResourceUse>(values: Map<Variant, T[]>) => values.get('library')![0].peakMiB !== undefined;
  const text = table(['what', ...VARIANTS.map(variant => TITLES[variant]), 'ratio', 'its programs'], [
    row('a flow run of an ECS worker: seconds from the start of its container until it is Running', starts, ({ toRunning }) => toRunning, 2),
    row('its CPU seconds until it has ended', starts, ({ cpuSeconds }) => cpuSeconds, 2),
    ...(known(starts) ? [row('its memory, MiB', starts, ({ peakMiB }) => peakMiB!, 0)] : []),
    row(`flow runs a minute of a PROCESS worker, ${AT_A_TIME} at a time, its own start included`, works, ({ runsAMinute }) => runsAMinute, 1),
    row('CPU seconds a flow run', works, ({ cpuSeconds }) => cpuSeconds / OF_WORKER, 2),
    ...(known(works) ? [row('memory of the worker with its flow runs, MiB', works, ({ peakMiB }) => peakMiB!, 0)] : []),
  ]);
  const partOf = (variant: Variant, part: number) => median(starts.get(variant)!.map(({ parts }) => parts[part]));
  const rows = VARIANTS.map(variant => ({ name: TITLES[variant], values: PARTS.map((_, part) => partOf(variant, part)) }));
  return [text, { start: bars({ title: 'A flow run of an ECS worker, from the start of its container to its end', unit: 's', parts: PARTS, rows, digits: 2 }) }];
}

main().catch(error => {
  console.error(error);
  process.exitCode = 1;
});
