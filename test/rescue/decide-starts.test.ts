import { LIMITS } from '../../src/rescue/configuration';
import { failedStarts, mayNeedAction, startLater } from '../../src/rescue/decide';
import type { TaskOutcome } from '../../src/rescue/task-outcome';
import { ago, nothing, ofEcs, ofProcess, run, starting, stopped } from '../support/decided';

describe('a run that never got a task', () => {
  test('is scheduled again after five minutes', () => {
    expect(ofEcs(run({ state: 'PENDING', since: ago(299) }), { task: 'none' })).toEqual(nothing);
    expect(ofEcs(run({ state: 'PENDING', since: ago(301) }), { task: 'none' })).toMatchObject({ then: 'reschedule' });
    expect(ofProcess(run({ state: 'PENDING', since: ago(301) }), { task: 'none' })).toMatchObject({ then: 'reschedule' });
  });

  test('but runs, has it elsewhere', () => {
    expect(ofEcs(run({ since: ago(100_000) }), { task: 'none' })).toEqual(nothing);
  });

  test('because it can\'t be placed has it stopped and is scheduled again', () => {
    expect(ofEcs(run({ state: 'PENDING', since: ago(601) }), starting)).toEqual({ then: 'reschedule', stop: 'arn', why: 'Its task did not start within 600 seconds.' });
  });

  test('on Spot goes on demand', () => {
    expect(ofEcs(run({ state: 'PENDING', since: ago(601) }), { ...starting, spot: true } as TaskOutcome)).toMatchObject({ stop: 'arn', next: { onDemand: true } });
    const failed = stopped({ stopCode: 'TaskFailedToStart', spot: true });
    expect(ofEcs(run({ state: 'PENDING', runCount: 0 }), failed)).toMatchObject({ then: 'reschedule', next: { onDemand: true } });
    expect(ofEcs(run({ state: 'CRASHED', runCount: 0 }), failed)).toMatchObject({ then: 'reschedule', next: { onDemand: true } });
    const refused = 'Failed to submit flow run to infrastructure: RuntimeError: Capacity is unavailable at this time. Please try again later.';
    expect(ofEcs(run({ state: 'CRASHED', runCount: 0, message: refused }), { task: 'none' })).toMatchObject({ then: 'reschedule', next: { onDemand: true } });
  });

  test('on Spot is due after the next look, which finishes what this one could not', () => {
    const leaving = ofEcs(run({ state: 'PENDING', since: ago(601) }), { ...starting, spot: true } as TaskOutcome) as { why: string; delay: number };
    expect(leaving.delay).toBeGreaterThan(60);
    const waiting = run({ state: 'SCHEDULED', runCount: 0, since: ago(5), message: leaving.why });
    expect(mayNeedAction(waiting)).toBe(true);
    expect(ofEcs(waiting, { task: 'none' })).toMatchObject({ then: 'prepare', next: { onDemand: true } });
    expect(mayNeedAction({ ...waiting, launchType: 'FARGATE' })).toBe(false);
    expect(ofEcs({ ...waiting, launchType: 'FARGATE' }, { task: 'none' })).toEqual(nothing);
  });

  test('on demand either is crashed', () => {
    const failed = stopped({ stopCode: 'TaskFailedToStart', spot: true });
    expect(ofEcs(run({ state: 'PENDING', runCount: 0, launchType: 'FARGATE' }), failed)).toMatchObject({ then: 'crash' });
  });

  test.each([
    ['RuntimeError: Capacity is unavailable at this time. Please try again later or in a different availability zone'],
    ['ClientException: An error occurred (ClientException) when calling the RegisterTaskDefinition operation: Too many concurrent attempts to create a new revision of the specified family.'],
    ['ClientError: An error occurred (ThrottlingException) when calling the RunTask operation (reached max retries: 4): Rate exceeded.'],
    ['RuntimeError: You\'ve reached the limit on the number of vCPUs you can run concurrently'],
  ])('because ECS takes no more tasks right now is scheduled again in a minute: %s', why => {
    const message = `Failed to submit flow run to infrastructure: ${why}`;
    const refused = run({ state: 'CRASHED', runCount: 0, launchType: 'FARGATE', message });
    expect(ofEcs(refused, { task: 'none' })).toMatchObject({ then: 'reschedule', delay: 60 });
    // The second attempt of a run that was interrupted in its first one.
    expect(ofEcs({ ...refused, runCount: 1 }, { task: 'none' })).toMatchObject({ then: 'reschedule', delay: 60 });
    // A flow may say that of something else.
    expect(ofEcs({ ...refused, message: why }, { task: 'none' })).toEqual(nothing);
  });

  test('because its image can\'t be pulled for now is started later, on Spot too, whoever noticed it first', () => {
    const unpulled = (spot: boolean) => stopped({ stopCode: 'TaskFailedToStart', reason: 'CannotPullContainerError: toomanyrequests', spot });
    const later = { then: 'startLater', why: 'CannotPullContainerError: toomanyrequests' };
    for (const spot of [true, false]) {
      expect(ofEcs(run({ state: 'PENDING', runCount: 0 }), unpulled(spot))).toEqual(later);
      expect(ofEcs(run({ state: 'CRASHED', runCount: 0, message: 'The following containers stopped with a non-zero exit code: [\'prefect\']' }), unpulled(spot))).toEqual(later);
    }
    const refused = 'Failed to submit flow run to infrastructure: RuntimeError: Failed to run ECS task: RESOURCE:ENI';
    expect(ofEcs(run({ state: 'CRASHED', runCount: 0, message: refused }), { task: 'none' })).toEqual({ then: 'startLater', why: 'RuntimeError: Failed to run ECS task: RESOURCE:ENI' });
  });

  test('because its image is not there is crashed, on Spot too', () => {
    const missing = stopped({ stopCode: 'TaskFailedToStart', reason: 'CannotPullContainerError: flows:typo: not found', spot: true });
    expect(ofEcs(run({ state: 'PENDING', runCount: 0 }), missing)).toMatchObject({ then: 'crash' });
    expect(ofEcs(run({ state: 'CRASHED', runCount: 0 }), missing)).toEqual(nothing);
  });

  test('is started with growing delays for seven hours, and then given up with the reason', () => {
    const attempts = Array.from({ length: 12 }, (_, before) => startLater('why', before, LIMITS) as { delay: number });
    const delays = attempts.map(({ delay }) => delay / 60);
    expect(delays.slice(0, 7)).toEqual([1, 2, 4, 8, 16, 32, 60]);
    expect(delays.reduce((sum, delay) => sum + delay)).toBe(63 + 6 * 60);
    expect(startLater('why', 0, LIMITS)).toEqual({ then: 'reschedule', why: 'Its task could not be started: why', delay: 60 });
    expect(startLater('why', 12, LIMITS)).toEqual({ then: 'crash', why: 'Given up after 13 attempts. Its task could not be started: why' });
    expect(ofEcs(run({ state: 'CRASHED', message: 'Given up after 13 attempts. Its task could not be started: toomanyrequests' }), stopped({ stopCode: 'TaskFailedToStart', reason: 'toomanyrequests' }))).toEqual(nothing);
  });

  test('is counted since it ran or was given up: a person may have started it again', () => {
    const late = { type: 'SCHEDULED', message: 'Its task could not be started: why' };
    const between = [{ type: 'PENDING', message: null }, { type: 'CRASHED', message: 'The following containers' }];
    expect(failedStarts([])).toBe(0);
    expect(failedStarts([{ type: 'SCHEDULED', message: null }, ...between, late, ...between, late])).toBe(2);
    expect(failedStarts([late, { type: 'RUNNING', message: null }, ...between, late])).toBe(1);
    expect(failedStarts([late, late, { type: 'CRASHED', message: 'Given up after 13 attempts.' }, { type: 'SCHEDULED', message: 'Retried by a person' }])).toBe(0);
  });

  test('because it may not be started stays crashed', () => {
    const message = 'Failed to submit flow run to infrastructure: ClientError: An error occurred (AccessDeniedException) when calling the RunTask operation';
    expect(ofEcs(run({ state: 'CRASHED', runCount: 0, message }), { task: 'none' })).toEqual(nothing);
  });
});
