import { mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, IncomingMessage, ServerResponse } from 'node:http';
import { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuSecondsOf, peakOf } from './measured-process';
import { bars } from './plot';
import { median, option, report, spread, table } from './report';
import { workerCommand } from '../src/task/command';
import { LOGGING, RETRIES, THROTTLING } from '../src/task/environment';
import { workerSize } from '../src/task/size';
import { BaseJobTemplate, fillTemplate } from '../src/work-pool/base-job-template';
import { WorkerType } from '../src/worker-type';
import { Prefect } from '../test/live/support/prefect';
import { pythonEnvironment } from '../test/python/environment';
import { Child, endGroup, startGroup } from '../test/stand-in/child';
import { startPrefectServer } from '../test/stand-in/prefect-server';
import { offeredTemplates } from '../test/support/offered-templates';
import { configurationOf, templateOf } from '../test/support/worker';

/**
 * How many flow runs a minute real ECS workers of prefect-aws submit, and what of CPU and memory that takes, beside the official command, with a real
 * Prefect server on PostgreSQL and a RunTask that takes as long as Amazon's: `npm run bench:ecs-worker [-- --runs 100] [-- --rounds 2] [-- --update]`.
 * Linux only. A worker has its share of a CPU where this runs as root with version 1 of control groups.
 */
const [RUNS, ROUNDS] = [option('--runs', 100), option('--rounds', 2)];
/** Seconds that RunTask takes. */
const [LEAST, MOST] = [0.35, 0.9];
const CPU = workerSize(WorkerType.ECS).cpu;
const CONTENDERS = [
  { name: 'official command, 1 worker', workers: 1, ours: false },
  { name: 'this library, 1 worker', workers: 1, ours: true },
  { name: 'official command, 2 workers', workers: 2, ours: false },
  { name: 'this library, 2 workers', workers: 2, ours: true },
];

interface Measured {
  /** From the first claim to the last task. */
  readonly submissionsAMinute: number;
  readonly cpuSecondsASubmission: number;
  /** Of a worker until it is online. */
  readonly cpuSecondsOfStart: number;
  /** Of a worker. */
  readonly peakMiB: number;
  /** Runs that two workers wanted, and one did not get. */
  readonly aborted: number;
}

/** Amazon ECS and SQS, as far as a worker asks them; notes when each flow run's task was run. */
class Aws {
  public readonly ran: { readonly at: number; readonly run: string }[] = [];
  private readonly http = createServer((request, response) => void this.serve(request, response));

  public async start(): Promise<string> {
    await new Promise<void>(resolve => this.http.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.http.address() as AddressInfo).port}`;
  }

  public stop(): void {
    this.http.closeAllConnections();
    this.http.close();
  }

  private async serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of incoming) text += chunk;
    const answer = await this.answer(`${incoming.headers['x-amz-target']}`.split('.')[1], text ? JSON.parse(text) : {});
    outgoing.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' });
    outgoing.end(JSON.stringify(answer));
  }

  private async answer(action: string, body: any): Promise<object> {
    const arn = (what: string) => `arn:aws:ecs:us-east-1:123456789012:${what}`;
    switch (action) {
      case 'RegisterTaskDefinition': return { taskDefinition: { ...body, taskDefinitionArn: arn(`task-definition/${body.family}:1`), revision: 1, status: 'ACTIVE' } };
      case 'RunTask': {
        await sleep(1000 * (LEAST + Math.random() * (MOST - LEAST)));
        const tags: { key: string; value: string }[] = body.tags ?? [];
        this.ran.push({ at: Date.now(), run: tags.find(({ key }) => key === 'prefect.io/flow-run-id')?.value ?? '' });
        return { tasks: [{ taskArn: arn(`task/live/${this.ran.length}`), clusterArn: arn('cluster/live'), lastStatus: 'PROVISIONING', desiredStatus: 'RUNNING', tags }], failures: [] };
      }
      case 'GetQueueUrl': return { QueueUrl: 'http://sqs/queue' };
      case 'ReceiveMessage': await sleep(5000); return {};
      default: return {};
    }
  }
}

/** A share of a CPU, as a task has it; undefined where this machine can't give one. */
function share(): string | undefined {
  const directory = `/sys/fs/cgroup/cpu/bench-ecs-worker-${process.pid}-${Math.random().toString(36).slice(2)}`;
  try {
    mkdirSync(directory);
    writeFileSync(join(directory, 'cpu.cfs_period_us'), '100000');
    writeFileSync(join(directory, 'cpu.cfs_quota_us'), `${Math.round(CPU / 1024 * 100_000)}`);
    return directory;
  } catch {
    process.stderr.write('Workers have all of this machine\'s CPU: it gives no shares.\n');
    return undefined;
  }
}

/** Both kinds of workers have the pool of the library: what they submit is the same. */
async function measure(
  { workers: count, ours }: typeof CONTENDERS[number], prefect: Prefect, aws: Aws, endpoint: string, pool: string, template: BaseJobTemplate,
): Promise<Measured> {
  const { bin } = await pythonEnvironment();
  await prefect.call('POST', '/work_pools/', { name: pool, type: 'ecs', base_job_template: template });
  const deployment = await prefect.deploy(pool, { workPool: pool, entrypoint: 'flows.py:any', directory: '.' });
  const command = ours ? workerCommand({ workPoolName: pool, workerType: WorkerType.ECS }) : ['prefect', 'worker', 'start', '--pool', pool, '--type', 'ecs', '--with-healthcheck'];
  const directory = mkdtempSync(join(tmpdir(), 'ecs-workers-'));
  const environment = {
    PATH: `${bin}${delimiter}${process.env.PATH}`,
    HOME: directory,
    PREFECT_API_URL: prefect.apiUrl,
    PREFECT_WORKER_WEBSERVER_PORT: '0',
    // The pool's template has it as a secret of its flow runs.
    PREFECT_API_KEY: 'test',
    AWS_ENDPOINT_URL: endpoint,
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    ...(ours && { ...LOGGING, ...RETRIES, ...THROTTLING }),
  };
  const [workers, shares]: [Child[], (string | undefined)[]] = [[], []];
  let log = '';
  const wait = async (seconds: number, until: () => boolean | Promise<boolean>) => {
    for (const giveUp = Date.now() + seconds * 1000; !await until(); await sleep(250)) {
      if (Date.now() > giveUp || log.includes('as crashed')) throw new Error(`${aws.ran.length} runs are submitted: ${log.slice(-2000)}`);
    }
  };
  try {
    for (let index = 0; index < count; index++) {
      const limited = share();
      shares.push(limited);
      const enter = limited ? `echo $$ > ${limited}/cgroup.procs; ` : '';
      const worker = startGroup('/bin/sh', ['-c', `${enter}exec "$@"`, 'worker', ...command], { cwd: directory, env: environment });
      for (const stream of [worker.stdout, worker.stderr]) stream.on('data', chunk => { log += chunk; });
      workers.push(worker);
    }
    await wait(180, async () => (await prefect.onlineWorkers(pool)).length >= count);
    const used = () => workers.reduce((sum, { pid }) => sum + cpuSecondsOf(pid!), 0);
    const ofStart = used();
    aws.ran.splice(0);
    for (let made = 0; made < RUNS; made += 100) {
      await prefect.call('POST', `/deployments/${deployment}/create_flow_run/bulk`, Array.from({ length: Math.min(100, RUNS - made) }, () => ({ state: { type: 'SCHEDULED' } })));
    }
    await wait(600, () => new Set(aws.ran.map(({ run }) => run)).size >= RUNS);
    if (aws.ran.length > RUNS) throw new Error(`${aws.ran.length - RUNS} runs were submitted twice.`);
    const states = await Promise.all(aws.ran.map(({ run }) => prefect.call<{ type: string; timestamp: string }[]>('GET', `/flow_run_states/?flow_run_id=${run}`)));
    const claims = states.flat().filter(({ type }) => type === 'PENDING').map(({ timestamp }) => Date.parse(timestamp));
    return {
      submissionsAMinute: RUNS / (Math.max(...aws.ran.map(({ at }) => at)) - Math.min(...claims)) * 60_000,
      cpuSecondsASubmission: (used() - ofStart) / RUNS,
      cpuSecondsOfStart: ofStart / count,
      peakMiB: Math.max(...workers.map(({ pid }) => peakOf(pid!))),
      aborted: log.split('Aborted submission').length - 1,
    };
  } finally {
    await Promise.all(workers.map(worker => endGroup(worker, 30_000)));
    await sleep(1000);
    for (const limited of shares) if (limited) rmdirSync(limited);
    rmSync(directory, { recursive: true, force: true });
  }
}

async function main(): Promise<void> {
  const template = fillTemplate((await offeredTemplates()).ecs, undefined, configurationOf(templateOf()).template);
  const server = await startPrefectServer({ database: 'postgres' });
  const aws = new Aws();
  const results = CONTENDERS.map((): Measured[] => []);
  try {
    const endpoint = await aws.start();
    for (let round = 0; round < ROUNDS; round++) {
      for (let turn = 0; turn < CONTENDERS.length; turn++) {
        const index = (turn + round) % CONTENDERS.length;
        results[index].push(await measure(CONTENDERS[index], new Prefect(server.apiUrl), aws, endpoint, `pool-${index}-${round}`, template));
        process.stderr.write(`${CONTENDERS[index].name}: ${JSON.stringify(results[index][round])}\n`);
      }
    }
  } finally {
    aws.stop();
    await server.stop();
  }
  const of = (index: number, pick: (one: Measured) => number) => results[index].map(pick);
  const ratio = (index: number, to: number) =>
    spread(of(index, one => one.submissionsAMinute).map((own, round) => own / results[to][round].submissionsAMinute));
  const header = ['workers', 'submissions a minute', 'beside the official command', 'beside one worker', 'CPU seconds a submission', 'CPU seconds of a worker\'s start',
    'MiB of a worker', 'claims in vain'];
  const text = table(header, CONTENDERS.map(({ name }, index) => [
    name,
    spread(of(index, one => one.submissionsAMinute), 0),
    ratio(index, index - index % 2),
    ratio(index, index % 2),
    median(of(index, one => one.cpuSecondsASubmission)).toFixed(3),
    median(of(index, one => one.cpuSecondsOfStart)).toFixed(1),
    median(of(index, one => one.peakMiB)).toFixed(0),
    spread(of(index, one => one.aborted), 0),
  ]));
  const rows = CONTENDERS.map(({ name }, index) => ({ name, values: [median(of(index, one => one.submissionsAMinute))] }));
  report('ecs-worker', text, { 'ecs-worker': bars({ title: `Flow runs that ECS workers submit, with ${CPU} CPU units each`, unit: 'a minute', rows }) });
}

main().catch(error => {
  console.error(error);
  process.exitCode = 1;
});
