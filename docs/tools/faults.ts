import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const PAGE = join(__dirname, '..', 'faults.md');

/** The first table of docs/faults.md in three lines: how many flow runs the faults harm, with the library and without it. */
export function faultsSummary(): string {
  const [usual] = readFileSync(PAGE, 'utf8').split('\n## ');
  const rows = usual.split('\n').filter(line => /^\| (PROCESS|ECS) \|/.test(line)).map(line => line.split('|').map(cell => cell.trim()))
    // What was measured on one side only is no comparison.
    .filter(row => row[4] && row[5]);
  const [ours, plain] = [4, 5].map(column => sum(rows.map(row => harmed(row[column]))));
  const runs = sum(rows.map(row => runsOf(row[4])));
  return [
    `${rows.length} faults, ${runs} flow runs: deployments, scale-in, Spot interruptions, killed tasks and workers, an unreachable API, and others.`,
    `With this library, ${ours === 0 ? 'no flow run' : `**${ours} flow runs**`} got stuck, got lost, ran twice at a time or ended in the wrong state.`,
    `With a plain worker, **${plain}** did, in ${rows.filter(row => harmed(row[5]) > 0).length} of the ${rows.length} faults.`,
  ].join('\n');
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
const runsOf = (cell: string) => Number(/(\d+) runs/.exec(cell)?.[1] ?? 0);

/** How many runs the cell of a fault has in bold; one run may be there for two reasons. */
function harmed(cell: string): number {
  return Math.min(runsOf(cell), sum([...cell.matchAll(/\*\*(\d+) /g)].map(([, count]) => Number(count))));
}
