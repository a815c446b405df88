import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';
import { measured, Used } from './measured-process';
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
const README = join(__dirname, 'README.md');
const option = (name: string, otherwise: number) => (process.argv.includes(name) ? Number(process.argv[process.argv.indexOf(name) + 1]) : otherwise);
const [FLOW_RUNS, OF_WORKER, ROUNDS] = [option('--flow-runs', 10), option('--of-worker', 24), option('--rounds', 2)];
const FLOWS = join(__dirname, '..', 'test', 'live', 'support');
const [POOL, AT_A_TIME] = ['processes', 4];
const TASK = 'arn:aws:ecs:us-east-1:123456789012:task/cluster/0123456789abcdef';

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

interface Start extends Used {
  /** From the container's start until the flow run was Running. */
  readonly toRunning: number;
}

interface Work extends Used {
  readonly runsAMinute: number;
}

/** The official command, the same with the library's settings of Prefect, and the library's own. */
const WAYS = ['official', 'settings', 'library'] as const;
type Way = (typeof WAYS)[number];

class Bench {
  public constructor(private readonly prefect: Prefect, private readonly python: string, private readonly environment: Record<string, string>) {}

  /** A flow run's container, as the official image starts it, or as the library does. */
  public async start(deployment: string, way: Way, metadata: string): Promise<Start> {
    const id = await this.prefect.schedule(deployment, Date.now());
    // As an ECS worker leaves it behind.
    await this.prefect.call('POST', `/flow_runs/${id}/set_state`, { state: { type: 'PENDING' } });
    await this.prefect.call('PATCH', `/flow_runs/${id}`, { infrastructure_pid: `cluster::${TASK}` });
    const ours = way === 'library';
    const environment = {
      ...this.environment,
      PREFECT__FLOW_RUN_ID: id,
      ...(way !== 'official' && FLOW_RUN_ENVIRONMENT),
      ...(ours && { ...FLOW_RUN.environment, ECS_CONTAINER_METADATA_URI_V4: metadata }),
    };
    const used = await measured(this.python, ours ? FLOW_RUN.command : ['prefect', 'flow-run', 'execute'], environment, FLOWS).used;
    const run = await this.prefect.call<{ state_type: string; start_time: string }>('GET', `/flow_runs/${id}`);
    if (run.state_type !== 'COMPLETED') throw new Error(`The flow run is ${run.state_type}.`);
    return { ...used, toRunning: (Date.parse(run.start_time) - used.begun) / 1000 };
  }

  /** A PROCESS worker for some flow runs. */
  public async work(deployment: string, way: Way): Promise<Work> {
    const official = ['prefect', 'worker', 'start', '--pool', POOL, '--type', 'process', '--limit', `${AT_A_TIME}`, '--with-healthcheck'];
    const command = way === 'library' ? workerCommand({ workPoolName: POOL, workerType: WorkerType.PROCESS, flowRunLimit: AT_A_TIME }) : official;
    const ids = await Promise.all(Array.from({ length: OF_WORKER }, () => this.prefect.start(deployment)));
    const settings = way === 'official' ? {} : { ...LOGGING, ...RETRIES, ...HEARTBEAT_ENVIRONMENT };
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
  try {
    const prefect = new Prefect(server.apiUrl);
    const bench = new Bench(prefect, python, { PATH: `${bin}${delimiter}${process.env.PATH}`, HOME: server.directory, PREFECT_HOME: server.directory, PREFECT_API_URL: server.apiUrl });
    await prefect.call('POST', '/work_pools/', { name: POOL, type: 'process' });
    const deployment = await prefect.deploy('hello', { workPool: POOL, entrypoint: 'flows.py:hello', directory: FLOWS });

    const [starts, works] = [new Map<Way, Start[]>(WAYS.map(way => [way, []])), new Map<Way, Work[]>(WAYS.map(way => [way, []]))];
    // The first round fills caches, and does not count. The order changes from round to round.
    const inTurn = (index: number) => WAYS.map((_, place) => WAYS[(place + index + 1) % WAYS.length]);
    for (let index = -1; index < FLOW_RUNS; index++) {
      process.stderr.write(`\rflow run ${index + 2} of ${FLOW_RUNS + 1} `);
      for (const way of inTurn(index)) {
        const start = await bench.start(deployment, way, `http://127.0.0.1:${(metadata.address() as AddressInfo).port}`);
        if (index >= 0) starts.get(way)!.push(start);
      }
    }
    for (let index = 0; index < ROUNDS; index++) {
      process.stderr.write(`\rworker ${index + 1} of ${ROUNDS}     `);
      for (const way of inTurn(index)) works.get(way)!.push(await bench.work(deployment, way));
    }
    process.stderr.write('\n');
    const text = table(starts, works);
    console.log(text);
    if (process.argv.includes('--update')) {
      writeFileSync(README, readFileSync(README, 'utf8').replace(/(<!-- start -->\n)[^]*?(<!-- end of start -->)/, (_, start, end) => `${start}\n${text}\n\n${end}`));
    }
  } finally {
    metadata.close();
    await server.stop();
  }
}

function table(starts: Map<Way, Start[]>, works: Map<Way, Work[]>): string {
  function row<T>(what: string, values: Map<Way, T[]>, pick: (one: T) => number, digits: number): string {
    const of = (way: Way) => values.get(way)!.map(pick);
    const ratio = (to: Way) => median(of('library').map((own, index) => own / of(to)[index])).toFixed(2);
    return `| ${what} | ${WAYS.map(way => median(of(way)).toFixed(digits)).join(' | ')} | ${ratio('official')} | ${ratio('settings')} |`;
  }
  const known = <T extends Used>(values: Map<Way, T[]>) => values.get('library')![0].peakMiB !== undefined;
  return [
    '| what | official command | with the library\'s settings | this library | ratio | its programs |', '| --- | ---: | ---: | ---: | ---: | ---: |',
    row('a flow run of an ECS worker: seconds from the start of its container until it is Running', starts, ({ toRunning }) => toRunning, 2),
    row('its CPU seconds until it has ended', starts, ({ cpuSeconds }) => cpuSeconds, 2),
    ...(known(starts) ? [row('its memory, MiB', starts, ({ peakMiB }) => peakMiB!, 0)] : []),
    row(`flow runs a minute of a PROCESS worker, ${AT_A_TIME} at a time, its own start included`, works, ({ runsAMinute }) => runsAMinute, 1),
    row('CPU seconds a flow run', works, ({ cpuSeconds }) => cpuSeconds / OF_WORKER, 2),
    ...(known(works) ? [row('memory of the worker with its flow runs, MiB', works, ({ peakMiB }) => peakMiB!, 0)] : []),
  ].join('\n');
}

main().catch(error => {
  console.error(error);
  process.exitCode = 1;
});
