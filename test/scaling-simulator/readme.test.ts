import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compare } from '../../bench/scaling/compare';
import { PESSIMISTIC, USUAL } from '../../bench/scaling/conditions';
import { barsTable, heading, optionsTable, resultsTable } from '../../bench/scaling/report';
import { synthesized } from '../../bench/scaling/synthesized';
import { traces, unannounced, unseen } from '../../bench/scaling/traces';
import { simulateWith, WARMTH } from '../../bench/scaling/warmth';

const readme = readFileSync(join(__dirname, '..', '..', 'bench', 'README.md'), 'utf8');
const all = [...traces, ...unannounced, ...unseen];
const rows = (table: string) => table.split('\n').slice(2);

const flash = all.find(({ name }) => name === 'flash')!;

/** Which are played in a few seconds. */
const FEW = ['long', 'empty', 'five-minutes'];

describe.each([USUAL, PESSIMISTIC])('what bench/README.md says of the $name setting', conditions => {
  const seeds = Number(new RegExp(heading(conditions, 0).replace('0', '(\\d+)')).exec(readme)?.[1]);
  const section = readme.split(heading(conditions, seeds))[1]?.split('####')[0] ?? '';

  test.each(all.filter(({ name }) => FEW.includes(name)))('is what the command prints for the trace $name', trace => {
    const comparison = compare(trace, synthesized(), Array.from({ length: seeds }, (_, index) => index + 1), conditions);
    for (const row of [...rows(resultsTable([comparison])), ...rows(barsTable([comparison]))]) expect(section.split('\n')).toContain(row);
  });

  test('has every trace, and no other', () => {
    const named = [...new Set([...section.matchAll(/^\| \*\*([\w-]+)\*\*/gm)].map(([, name]) => name))];
    expect(named).toEqual(all.map(({ name }) => name));
  });
});

test('what bench/README.md says of the hours that workers may wait for unscheduled runs is what the command prints', () => {
  const seeds = Number(new RegExp(heading(USUAL, 0).replace('0', '(\\d+)')).exec(readme)?.[1]);
  const options = WARMTH.filter(([option]) => option.includes('warmTaskHours'));
  const of = Array.from({ length: seeds }, (_, index) => index + 1);
  const played = options.map(([option, scaling]) => [option, [simulateWith(scaling, flash, of, USUAL)]] as const);
  const [, section] = readme.split('<!-- scaling warmth -->');
  expect(options).toHaveLength(3);
  // The first row of a trace has its name.
  for (const row of rows(optionsTable([''], played))) expect(section.split('\n')).toContain(row.replace('****', ''));
});

test.each(all)('bench/README.md says what the trace $name is, and shows it', ({ name, what }) => {
  expect(readme).toContain(`- **${name}**: ${what}\n`);
  expect(readme).toContain(`![${name}](scaling/plots/${name}.svg)`);
  expect(readFileSync(join(__dirname, '..', '..', 'bench', 'scaling', 'plots', `${name}.svg`), 'utf8')).toContain('</svg>');
});
