import { Comparison } from './compare';
import { Measured } from './measure';

export interface Bar {
  readonly what: string;
  readonly value: string;
  readonly met: boolean;
}

/** How close the task-hours have to come to the oracle's, and how small a share of the official template's late minutes may be left. */
const ORACLE_FACTOR = 1.2;
const OFFICIAL_SHARE = 0.1;
/** Where the best possible leaves a larger share, as close to that. */
const POSSIBLE_FACTOR = 1.1;

/** What the template is held to on a trace. */
export function bars({ trace, results: { template, official, idle, oracle, oracleAsLate, instant } }: Comparison): Bar[] {
  const ratio = of(template.taskHours, oracleAsLate.taskHours);
  const share = of(template.lateMinutes, official.lateMinutes);
  // Flow runs start together on a worker's CPU; and of runs that nobody announced, no one knows before they are there.
  const possible = (trace.scheduled ? oracle : instant).lateMinutes;
  const better = beatenBy(template, { official, idle });
  return [
    {
      what: 'late-run minutes, of the official template\'s (the best possible)',
      value: `${percent(share)} (${percent(of(possible, official.lateMinutes))})`,
      met: share <= OFFICIAL_SHARE || template.lateMinutes <= POSSIBLE_FACTOR * possible,
    },
    {
      what: 'task-hours, of the official template\'s',
      value: percent(of(template.taskHours, official.taskHours)),
      met: template.taskHours <= official.taskHours,
    },
    { what: 'no rival is both sooner and no dearer', value: better, met: better === 'none' },
    { what: 'task-hours, of the oracle\'s as late', value: `${ratio.toFixed(2)} ×`, met: !trace.scheduled || ratio <= ORACLE_FACTOR },
    { what: 'busy workers taken away', value: template.handBacks.toFixed(1), met: template.handBacks === 0 },
  ];
}

/** The rivals that start runs sooner at no more task-hours. */
function beatenBy(template: Measured, rivals: Readonly<Record<string, Measured>>): string {
  const better = Object.entries(rivals)
    .filter(([, rival]) => rival.lateMinutes < template.lateMinutes - 0.5 && rival.taskHours <= template.taskHours);
  return better.map(([name]) => name).join(', ') || 'none';
}

function of(value: number, whole: number): number {
  return whole === 0 ? (value === 0 ? 0 : Infinity) : value / whole;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
}
