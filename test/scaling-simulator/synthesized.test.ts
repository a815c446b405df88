import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { smallTemplate } from './small-template';
import { USUAL } from '../../bench/scaling/conditions';
import { controlByTemplate } from '../../bench/scaling/controller';
import { measure } from '../../bench/scaling/measure';
import { simulate } from '../../bench/scaling/simulation';
import { synthesized } from '../../bench/scaling/synthesized';
import { Deployment } from '../../bench/scaling/template/deployment';
import { readTemplate } from '../../bench/scaling/template/read';
import { Trace } from '../../bench/scaling/trace';
import { WorkerType } from '../../src';
import { scenarios } from '../scenarios';

const HOUR = 3600;
const RUNS = 40;

/** Runs that are due at one moment, in a queue that the worker serves. */
const trace = ({ worker }: Deployment): Trace => ({
  name: 'a burst',
  what: '',
  start: Date.UTC(2026, 0, 5),
  seconds: 3 * HOUR,
  scheduled: true,
  runs: Array.from({ length: RUNS }, () => ({ expectedStart: HOUR, duration: 600, queue: worker.queues?.[0] ?? 'default', deployment: 'flow', created: -Infinity })),
});

const templates = scenarios.map(({ name, build }): [string, any] => [name, Template.fromStack(build(new App())).toJSON()])
  .filter(([, template]) => JSON.stringify(template).includes(`"--type","${WorkerType.PROCESS}"`));

test('more than one of the scenarios has PROCESS workers', () => {
  expect(templates.length).toBeGreaterThan(1);
});

describe.each<[string, () => Deployment]>([
  ['the defaults', synthesized],
  ...templates.map(([name, template]): [string, () => Deployment] => [name, () => readTemplate(template)]),
])('the scaling of %s', (_, read) => {
  test('has workers there when the runs are due, and takes them away to its minimum', () => {
    const deployment = read();
    const { pool, service, ...played } = simulate(trace(deployment), deployment, controlByTemplate(deployment), 1, USUAL);
    expect(pool.runs.filter(({ state, started }) => state === 'Completed' && started! - HOUR < 40)).toHaveLength(RUNS);
    expect(service.tasks.length).toBeGreaterThan(deployment.bounds.min);
    expect(service.alive).toHaveLength(deployment.bounds.min);
    const { taskHours } = measure([{ pool, service, ...played }]);
    expect(taskHours).toBeGreaterThan(RUNS / deployment.worker.flowRunLimit * 600 / HOUR);
  });
});

describe('the publisher of a template', () => {
  const { Resources } = smallTemplate();
  const other = { Type: 'AWS::Events::Rule', Properties: { ScheduleExpression: 'rate(1 minute)', Targets: [{ Input: { 'Fn::Sub': '{"workPool":"etl","worker":"StackWorker","service":"${Service.Name}"}' } }] } };

  test('is not another function that knows the pool and the service, wherever it stands', () => {
    expect(readTemplate({ Resources: { Other: other, ...Resources } }).publisher).toMatchObject({ worker: 'StackWorker', leadTimeSeconds: 240 });
  });

  test('is missed where no function does it, or none may', () => {
    const { PublisherPolicy, ...others } = Resources;
    for (const without of [{ ...Resources, Rule: other }, others]) {
      expect(() => readTemplate({ Resources: without })).toThrow('0 functions that are told how soon runs count may update Service: the simulator plays one.');
    }
  });
});
