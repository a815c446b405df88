import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the benches have in common: options, middles, and how bench/README.md gets what they found. */
const README = join(__dirname, 'README.md');
const PLOTS = join(__dirname, 'plots');

/** A number after an option of the command line. */
export function option(name: string, otherwise: number): number {
  return process.argv.includes(name) ? Number(process.argv[process.argv.indexOf(name) + 1]) : otherwise;
}

/** Numbers after an option of the command line, with commas between them. */
export function options(name: string, otherwise: readonly number[]): readonly number[] {
  return process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1].split(',').map(Number) : otherwise;
}

/** The value below which a share of them are; between two of them in proportion. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  const place = (values.length - 1) * share;
  const [below, above] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return below + (above - below) * (place % 1);
}

export const median = (values: readonly number[]) => quantile(values, 0.5);

/** A median, and beside it from where to where the others are: all, or their middle half. */
export function spread(values: readonly number[], digits = 2, share = 1): string {
  const [low, middle, high] = [0.5 - share / 2, 0.5, 0.5 + share / 2].map(at => quantile(values, at).toFixed(digits));
  return `${middle} (${low} to ${high})`;
}

/** As a table in Markdown. All columns but the first are numbers. */
export function table(header: readonly string[], lines: readonly (readonly (string | number)[])[]): string {
  return [header, header.map((_, index) => (index === 0 ? '---' : '---:')), ...lines].map(cells => `| ${cells.join(' | ')} |`).join('\n');
}

/** Prints what was found; with `--update`, writes it into its place in bench/README.md, and its plots beside that. */
export function report(section: string, text: string, plots: { readonly [name: string]: string } = {}): void {
  process.stdout.write(`\n${text}\n`);
  if (!process.argv.includes('--update')) return;
  mkdirSync(PLOTS, { recursive: true });
  for (const [name, svg] of Object.entries(plots)) writeFileSync(join(PLOTS, `${name}.svg`), `${svg}\n`);
  const shown = [text, ...Object.keys(plots).map(name => `![${name}](plots/${name}.svg)`)].join('\n\n');
  const place = new RegExp(`(<!-- ${section} -->\\n)[^]*?(<!-- end of ${section} -->)`);
  writeFileSync(README, readFileSync(README, 'utf8').replace(place, (_, start, end) => `${start}\n${shown}\n\n${end}`));
}
