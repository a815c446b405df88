import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { planOf } from './apps';

/**
 * How long apps with 1, 10 and 50 workers take to synthesize, beside the same resources written with L2 constructs, and beside as many of the CDK's own
 * QueueProcessingFargateService: whole processes, in turn, A B C A B C.
 *
 *   npm run bench [-- --runs 5 --workers 1,10,50 --json --update]
 */
const root = join(__dirname, '..');
const README = join(__dirname, 'README.md');
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

const median = (values: number[]) => values.slice().sort((a, b) => a - b)[Math.floor(values.length / 2)];

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
const table = ['| workers | written with | resources | KB of templates | ms | ms a resource | MiB | ratio to L2 |', '| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |',
  ...rows.map(row => `| ${row.workers} | ${TITLES[row.app]} | ${row.resources} | ${row.kilobytes} | ${row.milliseconds} | ${each(row)} | ${row.mebibytes} | ${row.ratio} |`)].join('\n');
console.log(process.argv.includes('--json') ? JSON.stringify(rows) : table);
if (process.argv.includes('--update')) {
  writeFileSync(README, readFileSync(README, 'utf8').replace(/(<!-- synth -->\n)[^]*?(<!-- end of synth -->)/, (_, start, end) => `${start}\n${table}\n\n${end}`));
}
