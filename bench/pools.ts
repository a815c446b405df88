import { buildFunctions, functionsAlone, FunctionsUse } from './functions-alone';
import { median, report, table } from './report';
import { ReconcilerWorld } from '../test/support/reconciler-world';
import { arrange, Requests, requestsOf, Situation, SITUATIONS } from '../test/support/request-situations';

/**
 * What a pool takes of a real Prefect server on PostgreSQL where it is alone, and where the server has many of them:
 * `npm run bench:pools [-- --pools 1,50] [-- --scheduled 2000] [-- --update]`
 */
const given = (name: string, otherwise: string) => (process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : otherwise).split(',').map(Number);
const POOLS = given('--pools', '1,50');
const [SCHEDULED] = given('--scheduled', '2000');
/** A pool with nothing to do, and a busy one. */
const SEEN = [SITUATIONS[0], SITUATIONS[2]];

type Found = Requests & FunctionsUse;

interface Result {
  readonly situation: Situation;
  /** Of each pool. */
  readonly found: readonly Found[];
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
    const found: Found[] = [];
    for (const pool of pools) {
      world.pool = pool;
      found.push({ ...await requestsOf(situation, world), ...await functionsAlone(situation, world) });
      process.stderr.write(`\r${situation.name}: ${found.length} of ${count} pools measured `);
    }
    process.stderr.write('\n');
    results.push({ situation, found });
  }
  return results;
}

/** Means of the requests, medians of the times. */
function cellsOf({ situation, found }: Result): (string | number)[] {
  const requests = found.reduce((sum, { publisher, reconciler }) => sum + publisher + reconciler, 0);
  const times = (['poll', 'look'] as const).flatMap(what => (['milliseconds', 'cpu'] as const).map(unit => Math.round(median(found.map(one => median(one[what][unit]))))));
  return [situation.name, found.length, (found.length * SCHEDULED).toLocaleString('en-US'), (requests / found.length).toFixed(1), requests, ...times];
}

main().catch(error => {
  console.error(error);
  process.exitCode = 1;
});
