import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Template } from 'aws-cdk-lib/assertions';
import { draw } from '../../docs/tools/dashboard/draw';
import { plotted, Recording, Widget } from '../../docs/tools/dashboard/recording';
import { WorkerType, WorkPool } from '../../src';
import { addWorker, newStack, resource, text } from '../support/worker';

/** The widgets of a dashboard of two workers. */
function widgets(): Widget[] {
  const stack = newStack();
  const one = addWorker(stack, { workerType: WorkerType.PROCESS }, 'One');
  addWorker(stack, { workPool: WorkPool.managed('other'), vpc: one.vpc, cluster: one.cluster }, 'Two');
  return JSON.parse(text(resource(Template.fromStack(stack), 'AWS::CloudWatch::Dashboard').Properties.DashboardBody)).widgets;
}

const body = widgets();
const alarms = [...new Set<string>(body.filter(({ type }) => type === 'alarm').flatMap(({ properties }) => properties.alarms))]
  .map((arn: string, index: number) => ({ arn, name: `Alarm${index}`, state: index === 0 ? 'ALARM' as const : 'OK' as const }));
const groups = body.filter(({ type }) => type === 'log').map(({ properties }) => /'([^']+)'/.exec(properties.query)![1]);
const workersLogs = groups.find(group => /TaskLogs/.test(group))!;
const logs = Object.fromEntries(groups.map(group => [group, []]));
const empty: Recording = { widgets: body, seconds: 1200, timeScale: 4, samples: {}, alarms, logs };
const graphs = body.filter(({ type, properties }) => type === 'metric' && properties.view !== 'singleValue');

/** The recording with the same samples for all metrics of a graph. */
const measured = (title: string, values: number[]) => draw({
  ...empty,
  samples: Object.fromEntries(graphs.filter(({ properties }) => properties.title === title).flatMap(plotted)
    .map(({ key }) => [key, values.map((value, index) => ({ time: index * 60, value }))])),
}, 'Dashboard');
const count = (drawing: string, part: string | RegExp) => drawing.split(part).length - 1;
/** Its texts. */
const shown = (drawing: string) => [...drawing.matchAll(/>([^<>]+)<\/(?:text|tspan)>/g)].map(([, content]) => content);

describe('the picture of the dashboard', () => {
  test('has every widget of the synthesized body, and every alarm', () => {
    const drawing = draw(empty, 'Dashboard');
    for (const { properties: { title } } of body.filter(({ properties }) => properties.title)) expect(shown(drawing)).toContain(title);
    for (const { name } of alarms) expect(shown(drawing)).toContain(name);
    // In the overview, and in the worker's section.
    expect(count(drawing, '>In alarm<')).toBe(2);
    expect(shown(drawing)).toContain('Stack/One');
    expect(shown(drawing)).toContain('Stack/Two');
    expect(drawing.match(/undefined|NaN/)).toBeNull();
  });

  test('says where nothing was measured', () => {
    expect(count(draw(empty, 'Dashboard'), 'no data here: only AWS publishes it')).toBe(graphs.length);
  });

  test('draws what was measured, and no more', () => {
    const drawing = measured('Late flow runs', [0, 3, 8, 2]);
    expect(count(drawing, 'no data here: only AWS publishes it')).toBe(graphs.length - 2);
    expect(count(drawing, '<polyline')).toBe(6);
    expect(shown(drawing)).toContain('8');
    expect(drawing.match(/undefined|NaN/)).toBeNull();
  });

  test('draws maths over the period of its metrics', () => {
    // In five minutes there are five samples of a task, of 1,024 units each.
    expect(shown(measured('Fargate in the cluster, workers and flow runs', Array<number>(5).fill(2048)))).toContain('2');
    expect(shown(measured('Fargate in the cluster, workers and flow runs', Array<number>(5).fill(2048)))).not.toContain('10');
  });

  test('stacks what is to be stacked', () => {
    const drawing = measured('Flow runs by state', [1, 2, 3]);
    expect(count(drawing, '<polygon')).toBe(6);
    // Three of three are nine, of ten at most.
    expect(shown(drawing)).toContain('10');
  });

  test('lists what deployments have cost, the dearest first, of its own worker', () => {
    const [query] = body.filter(({ type, properties }) => type === 'log' && properties.title === 'US dollars by deployment').map(({ properties }) => properties.query);
    const Worker = /Worker = "([^"]+)"/.exec(query)![1];
    const line = (deployment: string, Cost: number, of = Worker) => ({ time: '2026-01-02T03:04:05.678Z', message: JSON.stringify({ Worker: of, deployment, Cost, seconds: 1800 }) });
    const group = /'([^']+)'/.exec(query)![1];
    const lines = [line('orders/small', 0.01), line('orders/large', 0.05), line('orders/small', 0.02), line('orders/other', 9, 'Other')];
    const told = shown(draw({ ...empty, logs: { ...empty.logs, [group]: lines } }, 'Dashboard'));
    const at = told.indexOf('orders/large');
    expect(told.slice(at, at + 8)).toEqual(['orders/large', '0.05000', '1', '0.50', 'orders/small', '0.03000', '2', '1.00']);
    expect(told).not.toContain('orders/other');
  });

  test('lists the errors that the logs hold', () => {
    const line = { time: '2026-01-02T03:04:05.678Z', message: JSON.stringify({ levelname: 'ERROR', msg: 'The ledger is lost', flow_run_name: 'brave-bear' }) };
    const drawing = draw({ ...empty, logs: { ...empty.logs, [workersLogs]: [line, { ...line, message: JSON.stringify({ levelname: 'INFO', msg: 'All is well' }) }] } }, 'Dashboard');
    expect(shown(drawing)).toContain('The ledger is lost');
    expect(shown(drawing)).toContain('03:04:05.678');
    expect(shown(drawing)).not.toContain('All is well');
  });
});

test('the picture in the README is a PNG of modest size', () => {
  const image = readFileSync(join(__dirname, '..', '..', 'docs', 'dashboard.png'));
  expect(image.subarray(1, 4).toString()).toBe('PNG');
  expect(image.length).toBeLessThan(600_000);
});
