import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { bars } from './bars';
import { compare, Comparison } from './compare';
import { plot } from './plot';
import { barsTable, resultsTable } from './report';
import { synthesized } from './synthesized';
import { Deployment } from './template/deployment';
import { readTemplate } from './template/read';
import { parseCsv, Trace } from './trace';
import { traces } from './traces';

/**
 * Plays traces of flow runs against the scaling that a template describes.
 *
 *     npm run bench:scaling                                            every trace against the library's defaults
 *     npm run bench:scaling -- --trace FILE --template FILE --json     one of your own
 *     npm run bench:scaling -- --update                                also writes bench/README.md and the plots
 */
const { values } = parseArgs({
  options: {
    trace: { type: 'string', multiple: true },
    template: { type: 'string' },
    seeds: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
    update: { type: 'boolean', default: false },
  },
});
const seeds = Array.from({ length: Number(values.seeds) }, (_, index) => index + 1);

const played = (values.trace ?? traces.map(({ name }) => name)).map(findTrace);
const deployment = values.template === undefined ? synthesized() : readTemplate(JSON.parse(readFileSync(values.template, 'utf8')));
const comparisons = play(deployment);

if (values.json) {
  const plain = comparisons.map(comparison => ({ trace: comparison.trace.name, ...comparison.results, bars: bars(comparison) }));
  console.log(JSON.stringify(plain, undefined, 2));
} else {
  const tables = [resultsTable(comparisons), barsTable(comparisons)];
  console.log(tables.join('\n\n'));
  if (values.update) update(tables);
}

/** One of the traces of the results by its name, or a file. */
function findTrace(name: string): Trace {
  return traces.find(trace => trace.name === name) ?? parseCsv(basename(name, '.csv'), readFileSync(name, 'utf8'));
}

function play(of: Deployment): Comparison[] {
  return played.map(trace => compare(trace, of, seeds));
}

function update(tables: readonly string[]): void {
  const plots = join(__dirname, 'plots');
  mkdirSync(plots, { recursive: true });
  for (const comparison of comparisons) writeFileSync(join(plots, `${comparison.trace.name}.svg`), `${plot(comparison)}\n`);

  const readme = join(__dirname, '..', 'README.md');
  const pictures = comparisons.map(({ trace }) => `### ${trace.name}\n\n![${trace.name}](scaling/plots/${trace.name}.svg)`);
  const [before, after] = readFileSync(readme, 'utf8').split(/<!-- scaling results -->[^]*<!-- end of scaling results -->/);
  if (after === undefined) throw new Error(`${readme} has no place for the results.`);
  writeFileSync(readme, [
    before, '<!-- scaling results -->\n\n', tables.join('\n\n'), '\n\n', pictures.join('\n\n'), '\n\n<!-- end of scaling results -->', after,
  ].join(''));
}
