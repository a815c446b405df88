import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { planOf } from './apps';
import { lines } from './plot';
import { median, report, table } from './report';

/**
 * How long apps with 1, 10 and 50 workers take to synthesize, beside the same resources written with L2 constructs, and beside as many of the CDK's own
 * QueueProcessingFargateService: whole processes, in turn, A B C A B C.
 *
 *   npm run bench:synth [-- --runs 5 --workers 1,10,50 --json --update]
 */
const root = join(__dirname, '..');
const out = join(root, '.cache', 'bench');
const option = (name: string, otherwise: string) => process.argv.includes(`--${name}`) ? process.argv[process.argv.indexOf(`--${name}`) + 1] : otherwise;
const runs = Number(option('runs', '5'));
const counts = option('workers', '1,10,50').split(',').map(Number);
const NAMES = ['worker', 'plain', 'patterns'] as const;
const TITLES = { worker: 'PrefectFargateWorker', plain: 'L2 constructs', patterns: 'QueueProcessingFargateService' };
type Name = (typeof NAMES)[number];

/** What an app tells of itself. */
interface Told {
  readonly types: { readonly [type: string]: number }[];
  readonly bytes: number;
  readonly mebibytes: number;
}

interface Row {
  readonly workers: number;
  readonly app: Name;
  readonly resources: number;
  readonly kilobytes: number;
  readonly milliseconds: number;
  readonly mebibytes: number;
  /** Pair by pair, to L2 constructs. */
  readonly ratio: number;
}

// Compiled beforehand, so that it is the synthesis that is timed, not TypeScript; src/ is where lib/ would be.
const program = join(out, 'apps', 'app.js');
mkdirSync(join(out, 'apps'), { recursive: true });
writeFileSync(join(out, 'app.in.js'), `const { App } = require('aws-cdk-lib');
const { APPS } = require('${join(root, 'bench', 'apps')}');
const [name, count, plans] = JSON.parse(process.argv[2]);
const app = new App({ outdir: process.argv[3], analyticsReporting: false });
APPS[name](app, count, plans);
const { stacks } = app.synth();
const types = stacks.map(({ template }) => Object.values(template.Resources).reduce((all, { Type }) => ({ ...all, [Type]: (all[Type] ?? 0) + 1 }), {}));
console.log(JSON.stringify({ types, bytes: stacks.reduce((sum, { template }) => sum + JSON.stringify(template).length, 0), mebibytes: process.resourceUsage().maxRSS / 1024 }));`);
buildSync({
  entryPoints: [join(out, 'app.in.js')], outfile: program, bundle: true, platform: 'node', external: ['aws-cdk-lib', 'constructs'], define: { __dirname: JSON.stringify(join(root, 'src', 'work-pool')) },
});

function run(name: Name, count: number, plans: unknown): Told & { readonly milliseconds: number } {
  const start = process.hrtime.bigint();
  // What validates templates would take longer than the synthesis.
  const told = execFileSync(process.execPath, [program, JSON.stringify([name, count, plans]), join(out, `${name}.out`)], { encoding: 'utf8', maxBuffer: 1e8, env: { ...process.env, CDK_VALIDATION: 'false' } });
  return { ...JSON.parse(told), milliseconds: Number(process.hrtime.bigint() - start) / 1e6 };
}

function measure(count: number): Row[] {
  const planOfTypes = new Map<string, object>();
  const plans = run('worker', count, []).types.map(types => {
    const known = JSON.stringify(types);
    return planOfTypes.get(known) ?? planOfTypes.set(known, planOf(types)).get(known);
  });
  const times: Record<Name, number[]> = { worker: [], plain: [], patterns: [] };
  const told = {} as Record<Name, Told>;
  for (let round = -1; round < runs; round++) {
    for (const name of NAMES) {
      const { milliseconds, ...rest } = run(name, count, plans);
      told[name] = rest;
      // The first round warms the disk.
      if (round >= 0) times[name].push(milliseconds);
    }
    process.stderr.write(`\r${count} workers: round ${round + 2} of ${runs + 1} `);
  }
  process.stderr.write('\n');
  return NAMES.map(name => ({
    workers: count,
    app: name,
    resources: told[name].types.flatMap(types => Object.values(types)).reduce((sum, one) => sum + one, 0),
    kilobytes: Math.round(told[name].bytes / 1000),
    milliseconds: Math.round(median(times[name])),
    mebibytes: Math.round(told[name].mebibytes),
    ratio: Number(median(times[name].map((time, index) => time / times.plain[index])).toFixed(2)),
  }));
}

const rows = counts.flatMap(measure);
const each = (row: Row) => (row.milliseconds / row.resources).toFixed(2);
const text = table(['written with', 'workers', 'resources', 'KB of templates', 'ms', 'ms a resource', 'MiB', 'ratio to L2'],
  rows.map(row => [TITLES[row.app], row.workers, row.resources, row.kilobytes, row.milliseconds, each(row), row.mebibytes, row.ratio]));
const panel = (title: string, pick: (row: Row) => number) => ({ title, lines: NAMES.map(name => rows.filter(({ app }) => app === name).map(pick)) });
const plot = lines({
  title: 'Synthesis of apps with some workers',
  x: counts.map(count => `${count} workers`.replace(/^1 workers/, '1 worker')),
  names: NAMES.map(name => TITLES[name]),
  panels: [panel('milliseconds', ({ milliseconds }) => milliseconds), panel('MiB of memory', ({ mebibytes }) => mebibytes)],
});
if (process.argv.includes('--json')) {
  console.log(JSON.stringify(rows));
} else {
  report('synth', text, { synth: plot });
}
