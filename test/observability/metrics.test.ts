import { aws_cloudwatch as cloudwatch, Duration, Token } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { PrefectFargateWorker, PrefectFargateWorkerProps, WorkerType, WorkPool } from '../../src';
import { UNITS } from '../../src/demand/metrics';
import { addWorker, newStack, resources, text } from '../support/worker';

type Named = (options?: cloudwatch.MetricOptions) => cloudwatch.Metric | cloudwatch.MathExpression;

const KINDS: Partial<PrefectFargateWorkerProps>[] = [
  {},
  { workerType: WorkerType.PROCESS },
  { scaling: { standby: {} } },
];
/** The methods of the construct and of the classes that it extends. */
function methodsOf(prototype: object | null): string[] {
  return prototype ? [...Object.getOwnPropertyNames(prototype), ...methodsOf(Object.getPrototypeOf(prototype))] : [];
}

const METHODS = methodsOf(PrefectFargateWorker.prototype).filter(name => /^metric[A-Z]/.test(name));

function built(props: Partial<PrefectFargateWorkerProps>) {
  const stack = newStack();
  const worker = addWorker(stack, props);
  return { stack, worker, call: (method: string) => ((worker as any)[method] as Named).bind(worker) };
}

/** What a metric is of; metric maths as what it calculates with. */
const identities = (metric: cloudwatch.IMetric): string[] => {
  const { metricStat, mathExpression } = metric.toMetricConfig();
  if (mathExpression) return Object.values(mathExpression.usingMetrics).flatMap(identities);
  return [identity(metricStat!.namespace, metricStat!.metricName, (metricStat!.dimensions ?? []).map(({ name, value }) => [name, value]))];
};
const identity = (namespace: string, name: string, dimensions: [string, unknown][]) => JSON.stringify([namespace, name, dimensions.sort()]);

/** What the alarms of a template measure, those of scaling too. */
function measured(template: Template): string[] {
  return resources(template, 'AWS::CloudWatch::Alarm')
    .flatMap(({ Properties }) => Properties.Metrics?.flatMap(({ MetricStat }: any) => MetricStat ? [MetricStat.Metric] : []) ?? [Properties])
    .map(({ Namespace, MetricName, Dimensions = [] }: any) =>
      identity(Namespace, MetricName, Dimensions.map(({ Name, Value }: any) => [Name, text(Value)])));
}

describe.each(KINDS.map(props => [props]))('a worker with %j', props => {
  test('has a method for each metric that its alarms and its scaling read', () => {
    const { stack, call } = built(props);
    const given = METHODS.flatMap(method => {
      try {
        return stack.resolve(identities(call(method)())) as any[];
      } catch (error) {
        // Of what this worker hasn't.
        expect(String(error)).toMatch(new RegExp(`Stack/Worker: ${method}\\(\\) is of `));
        return [];
      }
    }).map(value => text(value));
    const wanted = measured(Template.fromStack(stack));
    expect(wanted.length).toBeGreaterThan(8);
    expect(wanted.filter(one => !given.includes(one))).toEqual([]);
  });
});

describe('a metric', () => {
  test.each(Object.keys(UNITS))('%s is there by its name, and by a method', name => {
    const { stack, worker, call } = built({});
    const metric = worker.metric(name);
    expect(stack.resolve(metric.toMetricConfig())).toEqual(stack.resolve(call(`metric${name}`)().toMetricConfig()));
    expect([metric.namespace, metric.metricName, metric.period.toSeconds()]).toEqual(['PrefectFargateWorker', name, name === 'WorkerCost' ? 3600 : 60]);
    expect(metric.dimensions).toEqual({ WorkPool: 'etl', Worker: expect.stringMatching(/^StackWorker/) });
    expect(metric.statistic).toBe(['CrashedRuns', 'PublisherErrors', 'WorkerCost'].includes(name) ? 'Sum' : 'Maximum');
  });

  test.each(METHODS)('%s takes options', method => {
    const { call } = built({});
    const metric = call(method)({ label: 'Mine', period: Duration.minutes(7) });
    expect([metric.label, metric.period.toMinutes()]).toEqual(['Mine', 7]);
  });

  test('of another name is refused, with the names that there are', () => {
    expect(() => built({}).worker.metric('lateRuns')).toThrow(
      'Stack/Worker: metricName is "lateRuns": give one of DueRuns, LateRuns, OldestLateSeconds, BlockedRuns, PendingRuns, RunningRuns, CrashedRuns, OnlineWorkers, Demand, '
      + 'RequiredWorkers, MissingWorkers, SurplusWorkers, UnscheduledWorkers, WarmWorkers, PublisherErrors, WorkerCost, ReconcilerErrors, WorkPoolChanges, Cost.');
  });

  test('of a name that is known only at deployment is taken', () => {
    const name = Token.asString({ Ref: 'Metric' });
    expect(built({}).worker.metric(name).metricName).toBe(name);
  });

  test.each([
    ['metricTaskEventAge', { workerType: WorkerType.PROCESS }],
    ['metricDeadLetters', { workerType: WorkerType.PROCESS }],
    ['metricWorkPoolChanges', { workPool: WorkPool.existing('etl') }],
    ['metricNatPortErrors', { network: { natGateways: 0 } }],
  ])('%s of a worker that has none is refused', (method, props) => {
    expect(() => built(props).call(method)()).toThrow(new RegExp(`^Stack/Worker: ${method}\\(\\) is of `));
  });

  test('of logged errors is counted where the dashboard is off, from its first use on', () => {
    const { stack, worker } = built({ observability: { dashboard: false, alarms: { enabled: false } } });
    Template.fromStack(stack).resourceCountIs('AWS::Logs::MetricFilter', 0);
    const used = built({ observability: { dashboard: false, alarms: { enabled: false } } });
    for (const { metricName } of [used.worker.metricLoggedErrors(), used.worker.metricLoggedErrors()]) expect(metricName).toBe('LoggedErrors');
    Template.fromStack(used.stack).resourceCountIs('AWS::Logs::MetricFilter', 1);
    expect(worker.dashboard).toBeUndefined();
  });
});
