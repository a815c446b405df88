import { ScalingSchedule } from './scaling-options';
import { invalid, isResolved } from '../private/validation';

/** Days that are looked at: the years of a whole cycle of weekdays and leap days would be 28, and eight show what people write. */
const FIRST_DAY = Date.UTC(2026, 0, 1);
const DAYS = 8 * 365;
const MINUTES = 24 * 60;

const MONTHS = ['', 'JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const WEEKDAYS = ['', 'SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

interface Window {
  readonly from: number;
  readonly to: number;
}

/** Throws when the times of two schedules overlap or touch: which bounds hold then is left to chance. */
export function requireApart(prop: string, schedules: readonly ScalingSchedule[]): void {
  const windows = schedules.map((schedule, index) => windowsOf(`${prop}[${index}]`, schedule));
  schedules.forEach((schedule, index) => {
    for (let other = 0; other < index; other++) {
      // Times of different zones move against each other over the year, so only those of one zone are compared.
      if (schedule.timeZone?.timezoneName !== schedules[other].timeZone?.timezoneName) continue;
      const clash = firstClash(windows[other] ?? [], windows[index] ?? []);
      if (clash === undefined) continue;
      throw invalid(`${prop}[${index}]`, { start: schedule.start.expressionString, end: schedule.end.expressionString },
        `it overlaps or touches ${prop}[${other}] at ${new Date(clash * 60_000).toISOString().slice(0, 16)}, and the end of one undoes the other; `
        + 'give them times with at least a minute between, or make them one.');
    }
  });
}

/** The windows of a schedule in minutes, each with its ends; undefined where an expression can't be judged. */
function windowsOf(prop: string, { start, end }: ScalingSchedule): Window[] | undefined {
  const [starts, ends] = [['start', start], ['end', end]].map(([name, given]) => {
    const expression = (given as ScalingSchedule['start']).expressionString;
    if (isResolved(expression) && expression.startsWith('rate(')) {
      throw invalid(`${prop}.${name as string}`, expression, 'a rate has no fixed time; give Schedule.cron() or Schedule.at().');
    }
    return isResolved(expression) ? times(expression) : undefined;
  });
  if (starts === undefined || ends === undefined) return undefined;
  const windows: Window[] = [];
  let next = 0;
  for (const from of starts) {
    while (next < ends.length && ends[next] <= from) next++;
    if (next === ends.length) break;
    if (windows[windows.length - 1]?.to !== ends[next]) windows.push({ from, to: ends[next] });
  }
  if (starts.length > 0 && windows.length === 0) {
    throw invalid(`${prop}.end`, end.expressionString, `it is never after ${prop}.start, which is ${JSON.stringify(start.expressionString)}.`);
  }
  return windows;
}

function firstClash(some: readonly Window[], others: readonly Window[]): number | undefined {
  for (let a = 0, b = 0; a < some.length && b < others.length;) {
    if (some[a].to < others[b].from) a++;
    else if (others[b].to < some[a].from) b++;
    else return Math.max(some[a].from, others[b].from);
  }
  return undefined;
}

/** The minutes since 1970 at which an expression fires, in order. */
function times(expression: string): number[] | undefined {
  const [, kind, argument] = /^(cron|at)\((.*)\)$/.exec(expression) ?? [];
  if (kind === 'at') return [Math.floor(Date.parse(`${argument}Z`) / 60_000)];
  const fields = (argument ?? '').split(/\s+/);
  if (fields.length !== 6) return undefined;
  const ranges: Parameters<typeof values>[] = [
    [fields[0], 0, 59], [fields[1], 0, 23], [fields[2], 1, 31], [fields[3], 1, 12, MONTHS], [fields[4], 1, 7, WEEKDAYS], [fields[5], 1970, 2199],
  ];
  const sets = ranges.map(range => values(...range));
  if (sets.includes(undefined)) return undefined;
  const [minutes, hours, days, months, weekdays, years] = sets as Set<number>[];

  const found: number[] = [];
  for (let day = 0; day < DAYS; day++) {
    const date = new Date(FIRST_DAY + day * MINUTES * 60_000);
    const fits = years.has(date.getUTCFullYear()) && months.has(date.getUTCMonth() + 1)
      && days.has(date.getUTCDate()) && weekdays.has(date.getUTCDay() + 1);
    if (!fits) continue;
    for (const hour of hours) for (const minute of minutes) found.push(date.getTime() / 60_000 + hour * 60 + minute);
  }
  return found;
}

/** The values of a cron field in order; undefined for what depends on the calendar (L, W, #). */
function values(field: string, least: number, most: number, names: readonly string[] = []): Set<number> | undefined {
  const found = new Set<number>();
  for (const part of field.toUpperCase().split(',')) {
    const [, first, last, step] = /^(\*|\?|\w+)(?:-(\w+))?(?:\/(\d+))?$/.exec(part) ?? [];
    const any = first === '*' || first === '?';
    const from = any ? least : valueOf(first, names);
    const to = last !== undefined ? valueOf(last, names) : any || step !== undefined ? most : from;
    if (Number.isNaN(from) || Number.isNaN(to)) return undefined;
    for (let value = from; value <= to; value += Number(step ?? 1)) found.add(value);
  }
  return new Set([...found].sort((a, b) => a - b));
}

function valueOf(text: string, names: readonly string[]): number {
  const index = names.indexOf(text);
  return index > 0 ? index : /^\d+$/.test(text) ? Number(text) : NaN;
}
