import { hasEnded, mayNeedAction, needsItsClaim, Rules } from '../../src/rescue/decide';
import type { FlowRun } from '../../src/rescue/flow-run';
import type { TaskOutcome } from '../../src/rescue/task-outcome';
import { ago, alive, nothing, ofEcs, ofProcess, run, starting, stopped } from '../support/decided';

describe('a healthy run', () => {
  test.each([['RUNNING'], ['PENDING']] as const)('that is %s in a task that runs is not touched, however long it takes', state => {
    const old = run({ state, since: ago(1_000_000) });
    expect(ofEcs(old, alive)).toEqual(nothing);
    expect(ofProcess(old, alive)).toEqual(nothing);
  });

  test.each([['RUNNING'], ['PENDING'], ['CANCELLING'], ['CRASHED']] as const)('that is %s and of which ECS can\'t speak is not touched', state => {
    expect(ofEcs(run({ state, since: ago(1_000_000) }), { task: 'unknown' })).toEqual(nothing);
  });

  test('that began after the end of the task it names runs in another', () => {
    expect(ofEcs(run({ since: ago(90) }), stopped({ at: ago(100) }))).toEqual(nothing);
  });

  test('that was claimed a while ago and names the task of an earlier attempt is given its time', () => {
    expect(ofEcs(run({ state: 'PENDING', since: ago(90) }), stopped({ at: ago(100) }))).toEqual(nothing);
    expect(ofEcs(run({ state: 'PENDING', since: ago(90) }), stopped({ at: undefined }))).toEqual(nothing);
  });

  test('whose message that its task waits for a place came after that of its end has lost its task', () => {
    const refused = stopped({ stopCode: 'TaskFailedToStart', reason: 'Capacity is unavailable at this time.', created: ago(105), at: ago(104), spot: true });
    const swapped = run({ state: 'PENDING', stateName: 'InfrastructurePending', runCount: 0, since: ago(100) });
    expect(needsItsClaim(swapped, refused, true)).toBe(true);
    expect(ofEcs({ ...swapped, claimed: ago(106) }, refused)).toMatchObject({ then: 'reschedule', next: { onDemand: true } });
    // The task is that of an earlier attempt where the run was claimed after it.
    expect(ofEcs({ ...swapped, claimed: ago(103) }, refused)).toEqual(nothing);
    expect(needsItsClaim(swapped, refused, false)).toBe(false);
    expect(needsItsClaim(run({ state: 'PENDING', since: ago(110) }), refused, true)).toBe(false);
  });

  test('that was claimed while the task of its earlier attempt still cleaned up is given its time', () => {
    const handedBack = stopped({ stopCode: 'SpotInterruption', created: ago(500), at: ago(100) });
    expect(ofEcs(run({ state: 'PENDING', since: ago(110) }), handedBack)).toEqual(nothing);
    expect(ofEcs(run({ state: 'PENDING', since: ago(301) }), handedBack)).toMatchObject({ then: 'reschedule', why: 'A worker claimed it, and started no task.' });
    // This one's task was seen by the observer, and so is its own.
    expect(ofEcs(run({ state: 'PENDING', since: ago(110), stateName: 'InfrastructurePending' }), handedBack)).toMatchObject({ then: 'reschedule', why: expect.stringContaining('Its task has ended') });
    // A worker's task is older than all of its runs.
    expect(ofProcess(run({ state: 'PENDING', since: ago(110) }), handedBack)).toMatchObject({ then: 'reschedule' });
  });

  test('whose task starts is given ten minutes', () => {
    expect(ofEcs(run({ state: 'PENDING', since: ago(590) }), starting)).toEqual(nothing);
  });
});

describe('a run that waits within its process', () => {
  const waiting = run({ state: 'SCHEDULED', waitsInProcess: true });

  test('is given back to the workers when its task has ended, with the reason, and not before', () => {
    expect(ofEcs(waiting, stopped())).toEqual({ then: 'release', why: 'Its task has ended: prefect: OutOfMemoryError' });
    expect(ofProcess(waiting, stopped())).toMatchObject({ then: 'release' });
    expect(ofEcs(waiting, alive)).toEqual(nothing);
    expect(mayNeedAction(waiting)).toBe(true);
  });

  test('is not one that waits for a worker', () => {
    expect(ofEcs(run({ state: 'SCHEDULED' }), stopped())).toEqual(nothing);
    expect(mayNeedAction(run({ state: 'SCHEDULED' }))).toBe(false);
  });
});

describe('a run that counts as crashed', () => {
  const crashed = (of: Partial<FlowRun> = {}) => run({ state: 'CRASHED', message: 'Flow run process exited with non-zero status code 1.', ...of });

  test('of an ECS worker has ended when its task has', () => {
    expect(hasEnded(crashed(), stopped(), true)).toBe(true);
    expect(hasEnded(crashed(), alive, true)).toBe(false);
    expect(hasEnded(run(), stopped(), true)).toBe(false);
  });

  test('of a PROCESS worker has ended where it ran and its worker said so, or when the worker has ended', () => {
    expect(hasEnded(crashed(), alive, false)).toBe(true);
    expect(hasEnded(crashed({ runCount: 0 }), alive, false)).toBe(false);
    expect(hasEnded(crashed({ message: 'No heartbeat for 900 seconds.' }), alive, false)).toBe(false);
    expect(hasEnded(crashed({ message: 'No heartbeat for 900 seconds.' }), stopped(), false)).toBe(true);
    expect(hasEnded(run(), alive, false)).toBe(false);
  });
});

describe('a run whose task has a limit of time', () => {
  const limited = (started: Date | undefined, maxRunTime = 3600): TaskOutcome => ({ task: 'running', arn: 'arn', spot: false, started, maxRunTime });
  const timedOut = { then: 'timeOut', why: 'Its task ran for longer than max_run_time, 3600 seconds, and was stopped.', stop: 'arn' };

  test('is ended when that is over, whether it is Running or still Pending, and not before', () => {
    expect(ofEcs(run({ since: ago(3590) }), limited(ago(3601)))).toEqual(timedOut);
    expect(ofEcs(run({ state: 'PENDING', since: ago(3590) }), limited(ago(3601)))).toEqual(timedOut);
    expect(ofEcs(run({ since: ago(4000) }), limited(ago(3600)))).toEqual(nothing);
  });

  test('is left alone where nobody knows when the task began, and where it has begun to run just now', () => {
    expect(ofEcs(run({ since: ago(4000) }), limited(undefined))).toEqual(nothing);
    expect(ofEcs(run({ since: ago(30) }), limited(ago(4000)))).toEqual(nothing);
  });
});

describe('a run that lost its task', () => {
  test.each([['SpotInterruption'], ['ServiceSchedulerInitiated'], ['TerminationNotice'], ['UserInitiated']])('to ECS (%s) is scheduled again', stopCode => {
    const decision = { then: 'reschedule', why: 'Its task has ended: taken back' };
    if (stopCode !== 'UserInitiated') expect(ofEcs(run(), stopped({ stopCode, reason: 'taken back' }))).toEqual(decision);
    expect(ofProcess(run(), stopped({ stopCode, reason: 'taken back' }))).toEqual(decision);
  });

  test('by its own end is crashed, with the reason', () => {
    expect(ofEcs(run(), stopped())).toEqual({ then: 'crash', why: 'Its task has ended: prefect: OutOfMemoryError' });
  });

  test('by its own end is tried again as often as its flow may be, after the flow\'s delay', () => {
    expect(ofEcs(run({ retries: 1, retryDelay: 30 }), stopped())).toMatchObject({ then: 'reschedule', delay: 30, isRetry: true });
    expect(ofEcs(run({ retries: 1, runCount: 2 }), stopped())).toMatchObject({ then: 'crash' });
  });

  test('with the worker that broke is scheduled again, until it may be what breaks workers', () => {
    expect(ofProcess(run({ runCount: 2 }), stopped())).toMatchObject({ then: 'reschedule' });
    expect(ofProcess(run({ runCount: 3 }), stopped())).toMatchObject({ then: 'crash' });
  });

  test('just now is left to Prefect\'s observer and to the run itself', () => {
    expect(ofEcs(run(), stopped({ at: ago(59) }))).toEqual(nothing);
    expect(ofEcs(run({ since: ago(59) }), stopped({ at: undefined }))).toEqual(nothing);
  });

  test('while it was still Pending is judged alike', () => {
    expect(ofEcs(run({ state: 'PENDING', runCount: 0 }), stopped())).toMatchObject({ then: 'crash' });
  });
});

describe('where interrupted runs are to crash', () => {
  const crash: Partial<Rules> = { interruptedRuns: 'crash' };
  const interrupted = stopped({ stopCode: 'SpotInterruption', reason: 'taken back' });

  test('a run that executed does, whatever retries its flow has', () => {
    for (const outcome of [interrupted, stopped()]) {
      expect(ofEcs(run({ retries: 3 }), outcome, crash)).toMatchObject({ then: 'crash', why: expect.stringContaining('Its task has ended') });
      expect(ofProcess(run({ retries: 3 }), outcome, crash)).toMatchObject({ then: 'crash' });
    }
    expect(ofEcs(run({ state: 'CRASHED', message: 'No heartbeat for 900 seconds.' }), interrupted, crash)).toEqual(nothing);
  });

  test('a run that had not begun is started again', () => {
    expect(ofEcs(run({ state: 'PENDING' }), stopped({ stopCode: 'SpotInterruption', created: ago(1000) }), crash)).toMatchObject({ then: 'reschedule' });
    expect(ofEcs(run({ state: 'PENDING', since: ago(301) }), { task: 'none' }, crash)).toMatchObject({ then: 'reschedule' });
    expect(ofEcs(run({ state: 'CRASHED', runCount: 0, message: 'The following containers stopped with a non-zero exit code: [\'prefect\']' }), interrupted, crash)).toMatchObject({ then: 'reschedule' });
  });

  test('tags say otherwise for single runs, and the cautious one wins', () => {
    expect(ofEcs(run({ tags: ['when-interrupted:restart'] }), interrupted, crash)).toMatchObject({ then: 'reschedule' });
    expect(ofEcs(run({ tags: ['when-interrupted:crash'] }), interrupted)).toMatchObject({ then: 'crash' });
    expect(ofProcess(run({ tags: ['when-interrupted:restart', 'when-interrupted:crash'] }), interrupted)).toMatchObject({ then: 'crash' });
  });
});

describe('a run that is being cancelled', () => {
  const cancelling = (since: number) => run({ state: 'CANCELLING', since: ago(since) });

  test('is cancelled once its task has ended', () => {
    expect(ofEcs(cancelling(70), stopped())).toMatchObject({ then: 'cancel' });
    expect(ofProcess(cancelling(70), stopped({ stopCode: 'SpotInterruption' }))).toMatchObject({ then: 'cancel' });
  });

  test('has its task stopped after ten minutes, but never the worker\'s', () => {
    expect(ofEcs(cancelling(599), alive)).toEqual(nothing);
    expect(ofEcs(cancelling(601), alive)).toMatchObject({ then: 'cancel', stop: 'arn' });
    expect(ofEcs(cancelling(601), { task: 'none' })).toMatchObject({ then: 'cancel' });
    expect(ofProcess(cancelling(100_000), alive)).toEqual(nothing);
  });
});

describe('a run that Prefect\'s observer has marked as crashed', () => {
  const crashed = (overrides: Partial<FlowRun>) => run({ state: 'CRASHED', message: 'The following containers stopped with a non-zero exit code: [\'prefect\']', ...overrides });

  test('is tried again where its flow has retries left', () => {
    expect(ofEcs(crashed({ retries: 2, runCount: 2, retryDelay: 5 }), stopped())).toMatchObject({ then: 'reschedule', delay: 5 });
    expect(ofEcs(crashed({ retries: 2, runCount: 3 }), stopped())).toEqual(nothing);
    expect(ofEcs(crashed({}), stopped())).toEqual(nothing);
  });

  test('is scheduled again where its task was taken away, and could not say so before it was killed', () => {
    expect(ofEcs(crashed({}), stopped({ stopCode: 'SpotInterruption', reason: 'taken back' }))).toEqual({ then: 'reschedule', why: 'taken back' });
  });

  test('stays so where its task runs on, or where it says itself why it crashed', () => {
    expect(ofEcs(crashed({ retries: 2 }), alive)).toEqual(nothing);
    expect(ofEcs(crashed({ retries: 2, message: 'Execution was interrupted by an unexpected exception' }), stopped())).toEqual(nothing);
  });
});

describe.each([
  ['No heartbeat for 900 seconds.'],
  ['No heartbeat since 2026-03-01T11:40:00.000Z.'],
  ['Flow run marked as crashed due to missing heartbeats.'],
  ['Flow run did not send a heartbeat for 9 minutes'],
])('a run that counts as crashed because its heartbeats did not get through: %s', message => {
  const silent = run({ state: 'CRASHED', message });

  test('is started again when its task was taken away', () => {
    expect(ofEcs(silent, stopped({ stopCode: 'SpotInterruption' }))).toMatchObject({ then: 'reschedule' });
    expect(ofProcess(silent, stopped({ stopCode: 'ServiceSchedulerInitiated' }))).toMatchObject({ then: 'reschedule' });
  });

  test('stays so where its task ended by itself, and where its task runs on', () => {
    expect(ofEcs(silent, stopped())).toEqual(nothing);
    expect(ofEcs(silent, alive)).toEqual(nothing);
    expect(ofProcess(silent, alive)).toEqual(nothing);
  });
});

test('a flow\'s own exception that speaks of heartbeats is none of that', () => {
  const broken = run({ state: 'CRASHED', message: 'Execution was interrupted by an unexpected exception: CommitFailedError: heartbeat' });
  expect(ofProcess(broken, stopped({ stopCode: 'ServiceSchedulerInitiated' }))).toEqual(nothing);
});
