import { spawn } from 'node:child_process';
import { closeSync, createWriteStream, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { join } from 'node:path';
import { Pace, setPace } from './pace';
import { PROGRAMS, UNIT } from './paths';
import { startGroup } from './stand-in/child';

/**
 * The one test command: every layer, the quick ones first, with a table at the end.
 * `npm test` runs all; `npm test -- unit live` only the layers named.
 */
interface Layer {
  readonly name: string;
  readonly what: string;
  /** A command that counts as one test, or a jest run by its paths. */
  readonly command?: readonly string[];
  readonly jest?: readonly string[];
  /** How many test files run at a time, at most. @default - as many as there are cores */
  readonly files?: number;
  /** It runs beside the layers that follow. */
  readonly beside?: boolean;
  /** It only computes, and does so beside the layers that follow, one such layer at a time, when no other process wants the CPU. */
  readonly spare?: boolean;
  /** Starts servers and many processes whose times matter: its files begin as the machine can bear, and start theirs one after the other, when a core is idle. */
  readonly paced?: boolean;
}

interface Result {
  readonly layer: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly seconds: number;
}

const LAYERS: readonly Layer[] = [
  { name: 'lint', what: 'ESLint, the types of the tests, the words', command: ['npx', 'projen', 'test:lint'], beside: true },
  { name: 'build', what: 'bundle the functions, compile with jsii, document', command: ['npx', 'projen', 'test:build'] },
  { name: 'unit', what: 'unit tests per module', jest: [UNIT] },
  { name: 'programs', what: 'what runs in containers, and the scaling simulator', jest: [PROGRAMS] },
  { name: 'lowest', what: 'the same with the lowest aws-cdk-lib', command: ['npx', 'tsx', 'test/lowest/run.ts'], spare: true },
  { name: 'validators', what: 'template validators, rules of our own with their mutants, policies, event patterns, what the ECS worker asks', jest: ['test/validators/', 'test/policy/', 'test/events/', 'test/requests/'], spare: true },
  { name: 'docs', what: 'documents: every snippet compiles, every recipe does what it says, every member and default is there, every link leads somewhere', jest: ['test/docs/'], spare: true },
  { name: 'consumers', what: 'packages for every language: apps in Python, Java and Go give the templates of TypeScript, .NET has the same API', jest: ['test/consumers/'], files: 1, spare: true },
  { name: 'integ', what: 'integ-runner: snapshots, then deployments to the stand-in', command: ['npx', 'tsx', 'test/integ/run.ts'], beside: true, paced: true },
  { name: 'stand-in', what: 'the local AWS stand-in itself', jest: ['test/stand-in/'], paced: true },
  // They wait most of the time.
  { name: 'live', what: 'a real Prefect server, real workers, real flow runs', jest: ['test/live/(?!faults/faults|scaling)'], files: 6, paced: true },
  // Each of them keeps two cores busy.
  { name: 'load', what: 'the same with many flow runs at a time: faults, scaling from zero', jest: ['test/live/(faults/faults|scaling)'], files: 2, paced: true },
];

// The CDK's own validation takes three quarters of a synthesis: the validators have it, for every scenario.
process.env.CDK_VALIDATION = 'false';

/** How long a test may take at least: who waits for what machines do on a slow one, and who gets the CPU that others leave. */
const TIMEOUTS_MS = { paced: 900_000, spare: 3_600_000 };

const REPORTS = join(__dirname, '..', '.cache', 'reports');
/** Seconds of each layer when it ran last, on this machine. */
const TIMES = join(REPORTS, 'seconds.json');

async function main(names: readonly string[]): Promise<void> {
  const unknown = names.filter(name => !LAYERS.some(layer => layer.name === name));
  if (unknown.length > 0) throw new Error(`No layer is called ${unknown.join(', ')}; there are ${LAYERS.map(layer => layer.name).join(', ')}.`);
  mkdirSync(REPORTS, { recursive: true });

  const chosen = LAYERS.filter(({ name }) => names.length === 0 || names.includes(name));
  const results = new Map<Layer, Result>();
  const pace = await setPace();
  const beside: Promise<void>[] = [];
  let spare = Promise.resolve();
  for (const layer of chosen) {
    const done = () => perform(layer, environmentOf(layer, pace)).then(result => void results.set(layer, result));
    if (layer.spare) spare = spare.then(done);
    else if (layer.beside) beside.push(done());
    else await done();
  }
  await Promise.all([...beside, spare]);
  pace.stop();

  const before: Record<string, number> = existsSync(TIMES) ? JSON.parse(readFileSync(TIMES, 'utf8')) : {};
  console.log(`\n${'layer'.padEnd(12)}${['passed', 'failed', 'skipped', 'seconds', 'last run'].map(title => title.padStart(9)).join('')}`);
  for (const { layer, passed, failed, skipped, seconds } of chosen.map(one => results.get(one)!)) {
    console.log(`${layer.padEnd(12)}${[passed, failed, skipped, seconds, before[layer] ?? ''].map(cell => `${cell}`.padStart(9)).join('')}`);
  }
  writeFileSync(TIMES, JSON.stringify({ ...before, ...Object.fromEntries([...results.values()].map(({ layer, seconds }) => [layer, seconds])) }));
  const sum = (pick: (result: Result) => number) => [...results.values()].reduce((total, result) => total + pick(result), 0);
  // A test that is skipped proves nothing, so it counts as failed.
  const failed = sum(result => result.failed + result.skipped);
  console.log(`\n${sum(result => result.passed)} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}

function environmentOf({ paced, spare }: Layer, pace: Pace): Record<string, string> {
  if (paced) return { ...pace.environment, LEAST_TEST_TIMEOUT_MS: `${TIMEOUTS_MS.paced}` };
  return spare ? { LEAST_TEST_TIMEOUT_MS: `${TIMEOUTS_MS.spare}` } : {};
}

/** Runs a layer and says so. What runs beside others is shown when it is over, so that their lines don't mix. */
async function perform(layer: Layer, environment: Record<string, string>): Promise<Result> {
  const log = layer.beside || layer.spare ? join(REPORTS, `${layer.name}.log`) : undefined;
  console.log(`\n--- ${layer.name}: ${layer.what}${log ? ' (beside others)' : ''}`);
  const result = await runLayer(layer, { log, spare: layer.spare, environment });
  if (log) console.log(`\n--- ${layer.name}, which ran beside:\n${readFileSync(log, 'utf8')}`);
  console.log(`--- ${layer.name}: ${result.passed} passed, ${result.failed} failed in ${result.seconds} s`);
  return result;
}

interface Manner {
  readonly log?: string;
  readonly spare?: boolean;
  readonly environment: Record<string, string>;
}

async function runLayer(layer: Layer, manner: Manner): Promise<Result> {
  const start = Date.now();
  const report = join(REPORTS, `${layer.name}.json`);
  const seconds = () => Math.round((Date.now() - start) / 1000);
  if (layer.command) {
    const code = await run(layer.command, manner);
    return { layer: layer.name, passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0, seconds: seconds() };
  }
  const code = await run([
    'npx', 'jest', '--json', `--outputFile=${report}`, `--maxWorkers=${layer.files ?? '100%'}`, '--testSequencer', join(__dirname, 'longest-first.js'),
    ...layer.paced ? ['--setupFilesAfterEnv', join(__dirname, 'turn.ts')] : [],
    '--', ...layer.jest!,
  ], manner);
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, numRuntimeErrorTestSuites } = JSON.parse(readFileSync(report, 'utf8'));
  const failed = numFailedTests + numRuntimeErrorTestSuites;
  return {
    layer: layer.name,
    passed: numPassedTests,
    // jest that fails without a failed test (no test found, an open handle) has failed all the same
    failed: failed === 0 && (code !== 0 || numPassedTests === 0) ? 1 : failed,
    skipped: numPendingTests + numTodoTests,
    seconds: seconds(),
  };
}

function run([command, ...args]: readonly string[], { log, spare, environment }: Manner): Promise<number> {
  const how = { cwd: join(__dirname, '..'), env: { ...process.env, ...environment } };
  return new Promise((resolve, reject) => {
    if (spare) {
      const child = startGroup(command, args, how);
      yieldCpu(child.pid!);
      const output = createWriteStream(log!);
      child.stdout.pipe(output);
      child.stderr.pipe(output);
      child.on('close', code => output.close(() => resolve(code ?? 1))).on('error', reject);
      return;
    }
    const output = log ? openSync(log, 'w') : 'inherit';
    const child = spawn(command, args, { ...how, stdio: ['ignore', output, output] });
    if (typeof output === 'number') closeSync(output);
    child.on('close', code => resolve(code ?? 1)).on('error', reject);
  });
}

/** Gives a group of processes the CPU that nobody else wants. Linux weighs sessions against each other first, where it groups them, and niceness only within one. */
function yieldCpu(leader: number): void {
  setPriority(leader, constants.priority.PRIORITY_LOW);
  const ofSession = `/proc/${leader}/autogroup`;
  if (existsSync(ofSession)) writeFileSync(ofSession, `${constants.priority.PRIORITY_LOW}`);
}

main(process.argv.slice(2)).catch(error => {
  console.error(error.message);
  console.log('\n0 passed, 1 failed');
  process.exitCode = 1;
});
