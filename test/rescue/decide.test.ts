import { LIMITS } from '../../src/rescue/configuration';
import { decide, failedStarts, hasEnded, mayNeedHelp, needsItsClaim, Rules, startLater } from '../../src/rescue/decide';
import type { FlowRun } from '../../src/rescue/flow-run';
import type { TaskOutcome } from '../../src/rescue/task-outcome';

const NOW = new Date('2026-03-01T12:00:00Z');
const ago = (seconds: number) => new Date(NOW.getTime() - seconds * 1000);

function run(overrides: Partial<FlowRun> = {}): FlowRun {
  return { id: 'run', stateId: 'state', state: 'RUNNING', stateName: '', tags: [], message: '', since: ago(2000), runCount: 1, retries: 0, retryDelay: 0, waitsInProcess: false, ...overrides };
}
function stopped(overrides: Partial<Extract<TaskOutcome, { task: 'stopped' }>> = {}): TaskOutcome {
  return { task: 'stopped', stopCode: 'EssentialContainerExited', reason: 'prefect: OutOfMemoryError', created: ago(1900), at: ago(100), spot: false, ...overrides };
}
const alive: TaskOutcome = { task: 'running', arn: 'arn', spot: false };
const starting: TaskOutcome = { task: 'starting', arn: 'arn', spot: false };

const rules: Rules = { ownTask: true, interruptedRuns: 'restart', limits: LIMITS };
const ofEcs = (flowRun: FlowRun, outcome: TaskOutcome, others: Partial<Rules> = {}) => decide(flowRun, outcome, { ...rules, ...others }, NOW);
const ofProcess = (flowRun: FlowRun, outcome: TaskOutcome, others: Partial<Rules> = {}) => ofEcs(flowRun, outcome, { ownTask: false, ...others });
const nothing = { then: 'nothing' };

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
    expect(mayNeedHelp(waiting)).toBe(true);
  });

  test('is not one that waits for a worker', () => {
    expect(ofEcs(run({ state: 'SCHEDULED' }), stopped())).toEqual(nothing);
    expect(mayNeedHelp(run({ state: 'SCHEDULED' }))).toBe(false);
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
    expect(mayNeedHelp(waiting)).toBe(true);
    expect(ofEcs(waiting, { task: 'none' })).toMatchObject({ then: 'prepare', next: { onDemand: true } });
    expect(mayNeedHelp({ ...waiting, launchType: 'FARGATE' })).toBe(false);
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
    expect(mayNeedHelp(handedBack)).toBe(true);
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
