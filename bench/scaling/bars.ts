import { Comparison } from './compare';

export interface Bar {
  readonly what: string;
  readonly value: string;
  readonly met: boolean;
}

/** How close the task-hours have to come to the oracle's. */
const ORACLE_FACTOR = 1.3;
const OFFICIAL_SHARE = 0.1;
const SCHEDULED_P99_SECONDS = 15;

/** What the template is held to on a trace. */
export function bars({ trace, results: { template, official, oracleAsLate } }: Comparison): Bar[] {
  const ratio = oracleAsLate.taskHours === 0 ? (template.taskHours === 0 ? 1 : Infinity) : template.taskHours / oracleAsLate.taskHours;
  const share = official.lateMinutes === 0 ? (template.lateMinutes === 0 ? 0 : Infinity) : template.lateMinutes / official.lateMinutes;
  return [
    { what: 'late-run minutes, of the official template\'s', value: `${(100 * share).toFixed(1)} %`, met: share <= OFFICIAL_SHARE },
    {
      what: 'task-hours, of the official template\'s',
      value: `${(100 * template.taskHours / official.taskHours).toFixed(0)} %`,
      met: template.taskHours <= official.taskHours,
    },
    { what: 'task-hours, of the oracle\'s as late', value: `${ratio.toFixed(2)} ×`, met: ratio <= ORACLE_FACTOR },
    ...(trace.scheduled && trace.runs.length > 0 ? [{
      what: 'p99 lateness', value: `${template.p99.toFixed(0)} s`, met: template.p99 < SCHEDULED_P99_SECONDS,
    }] : []),
    ...(trace.runs.length === 0 ? [{ what: 'task-hours', value: template.taskHours.toFixed(1), met: template.taskHours === 0 }] : []),
  ];
}
