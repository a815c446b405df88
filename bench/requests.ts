import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pythonEnvironment } from '../test/python/environment';
import { ReconcilerWorld } from '../test/support/reconciler-world';
import { Requests, requestsIn, SITUATIONS } from '../test/support/request-situations';

/**
 * How many requests a minute the demand publisher and the reconciler send to a real Prefect server on PostgreSQL, and a worker that waits:
 * `npm run bench:requests [-- --scheduled 100,10000] [-- --update]`
 */
const README = join(__dirname, 'README.md');
const option = (name: string, otherwise: string) => (process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : otherwise);
const SCHEDULED = option('--scheduled', '100,10000,100000').split(',').map(Number);
/** Minutes for which the worker is watched, once it has started. */
const WATCHED = 3;

async function main(): Promise<void> {
  const world = await ReconcilerWorld.start();
  // What the functions say of each run.
  console.log = () => undefined;
  try {
    const results: Requests[][] = [];
    for (const situation of SITUATIONS) {
      const row: Requests[] = [];
      for (const scheduled of SCHEDULED) row.push(await requestsIn(situation, world, scheduled));
      results.push(row);
      process.stderr.write(`${situation.name}: ${JSON.stringify(row)}\n`);
    }
    const text = `\n${table(results)}\n\nA worker that waits asks ${await requestsOfWorker(world)} times a minute by itself.`;
    process.stdout.write(`${text}\n`);
    if (process.argv.includes('--update')) {
      writeFileSync(README, readFileSync(README, 'utf8').replace(/(<!-- requests -->\n)[^]*?(<!-- end of requests -->)/, (_, start, end) => `${start}\n${text}\n\n${end}`));
    }
  } finally {
    await world.stop();
  }
}

function table(results: readonly Requests[][]): string {
  const number = (value: number) => value.toLocaleString('en-US');
  const sum = ({ publisher, reconciler }: Requests) => publisher + reconciler;
  const lines = results.map((row, index) => {
    const last = row[row.length - 1];
    const slowest = Math.max(...row.map(({ pollMs }) => pollMs));
    return [SITUATIONS[index].name, ...row.map(sum), `${last.publisher} + ${last.reconciler}`, last.first, `${number(slowest)} ms`];
  });
  const header = ['where', ...SCHEDULED.map(count => `with ${number(count)} scheduled`), 'publisher + reconciler', 'first minute', 'longest poll'];
  return [header, header.map((_, index) => (index === 0 ? '---' : '---:')), ...lines].map(cells => `| ${cells.join(' | ')} |`).join('\n');
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
