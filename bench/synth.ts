import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { Written } from './apps';
import { Resources, typesOf } from './model';
import { planOf } from './plan';
import { lines } from './plot';
import { median, option, options, report, table } from './report';

/**
 * How long apps with 1, 10 and 50 workers take to synthesize, beside the same resources written with L2 constructs: such as say the same, and such as say as little as
 * they can; and beside as many of the CDK's own QueueProcessingFargateService. Whole processes, in turn, A B C D A B C D.
 *
 *   npm run bench:synth [-- --runs 13 --workers 1,10,50 --json --update]
 */
const root = join(__dirname, '..');
const out = join(root, '.cache', 'bench');
const runs = option('--runs', 13);
const counts = options('--workers', [1, 10, 50]);
const NAMES = ['worker', 'plain', 'bare', 'patterns'] as const;
const TITLES = { worker: 'PrefectFargateWorker', plain: 'L2 constructs', bare: 'L2 constructs that say little', patterns: 'QueueProcessingFargateService' };
type Name = (typeof NAMES)[number];

/** What an app tells of itself. */
interface Told {
  readonly resources: number;
  readonly bytes: number;
  readonly mebibytes: number;
  /** Of all its threads, so that what else the machine does counts less. */
  readonly cpuMilliseconds: number;
}

interface Row {
  readonly workers: number;
  readonly app: Name;
  readonly resources: number;
  readonly kilobytes: number;
  readonly milliseconds: number;
  readonly cpuMilliseconds: number;
  readonly mebibytes: number;
  /** Of CPU time, pair by pair, to L2 constructs. */
  readonly ratio: number;
}

// Compiled beforehand, so that it is the synthesis that is timed, not TypeScript; src/ is where lib/ would be.
const program = join(out, 'apps', 'app.js');
mkdirSync(join(out, 'apps'), { recursive: true });
writeFileSync(join(out, 'app.in.js'), `const { readFileSync } = require('node:fs');
const { App } = require('aws-cdk-lib');
const { APPS } = require('${join(root, 'bench', 'apps')}');
const [name, count, written] = JSON.parse(process.argv[2]);
const app = new App({ outdir: process.argv[3], analyticsReporting: false });
const { parts, of } = written ? JSON.parse(readFileSync(written, 'utf8')) : { parts: [], of: [] };
APPS[name](app, count, of.map(index => parts[index]));
const { stacks } = app.synth();
const { user, system } = process.cpuUsage();
console.log(JSON.stringify({
  resources: stacks.reduce((sum, { template }) => sum + Object.keys(template.Resources).length, 0),
  bytes: stacks.reduce((sum, { template }) => sum + JSON.stringify(template).length, 0),
  mebibytes: process.resourceUsage().maxRSS / 1024,
  cpuMilliseconds: (user + system) / 1000,
}));`);
buildSync({
  entryPoints: [join(out, 'app.in.js')], outfile: program, bundle: true, platform: 'node', external: ['aws-cdk-lib', 'constructs'], define: { __dirname: JSON.stringify(join(root, 'src', 'work-pool')) },
});

function run(name: Name, count: number, written?: string): Told & { readonly milliseconds: number } {
  const start = process.hrtime.bigint();
  // What validates templates would take longer than the synthesis.
  const told = execFileSync(process.execPath, [program, JSON.stringify([name, count, written]), join(out, `${name}.out`)], { encoding: 'utf8', env: { ...process.env, CDK_VALIDATION: 'false' } });
  return { ...JSON.parse(told), milliseconds: Number(process.hrtime.bigint() - start) / 1e6 };
}

/** What to write by hand, of the templates that the library's app gives; those of stacks with the same types are the same but for names. */
function write(count: number): string {
  const { length } = readdirSync(join(out, 'worker.out')).filter(name => name.endsWith('.template.json'));
  const parts = new Map<string, Written>();
  const of = Array.from({ length }, (_, index) => {
    const { Resources: resources } = JSON.parse(readFileSync(join(out, 'worker.out', `Stack${index}.template.json`), 'utf8')) as { Resources: Resources };
    const types = JSON.stringify(typesOf(resources));
    if (!parts.has(types)) parts.set(types, { plan: planOf(typesOf(resources)), resources });
    return [...parts.keys()].indexOf(types);
  });
  const path = join(out, `written-${count}.json`);
  writeFileSync(path, JSON.stringify({ parts: [...parts.values()], of }));
  return path;
}

function measure(count: number): Row[] {
  rmSync(join(out, 'worker.out'), { recursive: true, force: true });
  run('worker', count);
  const written = write(count);
  const times: Record<Name, { milliseconds: number; cpuMilliseconds: number }[]> = { worker: [], plain: [], bare: [], patterns: [] };
  const told = {} as Record<Name, Told & { readonly milliseconds: number }>;
  for (let round = -1; round < runs; round++) {
    for (const name of NAMES) {
      told[name] = run(name, count, name === 'plain' || name === 'bare' ? written : undefined);
      // The first round warms the disk.
      if (round >= 0) times[name].push(told[name]);
    }
    process.stderr.write(`\r${count} workers: round ${round + 2} of ${runs + 1} `);
  }
  process.stderr.write('\n');
  return NAMES.map(name => ({
    workers: count,
    app: name,
    resources: told[name].resources,
    kilobytes: Math.round(told[name].bytes / 1000),
    milliseconds: Math.round(median(times[name].map(({ milliseconds }) => milliseconds))),
    cpuMilliseconds: Math.round(median(times[name].map(({ cpuMilliseconds }) => cpuMilliseconds))),
    mebibytes: Math.round(told[name].mebibytes),
    ratio: Number(median(times[name].map((time, index) => time.cpuMilliseconds / times.plain[index].cpuMilliseconds)).toFixed(2)),
  }));
}

const rows = counts.flatMap(measure);
const each = (row: Row) => (row.cpuMilliseconds / row.resources).toFixed(2);
const text = table(['written with', 'workers', 'resources', 'KB of templates', 'ms', 'ms of CPU', 'of these a resource', 'MiB', 'ratio to L2'],
  rows.map(row => {
    const { app, workers, resources, kilobytes, milliseconds, cpuMilliseconds, mebibytes, ratio } = row;
    return [TITLES[app], workers, resources, kilobytes, milliseconds, cpuMilliseconds, each(row), mebibytes, ratio];
  }));
const panel = (title: string, pick: (row: Row) => number) => ({ title, lines: NAMES.map(name => rows.filter(({ app }) => app === name).map(pick)) });
const plot = lines({
  title: 'Synthesis of apps with some workers',
  x: counts.map(count => `${count} workers`.replace(/^1 workers/, '1 worker')),
  names: NAMES.map(name => TITLES[name]),
  panels: [panel('milliseconds of CPU', ({ cpuMilliseconds }) => cpuMilliseconds), panel('MiB of memory', ({ mebibytes }) => mebibytes)],
});
if (process.argv.includes('--json')) {
  console.log(JSON.stringify(rows));
} else {
  report('synth', text, { synth: plot });
}
