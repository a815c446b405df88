/** A schedule as EventBridge and Application Auto Scaling write it: at(…), rate(…) or cron(…). */
export interface Schedule {
  readonly expression: string;
  /** IANA name of the time zone; UTC without it. */
  readonly timeZone?: string;
}

const MINUTE = 60_000;
const UNITS: Record<string, number> = { minute: 1, hour: 60, day: 24 * 60 };
const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];

/** The seconds between two times of a rate(…). */
export function rateSeconds(expression: string): number {
  const [, value, unit] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  if (unit === undefined) throw new Error(`${expression} is no rate expression.`);
  return Number(value) * UNITS[unit] * 60;
}

/**
 * The times of a schedule between two moments, in milliseconds.
 *
 * @see https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-using-cron-expressions.html
 */
export function timesOf({ expression, timeZone = 'UTC' }: Schedule, from: number, to: number): number[] {
  const times: number[] = [];
  const inside = (time: number) => time >= from && time < to;
  if (expression.startsWith('rate')) {
    for (let time = from; inside(time); time += rateSeconds(expression) * 1000) times.push(time);
    return times;
  }
  const clock = localClock(timeZone);
  const [, at] = /^at\((.*)\)$/.exec(expression) ?? [];
  const matches = at === undefined ? cron(expression) : (local: Local) => local.text === at.slice(0, 16);
  for (let time = Math.ceil(from / MINUTE) * MINUTE; inside(time); time += MINUTE) {
    if (matches(clock(time))) times.push(time);
  }
  return times;
}

interface Local {
  readonly text: string;
  readonly minute: number;
  readonly hour: number;
  readonly day: number;
  readonly month: number;
  readonly weekday: number;
  readonly year: number;
}

function localClock(timeZone: string): (time: number) => Local {
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone, year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', hourCycle: 'h23',
  });
  return time => {
    const text = format.format(time).replace(' ', 'T');
    const [year, month, day, hour, minute] = text.split(/[-T:]/).map(Number);
    return { text, year, month, day, hour, minute, weekday: new Date(Date.UTC(year, month - 1, day)).getUTCDay() + 1 };
  };
}

function cron(expression: string): (local: Local) => boolean {
  const fields = /^cron\((.*)\)$/.exec(expression)?.[1].trim().split(/\s+/);
  if (fields?.length !== 6) throw new Error(`${expression} is no cron expression with six fields.`);
  const [minute, hour, day, month, weekday, year] = [
    field(fields[0], 0, 59), field(fields[1], 0, 23), field(fields[2], 1, 31),
    field(fields[3], 1, 12, MONTHS, 1), field(fields[4], 1, 7, DAYS, 1), field(fields[5], 1970, 2199),
  ];
  return local => minute(local.minute) && hour(local.hour) && day(local.day) && month(local.month) && weekday(local.weekday) && year(local.year);
}

/** One field: *, ?, a number or name, a range, a list, or steps. */
function field(text: string, lowest: number, highest: number, names: readonly string[] = [], first = 0): (value: number) => boolean {
  const number = (part: string) => (names.includes(part) ? names.indexOf(part) + first : Number(part));
  const wanted = new Set<number>();
  for (const part of text.split(',')) {
    const [range, step = '1'] = part.split('/');
    const [from, to = part.includes('/') ? highest : undefined] = range === '*' || range === '?' ? [lowest, highest] : range.split('-').map(number);
    if (Number.isNaN(from)) throw new Error(`${text}: this field of a cron expression is not understood.`);
    for (let value = from; value <= (to ?? from); value += Number(step)) wanted.add(value);
  }
  return value => wanted.has(value);
}
