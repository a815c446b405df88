import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { bars } from './bars';
import { compare, Comparison } from './compare';
import { Conditions, PESSIMISTIC, SENSITIVITIES, USUAL } from './conditions';
import { controlByTemplate } from './controller';
import { ECS, withEcsWorkers } from './ecs';
import { measure } from './measure';
import { plot } from './plot';
import { barsTable, heading, optionsTable, resultsTable } from './report';
import { simulate } from './simulation';
import { synthesized } from './synthesized';
import { readTemplate } from './template/read';
import { parseCsv, Trace } from './trace';
import { traces, unannounced, unseen } from './traces';
import { simulateWith, WARMTH, WARMTH_TRACES } from './warmth';

/**
 * Plays traces of flow runs against the scaling that a template describes.
 *
 *     npm run bench:scaling                                            every trace against the library's defaults, in both settings
 *     npm run bench:scaling -- --trace FILE --template FILE --json     one of your own
 *     npm run bench:scaling -- --sensitivity                           what each assumption is worth
 *     npm run bench:scaling -- --warmth                                what the options for unannounced runs are worth
 *     npm run bench:scaling -- --ecs                                   ECS workers: two, one, or none while nothing is due
 *     npm run bench:scaling -- --update                                all of it, and writes bench/README.md and the plots
 */
const { values } = parseArgs({
  options: {
    trace: { type: 'string', multiple: true },
    template: { type: 'string' },
    setting: { type: 'string' },
    seeds: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
    sensitivity: { type: 'boolean', default: false },
    warmth: { type: 'boolean', default: false },
    ecs: { type: 'boolean', default: false },
    update: { type: 'boolean', default: false },
  },
});
const seeds = Array.from({ length: Number(values.seeds) }, (_, index) => index + 1);
const settings = [USUAL, PESSIMISTIC].filter(({ name }) => values.setting === undefined || name === values.setting);
if (settings.length === 0) throw new Error(`${values.setting}: there are the settings usual and pessimistic.`);

const all = [...traces, ...unannounced, ...unseen];
const played = (values.trace ?? all.map(({ name }) => name)).map(findTrace);
const deployment = values.template === undefined ? synthesized() : readTemplate(JSON.parse(readFileSync(values.template, 'utf8')));

if (values.sensitivity) {
  console.log(tableOfSensitivities());
} else if (values.warmth) {
  const table = tableOfWarmth();
  console.log(table);
  if (values.update) write({ warmth: [table] });
} else if (values.ecs) {
  const table = tableOfEcsWorkers();
  console.log(table);
  if (values.update) write({ ecs: [table] });
} else if (values.json) {
  const plain = settings.flatMap(setting => play(setting).map(comparison => (
    { trace: comparison.trace.name, setting: setting.name, ...comparison.results, bars: bars(comparison) })));
  console.log(JSON.stringify(plain, undefined, 2));
} else {
  const results = settings.map(setting => ({ setting, comparisons: play(setting) }));
  const tables = results.flatMap(({ setting, comparisons }) => [heading(setting, seeds.length), barsTable(comparisons), resultsTable(comparisons)]);
  console.log(tables.join('\n\n'));
  if (values.update) update(results[0].comparisons, tables);
}

/** One of the traces of the results by its name, or a file. */
function findTrace(name: string): Trace {
  return all.find(trace => trace.name === name) ?? parseCsv(basename(name, '.csv'), readFileSync(name, 'utf8'));
}

function play(setting: Conditions): Comparison[] {
  return played.map(trace => compare(trace, deployment, seeds, setting));
}

function tableOfSensitivities(): string {
  const shown = played.filter(({ name }) => values.trace !== undefined || ['hourly', 'flash', 'minutely', 'hour-long'].includes(name));
  return optionsTable(shown.map(({ name }) => name), [USUAL, ...SENSITIVITIES, PESSIMISTIC].map(setting => [
    setting.name,
    shown.map(trace => measure(seeds.map(seed => simulate(trace, deployment, controlByTemplate(deployment), seed, setting)))),
  ]), 'assumption');
}

function tableOfWarmth(): string {
  const shown = values.trace === undefined ? WARMTH_TRACES : played;
  return optionsTable(shown.map(({ name }) => name), WARMTH.map(([option, scaling]) => (
    [option, shown.map(trace => simulateWith(scaling, trace, seeds, settings[0]))])));
}

function tableOfEcsWorkers(): string {
  const shown = values.trace === undefined ? all.filter(({ name }) => ['hourly', 'nightly', 'flash', 'random', 'webhook', 'hour-long', 'empty'].includes(name)) : played;
  return optionsTable(shown.map(({ name }) => name), ECS.map(([option, workers, control]) => (
    [option, shown.map(trace => withEcsWorkers(workers, control, trace, seeds, settings[0]))])));
}

function update(comparisons: readonly Comparison[], tables: readonly string[]): void {
  const plots = join(__dirname, 'plots');
  mkdirSync(plots, { recursive: true });
  for (const comparison of comparisons) writeFileSync(join(plots, `${comparison.trace.name}.svg`), `${plot(comparison)}\n`);

  const pictures = comparisons.map(({ trace }) => `![${trace.name}](scaling/plots/${trace.name}.svg)`);
  const list = all.map(({ name, what }) => `- **${name}**: ${what}`).join('\n');
  write({
    traces: [list], results: [...tables, ...pictures], sensitivity: [tableOfSensitivities()], warmth: [tableOfWarmth()], ecs: [tableOfEcsWorkers()],
  });
}

function write(parts: Record<string, string[]>): void {
  const path = join(__dirname, '..', 'README.md');
  writeFileSync(path, Object.entries(parts).reduce((readme, [place, texts]) => fill(readme, place, texts), readFileSync(path, 'utf8')));
}

/** Puts text between the two comments that name a place. */
function fill(readme: string, place: string, parts: readonly string[]): string {
  const [start, end] = [`<!-- scaling ${place} -->`, `<!-- end of scaling ${place} -->`];
  const [before, rest] = readme.split(start);
  const [, after] = (rest ?? '').split(end);
  if (after === undefined) throw new Error(`bench/README.md has no place for the ${place}.`);
  return [before, start, '\n\n', parts.join('\n\n'), '\n\n', end, after].join('');
}
