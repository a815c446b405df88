import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The one test command: every layer in turn, the quick ones first, with a table at the end.
 * `npm test` runs all; `npm test -- unit live` only the layers named.
 */
interface Layer {
  readonly name: string;
  readonly what: string;
  /** A command that counts as one test, or a jest run by its paths. */
  readonly command?: readonly string[];
  readonly jest?: readonly string[];
  /** Its tests start servers and many processes: one file at a time. */
  readonly servers?: boolean;
  /** Not part of `npm test` yet. */
  readonly onlyByName?: boolean;
}

interface Result {
  readonly layer: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly seconds: number;
}

const UNIT = 'test/(?!docs|validators|policy|events|stand-in|live|integ|consumers)[^.]*\\.test\\.ts';

const LAYERS: readonly Layer[] = [
  { name: 'build', what: 'bundle the functions, compile with jsii, document', command: ['npx', 'projen', 'test:build'] },
  { name: 'lint', what: 'ESLint, and the types of the tests', command: ['npx', 'projen', 'test:lint'] },
  { name: 'unit', what: 'unit tests per room', jest: [UNIT] },
  { name: 'lowest', what: 'the same with the lowest aws-cdk-lib', command: ['npx', 'tsx', 'test/lowest/run.ts'] },
  { name: 'validators', what: 'template validators, rules of our own with their mutants, policies, event patterns', jest: ['test/validators/', 'test/policy/', 'test/events/'] },
  { name: 'docs', what: 'documents: every snippet compiles, every member and default is there, every link leads somewhere', jest: ['test/docs/'] },
  { name: 'consumers', what: 'packages for every language: apps in Python, Java and Go give the templates of TypeScript, .NET has the same API', jest: ['test/consumers/'], servers: true },
  { name: 'stand-in', what: 'the local AWS stand-in itself', jest: ['test/stand-in/'], servers: true },
  { name: 'integ', what: 'integ-runner: snapshots, then deployments to the stand-in', command: ['npx', 'tsx', 'test/integ/run.ts'] },
  { name: 'live', what: 'a real Prefect server, real workers, real flow runs', jest: ['test/live/(?!scaling|publisher)'], servers: true },
  {
    name: 'live-open',
    what: 'live tests that have not passed a whole run yet: scaling from zero, the publisher there',
    jest: ['test/live/(scaling|publisher)'],
    servers: true,
    onlyByName: true,
  },
];

const REPORTS = join(__dirname, '..', '.cache', 'reports');

async function main(names: readonly string[]): Promise<void> {
  const unknown = names.filter(name => !LAYERS.some(layer => layer.name === name));
  if (unknown.length > 0) throw new Error(`No layer is called ${unknown.join(', ')}; there are ${LAYERS.map(layer => layer.name).join(', ')}.`);
  mkdirSync(REPORTS, { recursive: true });

  const results: Result[] = [];
  for (const layer of LAYERS.filter(({ name, onlyByName }) => (names.length === 0 ? !onlyByName : names.includes(name)))) {
    console.log(`\n--- ${layer.name}: ${layer.what}`);
    const result = await runLayer(layer);
    results.push(result);
    console.log(`--- ${layer.name}: ${result.passed} passed, ${result.failed} failed in ${result.seconds} s`);
  }

  console.log(`\n${'layer'.padEnd(12)}${'passed'.padStart(8)}${'failed'.padStart(8)}${'skipped'.padStart(9)}${'seconds'.padStart(9)}`);
  for (const { layer, passed, failed, skipped, seconds } of results) {
    console.log(`${layer.padEnd(12)}${`${passed}`.padStart(8)}${`${failed}`.padStart(8)}${`${skipped}`.padStart(9)}${`${seconds}`.padStart(9)}`);
  }
  const sum = (pick: (result: Result) => number) => results.reduce((total, result) => total + pick(result), 0);
  // A test that is skipped proves nothing, so it counts as failed.
  const failed = sum(result => result.failed + result.skipped);
  console.log(`\n${sum(result => result.passed)} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}

async function runLayer(layer: Layer): Promise<Result> {
  const start = Date.now();
  const report = join(REPORTS, `${layer.name}.json`);
  const seconds = () => Math.round((Date.now() - start) / 1000);
  if (layer.command) {
    const code = await run(layer.command);
    return { layer: layer.name, passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0, seconds: seconds() };
  }
  // Tests that start servers share the machine with them; for the others jest would leave a core unused.
  const workers = layer.servers ? '--runInBand' : '--maxWorkers=100%';
  const code = await run(['npx', 'jest', '--json', `--outputFile=${report}`, workers, ...layer.jest!]);
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

function run([command, ...args]: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: join(__dirname, '..'), stdio: ['ignore', 'inherit', 'inherit'] });
    child.on('close', code => resolve(code ?? 1)).on('error', reject);
  });
}

main(process.argv.slice(2)).catch(error => {
  console.error(error.message);
  console.log('\n0 passed, 1 failed');
  process.exitCode = 1;
});
