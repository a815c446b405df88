import { aws_applicationautoscaling as appscaling, CfnParameter, TimeZone } from 'aws-cdk-lib';
import { ScalingSchedule, StandbyOptions, WorkerType } from '../../src';
import { addWorker, newStack } from '../support/worker';

const { Schedule } = appscaling;

/** A time on some days, in whole hours. */
function at(weekDay: string, from: string, to: string, minWorkers = 3): ScalingSchedule {
  return { start: Schedule.cron({ weekDay, hour: from, minute: '0' }), end: Schedule.cron({ weekDay, hour: to, minute: '0' }), minWorkers };
}

const given = (schedules: ScalingSchedule[], standby?: StandbyOptions) => () =>
  addWorker(newStack(), { workerType: WorkerType.PROCESS, scaling: { schedules, standby } });

describe('schedules that contradict each other are refused:', () => {
  test.each<[string, ScalingSchedule[], RegExp]>([
    ['one within the other', [at('*', '8', '18', 2), at('MON', '9', '10', 5)], /^Stack\/Worker: scaling\.schedules\[1\] is .* it overlaps or touches scaling\.schedules\[0\] at 2026-01-05T09:00, and the end of one undoes the other/],
    ['one that begins in the other', [at('MON-FRI', '8', '12'), at('MON-FRI', '11', '14')], /at 2026-01-01T11:00/],
    ['one that begins where the other ends', [at('*', '8', '12'), at('*', '12', '14')], /at 2026-01-01T12:00/],
    ['one that ends in the other', [at('*', '11', '14'), at('*', '8', '12')], /at 2026-01-01T11:00/],
    ['one over midnight', [at('*', '22', '2'), at('SUN', '1', '3')], /at 2026-01-04T01:00/],
    ['of three the last', [at('MON', '1', '2'), at('TUE', '1', '2'), at('TUE', '0-23/2', '1-23/2')], /schedules\[2\].*schedules\[1\]/],
    ['the same bounds too, because the end of one lowers them', [at('*', '8', '12'), at('*', '9', '13')], /undoes/],
    ['one at a date', [at('*', '8', '12'), { start: Schedule.at(new Date('2027-03-04T11:30:00Z')), end: Schedule.at(new Date('2027-03-04T13:00:00Z')), minWorkers: 9 }], /at 2027-03-04T11:30/],
  ])('%s', (_, schedules, message) => {
    expect(given(schedules)).toThrow(message);
  });
});

describe('schedules that fit together pass:', () => {
  const [berlin, tokyo] = [TimeZone.EUROPE_BERLIN, TimeZone.ASIA_TOKYO];

  test.each<[string, ScalingSchedule[]]>([
    ['one after the other', [at('*', '8', '12'), at('*', '13', '14')]],
    ['with one number of workers', [{ ...at('*', '8', '12', 4), maxWorkers: 4 }]],
    ['on other days', [at('MON-FRI', '8', '12'), at('SAT,SUN', '8', '12')]],
    ['over midnight', [at('*', '22', '2'), at('*', '3', '4')]],
    ['in zones that move against each other', [{ ...at('*', '8', '12'), timeZone: berlin }, { ...at('*', '8', '12'), timeZone: tokyo }]],
    ['with days that only the calendar knows', [at('*', '8', '12'), { start: Schedule.expression('cron(0 8 L * ? *)'), end: Schedule.expression('cron(0 9 L * ? *)'), minWorkers: 1 }]],
  ])('%s', (_, schedules) => {
    expect(given(schedules)).not.toThrow();
  });

  test('with an expression that is known only at deployment', () => {
    const stack = newStack();
    const expression = new CfnParameter(stack, 'Expression').valueAsString;
    expect(() => addWorker(stack, { workerType: WorkerType.PROCESS, scaling: { schedules: [at('*', '8', '12'), { ...at('*', '9', '10'), start: Schedule.expression(expression) }] } })).not.toThrow();
  });
});

describe('a schedule that can not be is refused:', () => {
  test.each<[string, ScalingSchedule[], RegExp]>([
    ['a minimum above its maximum', [{ ...at('*', '8', '9', 5), maxWorkers: 4 }], /^Stack\/Worker: scaling\.schedules\[0\]\.minWorkers is 5: it is above scaling\.schedules\[0\]\.maxWorkers, which is 4/],
    ['a minimum above the usual maximum', [at('*', '8', '9', 11)], /^Stack\/Worker: scaling\.schedules\[0\]\.minWorkers is 11: it is above scaling\.maxWorkers, which is 10/],
    ['a minimum below nothing', [at('*', '8', '9', -1)], /^Stack\/Worker: scaling\.schedules\[0\]\.minWorkers is -1/],
    ['a maximum of none', [{ ...at('*', '8', '9', 0), maxWorkers: 0 }], /^Stack\/Worker: scaling\.schedules\[0\]\.maxWorkers is 0: give a whole number of at least 1/],
    ['an end that never comes', [{ start: Schedule.at(new Date('2027-03-04T11:30:00Z')), end: Schedule.at(new Date('2027-03-04T11:30:00Z')), minWorkers: 1 }], /^Stack\/Worker: scaling\.schedules\[0\]\.end is .* never after/],
    ['a rate', [{ ...at('*', '8', '9'), end: Schedule.expression('rate(1 hour)') }], /^Stack\/Worker: scaling\.schedules\[0\]\.end is "rate\(1 hour\)": a rate has no fixed time/],
  ])('%s', (_, schedules, message) => {
    expect(given(schedules)).toThrow(message);
  });

  test('workers that a standby keeps', () => {
    expect(given([at('*', '8', '9', 1)], {})).toThrow(/^Stack\/Worker: scaling\.schedules\[0\]\.minWorkers is 1: a standby has no workers .* remove scaling\.standby\.$/);
  });
});
