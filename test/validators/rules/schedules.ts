import { Resolver } from '../intrinsics';
import { asArray, ofType } from '../template';
import type { Remark, Rule } from '../types';

/** Fields of AWS's cron expressions in their order: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#cron-based */
const FIELDS = [
  { name: 'minutes', from: 0, to: 59 },
  { name: 'hours', from: 0, to: 23 },
  { name: 'day of month', from: 1, to: 31, also: /^(L|\d{1,2}W|LW)$/ },
  { name: 'month', from: 1, to: 12, names: ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'] },
  { name: 'day of week', from: 1, to: 7, names: ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'], also: /^(L|[1-7]L|[1-7]#[1-5])$/ },
  { name: 'year', from: 1970, to: 2199 },
];

const UNITS = ['minute', 'hour', 'day'];

/** Rules and schedules are on, and say when as EventBridge and Application Auto Scaling understand it. */
export const schedules: Rule = (template, { named }) => {
  const resolver = new Resolver(template, { imports: named.imports });
  const rules = ofType(template, 'AWS::Events::Rule').flatMap(([logicalId, { Properties = {} }]): Remark[] => {
    const { State = 'ENABLED', ScheduleExpression, EventPattern, Targets } = resolver.resolve(Properties);
    const faults = ScheduleExpression === undefined ? [] : scheduleFaults(String(ScheduleExpression), ['rate', 'cron']);
    if (State !== 'ENABLED') faults.push(`It is ${State}: nothing happens.`);
    if (ScheduleExpression === undefined && EventPattern === undefined) faults.push('It has neither a schedule nor a pattern.');
    if (asArray(Targets).length === 0) faults.push('It has no target.');
    return faults.map((message) => ({ logicalId, message }));
  });
  const targets = ofType(template, 'AWS::ApplicationAutoScaling::ScalableTarget').flatMap(([logicalId, { Properties = {} }]) => {
    const { ScheduledActions, SuspendedState = {} } = resolver.resolve(Properties);
    const faults = asArray<any>(ScheduledActions).flatMap(({ Schedule, Timezone }) => [
      ...scheduleFaults(String(Schedule), ['rate', 'cron', 'at']),
      ...(Timezone === undefined || knowsZone(Timezone) ? [] : [`There is no time zone ${Timezone}.`]),
    ]);
    const suspended = Object.entries(SuspendedState)
      .filter(([, value]) => String(value) === 'true')
      .map(([name]) => `Its scaling is suspended: ${name}.`);
    return [...faults, ...suspended].map((message) => ({ logicalId, message }));
  });
  return [...rules, ...targets];
};

function knowsZone(zone: string): boolean {
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: zone }));
  } catch {
    return false;
  }
}

export function scheduleFaults(expression: string, kinds: string[]): string[] {
  const [, kind, content] = /^(rate|cron|at)\((.*)\)$/.exec(expression) ?? [];
  if (!kind || !kinds.includes(kind)) return [`"${expression}" is no schedule: ${kinds.join('(...), ')}(...).`];
  if (kind === 'at') return Number.isNaN(Date.parse(`${content}Z`)) ? [`"${content}" is no time.`] : [];
  if (kind === 'rate') {
    const [, count, unit, plural] = /^([1-9]\d*) (minute|hour|day)(s?)$/.exec(content) ?? [];
    return UNITS.includes(unit) && (Number(count) === 1) === (plural === '') ? [] : [`"${content}" is no rate: 1 minute, 5 minutes, ...`];
  }
  const fields = content.trim().split(/\s+/);
  if (fields.length !== FIELDS.length) {
    return [`"${content}" has ${fields.length} fields: AWS takes ${FIELDS.length} (${FIELDS.map(({ name }) => name).join(', ')}).`];
  }
  const faults = fields.flatMap((field, index) => field.split(',').flatMap((part) => partFault(part, index)));
  if (fields[2] !== '?' && fields[4] !== '?') faults.push(`"${content}": one of day of month and day of week has to be ?.`);
  if (fields[2] === '?' && fields[4] === '?') faults.push(`"${content}": day of month and day of week can't both be ?.`);
  return faults;
}

function partFault(part: string, index: number): string[] {
  const { name, from, to, names = [], also } = FIELDS[index];
  const number = (text: string) =>
    names.includes(text.toUpperCase()) ? names.indexOf(text.toUpperCase()) + 1 : /^\d+$/.test(text) ? Number(text) : NaN;
  const [range, step] = part.split('/');
  const [first, last] = range.split('-');
  const inside = (value: number) => value >= from && value <= to;
  const fine =
    part === '?'
      ? index === 2 || index === 4
      : also?.test(part) ||
        ((range === '*' || (inside(number(first)) && (last === undefined || (inside(number(last)) && number(first) <= number(last))))) &&
          (step === undefined || Number(step) >= 1));
  return fine ? [] : [`"${part}" is no ${name} (${from} to ${to}).`];
}
