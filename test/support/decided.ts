import { LIMITS } from '../../src/rescue/configuration';
import { decide, Rules } from '../../src/rescue/decide';
import type { FlowRun } from '../../src/rescue/flow-run';
import type { TaskOutcome } from '../../src/rescue/task-outcome';

export const NOW = new Date('2026-03-01T12:00:00Z');
export const ago = (seconds: number) => new Date(NOW.getTime() - seconds * 1000);

export function run(overrides: Partial<FlowRun> = {}): FlowRun {
  return { id: 'run', stateId: 'state', state: 'RUNNING', stateName: '', tags: [], message: '', since: ago(2000), runCount: 1, retries: 0, retryDelay: 0, waitsInProcess: false, ...overrides };
}
export function stopped(overrides: Partial<Extract<TaskOutcome, { task: 'stopped' }>> = {}): TaskOutcome {
  return {
    task: 'stopped', stopCode: 'EssentialContainerExited', reason: 'prefect: OutOfMemoryError', created: ago(1900), at: ago(100), spot: false, ...overrides,
  };
}
export const alive: TaskOutcome = { task: 'running', arn: 'arn', spot: false };
export const starting: TaskOutcome = { task: 'starting', arn: 'arn', spot: false };

export const rules: Rules = { ownTask: true, interruptedRuns: 'restart', limits: LIMITS };
export const ofEcs = (flowRun: FlowRun, outcome: TaskOutcome, others: Partial<Rules> = {}) => decide(flowRun, outcome, { ...rules, ...others }, NOW);
export const ofProcess = (flowRun: FlowRun, outcome: TaskOutcome, others: Partial<Rules> = {}) =>
  ofEcs(flowRun, outcome, { ownTask: false, ...others });
export const nothing = { then: 'nothing' };
