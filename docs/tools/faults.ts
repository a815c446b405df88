import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const PAGE = join(__dirname, '..', 'faults.md');

/** The table of docs/faults.md in short: how many flow runs each fault costs, with the library and without it. */
export function faults(): string {
  const [usual] = readFileSync(PAGE, 'utf8').split('\n## ');
  const rows = usual.split('\n').filter(line => /^\| (PROCESS|ECS) \|/.test(line)).map(line => line.split('|').map(cell => cell.trim()));
  return [
    '| worker | fault | with this library | a plain worker |',
    '| --- | --- | --- | --- |',
    ...rows.map(([, worker, fault, , ours, plain]) => `| ${worker} | ${fault} | ${inShort(ours)} | ${inShort(plain)} |`),
  ].join('\n');
}

function inShort(cell: string): string {
  const runs = /(\d+) runs/.exec(cell)?.[1];
  if (runs === undefined) return 'not measured';
  const broken = [...cell.matchAll(/\*\*(\d+) ([^*]+)\*\*/g)].map(([, count, what]) => `**${count} of ${runs} ${what}**`);
  return broken.length > 0 ? broken.join(', ') : `none of ${runs}`;
}
