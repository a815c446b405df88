import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { Duration } from 'aws-cdk-lib';
import { bars } from './bars';
import { compareChoices } from './choices';
import { compare, Comparison } from './compare';
import { plot } from './plot';
import { barsTable, choicesTable, optionsTable, resultsTable } from './report';
import { synthesized } from './synthesized';
import { Deployment } from './template/deployment';
import { readTemplate } from './template/read';
import { parseCsv, Trace } from './trace';
import { traces, unannounced } from './traces';
import { playedWith, WARMTH } from './warmth';

/**
 * Plays traces of flow runs against the scaling that a template describes.
 *
 *     npm run bench:scaling                                            every trace against the library's defaults
 *     npm run bench:scaling -- --trace FILE --template FILE --json     one of your own
 *     npm run bench:scaling -- --choices                               what other numbers in the policies would come to
 *     npm run bench:scaling -- --warmth                                what spareFlowRuns and scaleInAfter are worth
 *     npm run bench:scaling -- --update                                all of it, and writes bench/README.md and the plots
 */
const { values } = parseArgs({
  options: {
    trace: { type: 'string', multiple: true },
    template: { type: 'string' },
    seeds: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
    choices: { type: 'boolean', default: false },
    warmth: { type: 'boolean', default: false },
    update: { type: 'boolean', default: false },
  },
});
const seeds = Array.from({ length: Number(values.seeds) }, (_, index) => index + 1);

const played = (values.trace ?? traces.map(({ name }) => name)).map(findTrace);
const deployment = values.template === undefined ? synthesized() : readTemplate(JSON.parse(readFileSync(values.template, 'utf8')));

if (values.choices) {
  console.log(tableOfChoices());
} else if (values.warmth) {
  console.log(tableOfWarmth());
} else if (values.json) {
  const plain = play(deployment).map(comparison => ({ trace: comparison.trace.name, ...comparison.results, bars: bars(comparison) }));
  console.log(JSON.stringify(plain, undefined, 2));
} else {
  const comparisons = play(deployment);
  const more = values.template === undefined
    ? { 'this library, polling every 20 s': play(synthesized({ pollInterval: Duration.seconds(20) })) } : undefined;
  const tables = [resultsTable(comparisons, more), barsTable(comparisons)];
  console.log(tables.join('\n\n'));
  if (values.update) update(comparisons, tables);
}

/** One of the traces of the results by its name, or a file. */
function findTrace(name: string): Trace {
  return [...traces, ...unannounced].find(trace => trace.name === name) ?? parseCsv(basename(name, '.csv'), readFileSync(name, 'utf8'));
}

function play(of: Deployment): Comparison[] {
  return played.map(trace => compare(trace, of, seeds));
}

function tableOfChoices(): string {
  const shown = played.filter(({ name }) => values.trace !== undefined || ['hourly', 'steady', 'flash', 'mixed'].includes(name));
  return choicesTable(compareChoices(deployment, shown, seeds));
}

function tableOfWarmth(): string {
  const options = WARMTH.map(([option, scaling]) => [option, unannounced.map(trace => playedWith(scaling, trace, seeds))] as const);
  return optionsTable(unannounced.map(({ name }) => name), options);
}

function update(comparisons: readonly Comparison[], tables: readonly string[]): void {
  const plots = join(__dirname, 'plots');
  mkdirSync(plots, { recursive: true });
  for (const comparison of comparisons) writeFileSync(join(plots, `${comparison.trace.name}.svg`), `${plot(comparison)}\n`);

  const pictures = comparisons.map(({ trace }) => `![${trace.name}](scaling/plots/${trace.name}.svg)`);
  const path = join(__dirname, '..', 'README.md');
  const results = fill(readFileSync(path, 'utf8'), 'results', [...tables, ...pictures]);
  writeFileSync(path, fill(fill(results, 'choices', [tableOfChoices()]), 'warmth', [tableOfWarmth()]));
}

/** Puts text between the two comments that name a place. */
function fill(readme: string, place: string, parts: readonly string[]): string {
  const [start, end] = [`<!-- scaling ${place} -->`, `<!-- end of scaling ${place} -->`];
  const [before, rest] = readme.split(start);
  const [, after] = (rest ?? '').split(end);
  if (after === undefined) throw new Error(`bench/README.md has no place for the ${place}.`);
  return [before, start, '\n\n', parts.join('\n\n'), '\n\n', end, after].join('');
}
