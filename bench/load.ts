import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { median, option, report, table } from './report';

/**
 * How much loading the library adds to loading the parts of aws-cdk-lib that it uses, which an app with an ECS service of its
 * own loads anyway. Whole processes, medians. `npm run bench:load -- --runs 15 [--json] [--update]`.
 */
const root = join(__dirname, '..');
const runs = option('--runs', 10);

/** Loads `parts` first, then the library; prints both times and the parts of aws-cdk-lib that the library brought in. */
const PROGRAM = `
const parts = JSON.parse(process.argv[1]);
const now = () => Number(process.hrtime.bigint()) / 1e6;
const start = now();
parts.forEach(part => require(part));
const between = now();
const before = new Set(Object.keys(require.cache));
require('.');
const end = now();
const added = Object.keys(require.cache).filter(file => !before.has(file));
console.log(JSON.stringify({
  parts: between - start,
  library: end - between,
  loaded: added.filter(file => file.includes('/aws-cdk-lib/')),
  own: added.filter(file => !file.includes('/node_modules/')).length,
}));`;

interface Times {
  readonly parts: number;
  readonly library: number;
  readonly loaded: readonly string[];
  readonly own: number;
}

function load(parts: readonly string[]): Times {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', PROGRAM, JSON.stringify(parts)], { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

const rounded = (values: readonly number[]) => Number(median(values).toFixed(1));

const used = load([]).loaded;
const times = Array.from({ length: runs }, () => load(used));
if (times.some(({ loaded }) => loaded.length > 0)) throw new Error('The library loads parts of aws-cdk-lib that were not loaded before it.');
const result = {
  runs,
  files: { ofTheLibrary: times[0].own, ofTheCdk: used.length },
  medianMs: { partsOfTheCdk: rounded(times.map(({ parts }) => parts)), libraryOnTop: rounded(times.map(({ library }) => library)) },
};
const text = table(['what is loaded', 'files', `ms, median of ${runs} runs`], [
  ['the parts of aws-cdk-lib that the library uses', result.files.ofTheCdk, result.medianMs.partsOfTheCdk],
  ['the library on top', result.files.ofTheLibrary, result.medianMs.libraryOnTop],
]);
if (process.argv.includes('--json')) {
  console.log(JSON.stringify(result));
} else {
  report('load', text);
}
