import { aws_applicationautoscaling as appscaling, Duration } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { USUAL } from '../../bench/scaling/conditions';
import { controlByTemplate } from '../../bench/scaling/controller';
import { measure } from '../../bench/scaling/measure';
import { simulate } from '../../bench/scaling/simulation';
import { readTemplate } from '../../bench/scaling/template/read';
import { Trace } from '../../bench/scaling/trace';
import { traces, unannounced, unseen } from '../../bench/scaling/traces';
import { simulateWith } from '../../bench/scaling/warmth';
import { ScalingOptions, WorkerType } from '../../src';
import { addWorker, newStack } from '../support/worker';

const HOUR = 3600;
const [random, webhook] = unannounced.map((trace): Trace =>
  ({ ...trace, seconds: 12 * HOUR, runs: trace.runs.filter(run => run.expectedStart < 11 * HOUR) }));
const play = (trace: Trace, scaling: ScalingOptions = {}) => simulateWith(scaling, trace, [1, 2, 3], USUAL);

describe('runs that nobody scheduled', () => {
  test('start when a worker asks next where there is room for one more, at the price of a worker that is there all the time', () => {
    const [cold, warm] = [play(random), play(random, { spareFlowRuns: 1 })];
    expect(cold.lateMinutes).toBeGreaterThan(20);
    expect(warm.lateMinutes).toBeLessThan(0.1);
    expect(warm.taskHours).toBeCloseTo(12, 0);
    expect(cold.taskHours).toBeLessThan(8);
  });

  test('come in bursts that start sooner the more room there is', () => {
    const spare = [0, 1, 10].map(spareFlowRuns => play(webhook, { spareFlowRuns }));
    expect(spare[0].lateMinutes).toBeGreaterThan(300);
    expect(spare[1].lateMinutes).toBeLessThan(spare[0].lateMinutes / 2);
    // What is left is what ten processes take to start.
    expect(spare[2].lateMinutes).toBeLessThan(spare[1].lateMinutes / 2);
    expect(spare[1].taskHours).toBeGreaterThan(spare[0].taskHours);
    expect(spare[2].taskHours).toBeGreaterThan(spare[1].taskHours);
  });

  test('find the workers of the burst before where these wait longer than the pause, for fewer task-hours than room for a burst', () => {
    const [cold, patient, spare] = [play(webhook), play(webhook, { scaleInAfter: Duration.minutes(10) }), play(webhook, { spareFlowRuns: 10 })];
    expect(patient.lateMinutes).toBeLessThan(cold.lateMinutes / 3);
    expect(patient.taskHours).toBeGreaterThan(cold.taskHours);
    expect(patient.taskHours).toBeLessThan(spare.taskHours);
  });

  test('find workers that the runs of the last day make likely, the more the more hours a day these may wait, and these are never exceeded', () => {
    const [twoDays] = unannounced;
    const [cold, few, many] = [undefined, 4, 12].map(warmTaskHours => simulateWith({ warmTaskHours }, twoDays, [1], USUAL));
    expect(few.lateMinutes).toBeLessThan(0.8 * cold.lateMinutes);
    expect(many.lateMinutes).toBeLessThan(0.5 * few.lateMinutes);
    expect(few.taskHours - cold.taskHours).toBeGreaterThan(4);
    expect(few.taskHours - cold.taskHours).toBeLessThan(2 * 4);
    expect(many.taskHours - cold.taskHours).toBeLessThan(2 * 12);
  });

  test('come in bursts that find the workers of the burst before, where these may wait for as many hours as that takes', () => {
    const [cold, patient, warm] = [play(webhook), play(webhook, { scaleInAfter: Duration.minutes(10) }), play(webhook, { warmTaskHours: 12 })];
    expect(warm.lateMinutes).toBeLessThan(cold.lateMinutes / 2);
    expect(warm.taskHours - cold.taskHours).toBeLessThan(6);
    // Ten minutes are what this trace asks for; who does not know it comes close.
    expect(warm.taskHours).toBeLessThan(1.2 * patient.taskHours);
  });
});

test.each(['hourly', 'fan-out', 'empty'])('no worker waits for unscheduled runs where the trace is %s', name => {
  const trace = [...traces, ...unseen].find(one => one.name === name)!;
  const short = { ...trace, seconds: 8 * HOUR, runs: trace.runs.filter(run => run.expectedStart < 7 * HOUR) };
  const [cold, warm] = [play(short), play(short, { warmTaskHours: 24 })];
  expect(warm.taskHours).toBe(cold.taskHours);
  expect(warm.lateMinutes).toBe(cold.lateMinutes);
});

/** Until when, after the last run has ended, workers are there. */
function lastWorker(scaling: ScalingOptions, seed: number): number {
  const stack = newStack();
  addWorker(stack, { workerType: WorkerType.PROCESS, scaling });
  const deployment = readTemplate(Template.fromStack(stack).toJSON() as any);
  const trace: Trace = { name: 'one', what: '', start: 0, seconds: 6 * HOUR, scheduled: true, runs: [{ expectedStart: HOUR, duration: 600, queue: 'default', deployment: 'flow', created: -Infinity }] };
  const { pool, service } = simulate(trace, deployment, controlByTemplate(deployment), seed, USUAL);
  return Math.max(...service.tasks.map(({ stopped = Infinity }) => stopped)) - pool.runs[0].ended!;
}

test.each([2, 10, 45])('a worker that has nothing to do is taken away after %d minutes of it, and no sooner', minutes => {
  for (const seed of [1, 2, 3, 4]) {
    const seconds = lastWorker({ scaleInAfter: Duration.minutes(minutes) }, seed);
    expect(seconds).toBeGreaterThan((minutes - 1) * 60);
    // The poll that sees it, the minutes, the evaluation, and what ECS takes.
    expect(seconds).toBeLessThan((minutes + 3) * 60);
  }
});

test('workers that a schedule of your own wants are there, beside those that follow demand', () => {
  const stack = newStack();
  const { scalableTaskCount } = addWorker(stack, { workerType: WorkerType.PROCESS });
  scalableTaskCount.scaleOnSchedule('Open', { schedule: appscaling.Schedule.cron({ hour: '2', minute: '0' }), minCapacity: 2 });
  scalableTaskCount.scaleOnSchedule('Shut', { schedule: appscaling.Schedule.cron({ hour: '4', minute: '0' }), minCapacity: 0 });
  const deployment = readTemplate(Template.fromStack(stack).toJSON() as any);
  const start = Date.UTC(2026, 0, 5);
  const empty: Trace = { name: 'empty', what: '', start, seconds: 6 * HOUR, scheduled: true, runs: [] };
  const played = simulate(empty, deployment, controlByTemplate(deployment), 1, USUAL);
  expect(played.service.tasks).toHaveLength(2);
  expect(played.service.alive).toEqual([]);
  expect(measure([played]).taskHours).toBeCloseTo(2 * 2, 0);
});
