import { smallTemplate } from './small-template';
import { evaluate } from '../../bench/scaling/aws/alarm';
import { alarmsOf, TargetTrackingPolicy, trackedCapacity } from '../../bench/scaling/aws/target-tracking';
import { USUAL } from '../../bench/scaling/conditions';
import { controlByTemplate } from '../../bench/scaling/controller';
import { simulate } from '../../bench/scaling/simulation';
import { Deployment } from '../../bench/scaling/template/deployment';
import { readTemplate } from '../../bench/scaling/template/read';

const policy: TargetTrackingPolicy =
  { kind: 'target-tracking', id: 'cpu', metric: 'ECSServiceAverageCPUUtilization', target: 70, scaleOutCooldown: 120, scaleInCooldown: 300, disableScaleIn: false };
const repeat = (value: number, times: number) => Array.from({ length: times }, () => value);

test('three minutes above the target set off the alarm to scale out, two do not', () => {
  const { high } = alarmsOf(policy);
  expect(evaluate(high, [50, 50, 71, 71, 71], 'OK').state).toBe('ALARM');
  expect(evaluate(high, [71, 71, 70, 71, 71], 'OK').state).toBe('OK');
});

test('fifteen minutes below nine tenths of the target set off the alarm to scale in', () => {
  const { low } = alarmsOf(policy);
  expect(evaluate(low, [70, 70, ...repeat(62, 15)], 'OK').state).toBe('ALARM');
  expect(evaluate(low, [62, 62, 63, ...repeat(62, 14)], 'OK').state).toBe('OK');
  expect(evaluate(low, repeat(62, 14), 'OK').state).not.toBe('ALARM');
});

test('the capacity is in proportion to the metric, rounded up both ways', () => {
  expect(trackedCapacity(policy, 100, 1)).toBe(2);
  expect(trackedCapacity(policy, 100, 7)).toBe(10);
  expect(trackedCapacity(policy, 20, 10)).toBe(3);
});

test('from load to scale-out target tracking of CPU takes about the 363 s that AWS measured', () => {
  const { worker, ...deployment } = readTemplate(smallTemplate({ min: 1 }));
  const tracked: Deployment = { ...deployment, worker, alarms: [], publisher: undefined, policies: [policy] };
  const load = 3600;
  const runs = Array.from({ length: 7 }, () => ({ expectedStart: load, duration: 7200, queue: 'default', deployment: 'flow', created: -Infinity }));
  const trace = { name: 'load', what: '', start: 0, seconds: 4 * 3600, runs, scheduled: true };
  const triggers = Array.from({ length: 20 }, (_, seed) =>
    simulate(trace, tracked, controlByTemplate(tracked), seed, USUAL).service.tasks[1].launched - load);
  const average = triggers.reduce((sum, seconds) => sum + seconds, 0) / triggers.length;
  expect(average).toBeGreaterThan(363 * 0.9);
  expect(average).toBeLessThan(363 * 1.1);
});
