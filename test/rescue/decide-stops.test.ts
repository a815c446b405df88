import { mayNeedAction } from '../../src/rescue/decide';
import type { TaskOutcome } from '../../src/rescue/task-outcome';
import { ago, alive, nothing, ofEcs, ofProcess, run, stopped } from '../support/decided';

describe('a run whose task a person has stopped', () => {
  const stop = { stopCode: 'UserInitiated', reason: 'Wrong data' };
  const crash = { then: 'crash', why: 'Its task was stopped: Wrong data' };
  const told: TaskOutcome = { ...alive, created: ago(3000), stopping: stop } as TaskOutcome;

  test('crashes with their reason, at once, before its task can hand it back', () => {
    expect(ofEcs(run({ since: ago(1) }), told)).toEqual(crash);
    expect(ofEcs(run({ state: 'PENDING', since: ago(1), stateName: 'InfrastructurePending' }), told)).toEqual(crash);
    expect(ofEcs(run(), stopped({ ...stop, at: ago(1) }))).toEqual(crash);
    expect(ofEcs(run({ since: ago(1) }), stopped({ ...stop, at: undefined }))).toEqual(crash);
    expect(ofEcs(run({ state: 'PENDING', since: ago(5), stateName: 'InfrastructurePending' }), stopped({ ...stop, created: ago(4), at: ago(1) }))).toEqual(crash);
  });

  test('crashes also between two of its flow\'s own tries', () => {
    const between = run({ state: 'SCHEDULED', stateName: 'AwaitingRetry', since: ago(1), waitsInProcess: true });
    expect(ofEcs(between, told)).toEqual(crash);
    expect(ofEcs(between, stopped({ ...stop, at: ago(1) }))).toEqual(crash);
    expect(ofProcess(run({ ...between, since: ago(2000) }), stopped(stop))).toMatchObject({ then: 'release' });
  });

  test('and that waits for another reason waits on', () => {
    expect(ofEcs(run({ state: 'SCHEDULED', since: ago(1) }), told)).toEqual(nothing);
  });

  test('crashes even when its task was faster', () => {
    const handedBack = run({ state: 'SCHEDULED', since: ago(1), message: 'Its task was interrupted before it was finished.' });
    expect(mayNeedAction(handedBack)).toBe(true);
    expect(ofEcs(handedBack, told)).toEqual(crash);
    expect(ofEcs(handedBack, stopped(stop))).toEqual(crash);
    expect(ofEcs(handedBack, stopped({ stopCode: 'SpotInterruption' }))).toEqual(nothing);
  });

  test('goes on where a worker has it again, and names that task still', () => {
    expect(ofEcs(run({ state: 'PENDING', since: ago(50), stateName: 'Submitting' }), stopped(stop))).toEqual(nothing);
    expect(ofEcs(run({ since: ago(50) }), stopped(stop))).toEqual(nothing);
  });

  test('stays crashed where Prefect\'s observer was first', () => {
    expect(ofEcs(run({ state: 'CRASHED', message: 'The following containers stopped with a non-zero exit code: [\'prefect\']' }), stopped(stop))).toEqual(nothing);
  });

  test('is not one whose task the reconciler has stopped, or the worker that cancels it', () => {
    const byPrograms = ['Prefect reconciler: Its task did not start within 600 seconds.', 'The stack of its worker is deleted.', 'Stopped by Prefect worker'];
    for (const reason of byPrograms) {
      expect(ofEcs(run(), stopped({ ...stop, reason }))).toMatchObject({ then: 'reschedule' });
    }
    expect(ofEcs(run({ state: 'CANCELLING' }), stopped(stop))).toMatchObject({ then: 'cancel' });
  });

  test('is started again where it was a worker\'s task: that one was meant', () => {
    expect(ofProcess(run(), stopped(stop))).toMatchObject({ then: 'reschedule' });
  });
});
