import { AlarmRule, AlarmState, callsAction, evaluate, evaluationInterval, evaluationRange, MissingData } from '../../bench/scaling/aws/alarm';

const rule = (datapointsToAlarm: number, missingData: MissingData): AlarmRule =>
  ({ comparison: 'GreaterThanThreshold', threshold: 10, evaluationPeriods: 3, datapointsToAlarm, missingData });

/** As AWS's page writes it: 0 is within the threshold, X breaches it, - is missing. */
const points = (text: string) => text.split(' ').map(point => ({ '0': 1, 'X': 20, '-': undefined })[point]);

/** A current state that no evaluation below results in by chance. */
const states = (datapointsToAlarm: number, data: string, current: AlarmState) =>
  (['missing', 'ignore', 'breaching', 'notBreaching'] as const).map(missing => evaluate(rule(datapointsToAlarm, missing), points(data), current).state);

describe('an alarm with missing data goes where the tables of the CloudWatch user guide say', () => {
  const RETAIN = 'retain';

  test.each([
    // 3 out of 3        missing              ignore   breaching notBreaching
    [3, '0 - X - X', 'OK', 'OK', 'OK', 'OK'],
    [3, '0 - - - -', 'OK', 'OK', 'OK', 'OK'],
    [3, '- - - - 0', 'OK', 'OK', 'OK', 'OK'],
    [3, '- - - - -', 'INSUFFICIENT_DATA', RETAIN, 'ALARM', 'OK'],
    [3, '0 X X - X', 'ALARM', 'ALARM', 'ALARM', 'ALARM'],
    [3, '- - X - -', 'ALARM', RETAIN, 'ALARM', 'OK'],
    [3, '- - - - X', 'INSUFFICIENT_DATA', RETAIN, 'ALARM', 'OK'],
    // 2 out of 3
    [2, '0 - X - X', 'ALARM', 'ALARM', 'ALARM', 'ALARM'],
    [2, '0 0 X 0 X', 'ALARM', 'ALARM', 'ALARM', 'ALARM'],
    [2, '0 - X - -', 'OK', 'OK', 'ALARM', 'OK'],
    [2, '- - - - 0', 'OK', 'OK', 'ALARM', 'OK'],
    [2, '- - - X -', 'ALARM', RETAIN, 'ALARM', 'OK'],
  ])('%d out of 3, %s', (datapointsToAlarm, data, ...expected) => {
    for (const current of ['OK', 'ALARM', 'INSUFFICIENT_DATA'] as const) {
      expect(states(datapointsToAlarm, data, current)).toEqual(expected.map(state => (state === RETAIN ? current : state)));
    }
  });
});

test('the newest real data points decide, and are what a policy sees', () => {
  expect(evaluate(rule(3, 'breaching'), [1, 20, 30, undefined, 40], 'OK')).toEqual({ state: 'ALARM', evaluated: [20, 30, 40] });
});

test('more data points than the evaluation periods are asked for, so that one that is late is not missing', () => {
  expect(evaluationRange(rule(3, 'missing'))).toBe(5);
});

test.each([
  ['GreaterThanThreshold', false], ['GreaterThanOrEqualToThreshold', true], ['LessThanThreshold', false], ['LessThanOrEqualToThreshold', true],
] as const)('a value at the threshold, %s: breaches %s', (comparison, breaching) => {
  const at = { comparison, threshold: 10, evaluationPeriods: 1, datapointsToAlarm: 1, missingData: 'missing' as const };
  expect(evaluate(at, [10], 'OK').state).toBe(breaching ? 'ALARM' : 'OK');
});

test('an alarm calls its policy when it goes off, and once a minute after that, whatever its period', () => {
  expect(callsAction('OK', 'ALARM', 5)).toBe(true);
  expect(callsAction('ALARM', 'ALARM', 50)).toBe(false);
  expect(callsAction('ALARM', 'ALARM', 60)).toBe(true);
  expect(callsAction('ALARM', 'OK', 60)).toBe(false);
});

test('an alarm is evaluated every minute, a high-resolution one every period', () => {
  expect([10, 20, 60, 300].map(evaluationInterval)).toEqual([10, 20, 60, 60]);
});
