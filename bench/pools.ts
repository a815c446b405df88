import { buildFunctions, functionsAlone, FunctionsUse } from './functions-alone';
import { median, option, options, report, table } from './report';
import { ReconcilerWorld } from '../test/support/reconciler-world';
import { arrange, Requests, requestsOf, Situation, SITUATIONS } from '../test/support/request-situations';

/**
 * What a pool takes of a real Prefect server on PostgreSQL where it is alone, and where the server has many of them:
 * `npm run bench:pools [-- --pools 1,50] [-- --scheduled 2000] [-- --update]`
 */
const POOLS = options('--pools', [1, 50]);
const SCHEDULED = option('--scheduled', 2000);
/** Of so many pools the time is taken. */
const TIMED = 5;
/** A pool with nothing to do, and a busy one. */
const SEEN = [SITUATIONS[0], SITUATIONS[2]];

interface Result {
  readonly situation: Situation;
  /** Of each pool. */
  readonly requests: readonly Requests[];
  /** Of some. */
  readonly uses: readonly FunctionsUse[];
}

async function main(): Promise<void> {
  const world = await ReconcilerWorld.start();
  // What the functions say of each run.
  console.log = () => undefined;
  try {
    buildFunctions();
    const results: Result[] = [];
    for (const situation of SEEN) results.push(...await resultsOf(situation, world));
    report('pools', table(
      ['where', 'pools', 'scheduled, of all', 'requests a minute, of a pool', 'of all', 'a poll, ms', 'of its own CPU', 'a look, ms', 'of its own CPU'],
      results.map(cellsOf),
    ));
  } finally {
    await world.stop();
  }
}

async function resultsOf(situation: Situation, world: ReconcilerWorld): Promise<Result[]> {
  const [pools, results]: [string[], Result[]] = [[], []];
  for (const count of POOLS) {
    while (pools.length < count) {
      await arrange(situation, world, SCHEDULED);
      pools.push(world.pool);
      process.stderr.write(`\r${situation.name}: ${pools.length} of ${count} pools made `);
    }
    const requests: Requests[] = [];
    for (const pool of pools) {
      world.pool = pool;
      requests.push(await requestsOf(situation, world));
      process.stderr.write(`\r${situation.name}: ${requests.length} of ${count} pools asked `);
    }
    const uses: FunctionsUse[] = [];
    for (const pool of pools.slice(-TIMED)) {
      world.pool = pool;
      uses.push(await functionsAlone(situation, world));
    }
    process.stderr.write('\n');
    results.push({ situation, requests, uses });
  }
  return results;
}

/** Means of the requests, medians of the times. */
function cellsOf({ situation, requests, uses }: Result): (string | number)[] {
  const count = requests.length;
  const total = requests.reduce((sum, { publisher, reconciler }) => sum + publisher + reconciler, 0);
  const times = (['poll', 'look'] as const).flatMap(what => (['milliseconds', 'cpu'] as const).map(unit => Math.round(median(uses.map(one => median(one[what][unit]))))));
  return [situation.name, count, (count * SCHEDULED).toLocaleString('en-US'), (total / count).toFixed(1), total, ...times];
}

main().catch(error => {
  console.error(error);
  process.exitCode = 1;
});
