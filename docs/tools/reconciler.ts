import { LIMITS } from '../../src/rescue/configuration';
import { decide, Decision } from '../../src/rescue/decide';
import type { FlowRun } from '../../src/rescue/flow-run';
import type { TaskOutcome } from '../../src/rescue/task-outcome';

const NOW = new Date('2026-01-01T12:00:00Z');
const ago = (seconds: number) => new Date(NOW.getTime() - seconds * 1000);
/** A run and its task are this old, so that no limit of time is left to wait for. */
const LONG = 5000;

/** The states in which a run is found. */
const RUNS: Record<string, Partial<FlowRun>> = {
  'Pending': { state: 'PENDING', stateName: 'InfrastructurePending', runCount: 0 },
  'Running': { state: 'RUNNING' },
  'Running, its flow has retries left': { state: 'RUNNING', retries: 2 },
  'Running, `when-interrupted:crash`': { state: 'RUNNING', tags: ['when-interrupted:crash'] },
  'AwaitingRetry in its process': { state: 'SCHEDULED', waitsInProcess: true },
  'Cancelling': { state: 'CANCELLING' },
  'Crashed, as Prefect\'s observer says': { state: 'CRASHED', message: 'The following containers stopped with a non-zero exit code: [\'prefect\']' },
  'Crashed, for no heartbeat': { state: 'CRASHED', message: 'No heartbeat' },
};

const ended = (stopCode: string, reason: string) => ({ task: 'stopped', stopCode, reason, created: ago(LONG - 100), at: ago(100), spot: false }) as const;
/** What Amazon ECS says of its task. */
const TASKS: Record<string, TaskOutcome> = {
  'no task': { task: 'none' },
  'starts': { task: 'starting', arn: 'task', spot: false },
  'runs': { task: 'running', arn: 'task', spot: false },
  'ended by itself': ended('EssentialContainerExited', 'Essential container in task exited'),
  'taken away (Spot)': ended('SpotInterruption', 'Your Spot Task was interrupted.'),
  'stopped by a person': ended('UserInitiated', 'stuck'),
  'image refused': ended('TaskFailedToStart', 'CannotPullContainerError: 429 toomanyrequests'),
  'unknown': { task: 'unknown' },
};

const WORDS: Record<Decision['then'], string> = {
  nothing: '–',
  reschedule: 'starts again',
  crash: '**Crashed**',
  cancel: '**Cancelled**',
  timeOut: '**TimedOut**',
  startLater: 'starts later',
  release: 'given to a worker',
  prepare: 'starts again',
};

/** What the reconciler does about a flow run of an ECS pool, by its state and its task: as its own code decides. */
export function decisionTable(): string {
  const rows = Object.entries(RUNS).map(([title, run]) => {
    const flowRun: FlowRun = { id: 'run', stateId: 'state', state: 'RUNNING', stateName: '', tags: [], message: '', since: ago(LONG), runCount: 1, retries: 0, retryDelay: 0, waitsInProcess: false, ...run };
    const cells = Object.values(TASKS).map(task => {
      const decision = decide(flowRun, task, { ownTask: true, interruptedRuns: 'restart', limits: LIMITS }, NOW);
      return WORDS[decision.then] + ('stop' in decision && decision.stop ? ', task stopped' : '');
    });
    return `| ${[title, ...cells].join(' | ')} |`;
  });
  return [`| the flow run is | ${Object.keys(TASKS).join(' | ')} |`, `| --- |${' --- |'.repeat(Object.keys(TASKS).length)}`, ...rows].join('\n');
}
