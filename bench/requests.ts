import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildFunctions, functionsAlone, FunctionsUse, MEMORY } from './functions-alone';
import { lines } from './plot';
import { median, options, report, table } from './report';
import { pythonEnvironment } from '../test/python/environment';
import { ReconcilerWorld } from '../test/support/reconciler-world';
import { Requests, requestsIn, SITUATIONS } from '../test/support/request-situations';

/**
 * How many requests a minute the demand publisher and the reconciler send to a real Prefect server on PostgreSQL, how long they take and how much memory,
 * and how often a worker asks that waits: `npm run bench:requests [-- --scheduled 100,10000] [-- --update]`
 */
const SCHEDULED = options('--scheduled', [100, 10_000, 100_000]);
/** Minutes for which the worker is watched, once it has started. */
const WATCHED = 3;

type Found = Requests & FunctionsUse;

async function main(): Promise<void> {
  const world = await ReconcilerWorld.start();
  // What the functions say of each run.
  console.log = () => undefined;
  try {
    buildFunctions();
    const results: Found[][] = [];
    for (const situation of SITUATIONS) {
      const row: Found[] = [];
      for (const scheduled of SCHEDULED) row.push({ ...await requestsIn(situation, world, scheduled), ...await functionsAlone(situation, world) });
      results.push(row);
      process.stderr.write(`${situation.name}: ${JSON.stringify(row)}\n`);
    }
    const waiting = `A worker that waits asks ${await requestsOfWorker(world)} times a minute by itself.`;
    report('requests', `${requests(results)}\n\n${waiting}\n\n${times(results)}`, { requests: plot(results) });
  } finally {
    await world.stop();
  }
}

const number = (value: number) => value.toLocaleString('en-US');
const sum = ({ publisher, reconciler }: Requests) => publisher + reconciler;

function requests(results: readonly Found[][]): string {
  const header = ['where', ...SCHEDULED.map(count => `with ${number(count)} scheduled`), 'publisher + reconciler', 'first minute'];
  return table(header, results.map((row, index) => {
    const last = row[row.length - 1];
    return [SITUATIONS[index].name, ...row.map(sum), `${last.publisher} + ${last.reconciler}`, last.first];
  }));
}

/** From the fewest scheduled runs to the most. */
function times(results: readonly Found[][]): string {
  const from = (row: readonly Found[], pick: (found: Found) => number) => {
    const [first, last] = [row[0], row[row.length - 1]].map(pick);
    return `${number(Math.round(first))} to ${number(Math.round(last))} (${(last / first).toFixed(2)} ×)`;
  };
  const header = ['where', 'a poll, ms', 'of its own CPU', `publisher, MiB of ${MEMORY}`, 'a look, ms', 'of its own CPU', `reconciler, MiB of ${MEMORY}`];
  return table(header, results.map((row, index) => [SITUATIONS[index].name, ...(['poll', 'look'] as const).flatMap(what => [
    from(row, found => median(found[what].milliseconds)),
    from(row, found => median(found[what].cpu)),
    from(row, found => found[what].mebibytes),
  ])]));
}

function plot(results: readonly Found[][]): string {
  const panel = (title: string, pick: (found: Found) => number) => ({ title, lines: results.map(row => row.map(pick)) });
  return lines({
    title: 'A pool, by the number of its scheduled flow runs',
    x: SCHEDULED.map(number),
    names: SITUATIONS.map(({ name }) => name),
    panels: [
      panel('requests a minute', sum),
      panel('a poll, ms, with what the server takes', ({ poll }) => median(poll.milliseconds)),
      panel('of its own CPU, ms', ({ poll }) => median(poll.cpu)),
      panel('publisher, MiB', ({ poll }) => poll.mebibytes),
    ],
  });
}

/** Requests a minute of Prefect's own worker, with its pool empty. */
async function requestsOfWorker(world: ReconcilerWorld): Promise<number> {
  await world.clean();
  const { bin } = await pythonEnvironment();
  const directory = await mkdtemp(join(tmpdir(), 'worker-'));
  const worker = spawn(join(bin, 'prefect'), ['worker', 'start', '--pool', world.pool, '--type', 'ecs'], {
    cwd: directory, stdio: 'ignore', env: { PATH: process.env.PATH, HOME: directory, PREFECT_API_URL: `${world.origin}/api`, AWS_DEFAULT_REGION: 'us-east-1' },
  });
  try {
    await sleep(30_000);
    world.requests = [];
    await sleep(WATCHED * 60_000);
    return Math.round(world.asked / WATCHED);
  } finally {
    worker.kill('SIGTERM');
    await new Promise(resolve => worker.on('exit', resolve));
    await rm(directory, { recursive: true });
  }
}

main().catch(error => {
  console.error(error);
  process.exitCode = 1;
});
