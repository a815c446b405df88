import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';

/**
 * How much longer the smallest app takes to synthesize with the library than with the same resources written with L2
 * constructs: whole processes, in turn, A B A B. `npm run bench -- --json --runs 15`
 */
const root = join(__dirname, '..');
const out = join(root, '.cache', 'bench');
const runs = Number(process.argv[process.argv.indexOf('--runs') + 1]) || 10;

mkdirSync(out, { recursive: true });
const shared = `const { App } = require('aws-cdk-lib');
const app = new App({ outdir: process.argv[2] });`;
const apps = {
  worker: `${shared}
const { scenarios } = require('${join(root, 'test', 'scenarios')}');
scenarios.find(({ name }) => name === 'ecs').build(app);`,
  plain: `${shared}
require('${join(root, 'bench', 'apps')}').plain(app, '${join(root, 'assets')}');`,
};
// Compiled beforehand, so that it is the synthesis that is timed, not TypeScript; src/ is where lib/ would be.
for (const [name, code] of Object.entries(apps)) {
  const entry = join(out, `${name}.in.js`);
  writeFileSync(entry, `${code}
const assembly = app.synth();
console.log(JSON.stringify(Object.values(assembly.stacks[0].template.Resources).map(({ Type }) => Type).sort()));`);
  buildSync({
    entryPoints: [entry],
    outfile: join(root, 'src', '..', '.cache', 'bench', 'apps', name, `${name}.js`),
    bundle: true,
    platform: 'node',
    external: ['aws-cdk-lib', 'constructs'],
    define: { __dirname: JSON.stringify(join(root, 'src', 'work-pool')) },
  });
}

const times: Record<string, number[]> = { worker: [], plain: [] };
const resources: Record<string, string[]> = {};
for (let round = -1; round < runs; round++) {
  for (const name of Object.keys(apps)) {
    const start = process.hrtime.bigint();
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(out, 'apps', name, `${name}.js`), join(out, `${name}.out`)], { encoding: 'utf8' });
    const milliseconds = Number(process.hrtime.bigint() - start) / 1e6;
    if (status !== 0) throw new Error(`${name}: ${stderr}`);
    resources[name] = JSON.parse(stdout);
    // The first round warms the disk.
    if (round >= 0) times[name].push(milliseconds);
  }
  if (process.stdout.isTTY) process.stdout.write(`\rround ${round + 2} of ${runs + 1}`);
}

if (`${resources.worker}` !== `${resources.plain}`) {
  const count = (all: string[], type: string) => all.filter(one => one === type).length;
  const differing = [...new Set(resources.worker.concat(resources.plain))]
    .filter(type => count(resources.worker, type) !== count(resources.plain, type));
  throw new Error(`bench/apps.ts has to make what the library makes; it differs in ${differing.join(', ')}`);
}

const median = (values: number[]) => values.slice().sort((a, b) => a - b)[Math.floor(values.length / 2)];
const difference = median(times.worker.map((time, index) => time - times.plain[index]));
const ratio = median(times.worker.map((time, index) => time / times.plain[index]));
const result = {
  runs,
  resources: resources.worker.length,
  medianMs: { worker: Math.round(median(times.worker)), plain: Math.round(median(times.plain)) },
  medianDifferenceMs: Math.round(difference),
  medianRatio: Number(ratio.toFixed(3)),
};
console.log(process.argv.includes('--json')
  ? JSON.stringify(result)
  : `\nPrefectFargateWorker: ${result.resources} resources, median ${result.medianMs.worker} ms\nL2 constructs:        ${result.resources} resources, median ${result.medianMs.plain} ms\n`
    + `Pair by pair: ${result.medianDifferenceMs} ms more, ratio ${result.medianRatio} (medians of ${runs} pairs)`);
