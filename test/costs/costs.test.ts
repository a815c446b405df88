import { App, Stack, Token } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { ObservabilityOptions, WorkerType, WorkPool } from '../../src';
import { addWorker, newStack, resource, settingsOf, templateOf, text } from '../support/worker';

const PROCESS = { workerType: WorkerType.PROCESS };
const QUIET: ObservabilityOptions = { dashboard: false };
const template = templateOf();

/** The resources of a type whose logical id has a name in it. */
function named(of: Template, type: string, name: RegExp): any[] {
  return Object.entries(of.findResources(type)).filter(([id]) => name.test(id)).map(([, { Properties }]) => Properties);
}

/** The rule of tasks' ends, with what it tells the function. */
function ends(of: Template) {
  const [found] = named(of, 'AWS::Events::Rule', /TaskEnds/);
  if (!found) return undefined;
  const { Targets: [{ InputTransformer }], EventPattern } = found;
  const told = text(InputTransformer.InputTemplate);
  return { pattern: EventPattern, paths: InputTransformer.InputPathsMap, told, pools: JSON.parse(told.replace('<task>', 'null')).pools };
}
const alarm = (of: Template) => named(of, 'AWS::CloudWatch::Alarm', /OverBudget/)[0];

describe('flow runs\' tasks', () => {
  test('have their ends told to the function that looks after flow runs, with the pools that they may be of', () => {
    const { pattern, paths, told, pools } = ends(template)!;
    expect(pattern).toMatchObject({ 'detail-type': ['ECS Task State Change'], 'detail': { lastStatus: ['STOPPED'], pullStartedAt: [{ exists: true }], clusterArn: [{ 'Fn::GetAtt': [expect.stringMatching(/^WorkerCluster/), 'Arn'] }] } });
    expect(paths).toEqual({ task: '$.detail' });
    expect(told).toMatch(/,"task":<task>\}$/);
    expect(pools).toEqual([{ workPool: 'etl', worker: expect.stringMatching(/^StackWorker/), cluster: expect.stringMatching(/^\{WorkerCluster\w+\.Arn\}$/), family: expect.stringMatching(/^prefect-Stack-?Worker/) }]);
  });

  test('of several workers are told by one rule', () => {
    const stack = newStack();
    const first = addWorker(stack, {}, 'First');
    addWorker(stack, { workPool: WorkPool.managed('other'), vpc: first.vpc, cluster: first.cluster }, 'Second');
    addWorker(stack, { workPool: WorkPool.managed('third') }, 'Third');
    const { pattern, pools } = ends(Template.fromStack(stack))!;
    expect(pools.map(({ workPool }: any) => workPool)).toEqual(['etl', 'other', 'third']);
    expect(pattern.detail.clusterArn).toHaveLength(2);
  });

  test('are counted where something asks for it, and not before', () => {
    const stack = newStack();
    const worker = addWorker(stack, { observability: QUIET });
    expect(ends(Template.fromStack(stack))).toBeUndefined();
    const asked = newStack();
    expect(addWorker(asked, { observability: QUIET }).metricCost()).toMatchObject({ metricName: 'Cost', statistic: 'Sum', namespace: 'PrefectFargateWorker' });
    expect(ends(Template.fromStack(asked))).toBeDefined();
    expect(worker.workPoolName).toBe('etl');
  });

  test('are none of a PROCESS worker\'s, and the way out is said', () => {
    const worker = addWorker(newStack(), PROCESS);
    expect(() => worker.metricCost()).toThrow('Stack/Worker: metricCost() is of an ECS worker: flow runs of a PROCESS worker have no task of their own, and metricWorkerCost() is what they cost together.');
    expect(ends(templateOf(PROCESS))).toBeUndefined();
  });
});

describe('workers\' tasks', () => {
  test('are priced as their task definition is at the end', () => {
    const { pricedTask } = settingsOf(templateOf({ ...PROCESS, ephemeralStorageGiB: 30 }), /Demand/);
    expect(pricedTask).toEqual({ cpu: '1024', memoryMiB: '2048', ephemeralStorageGiB: 30, cpuArchitecture: 'X86_64' });
    const stack = newStack();
    const worker = addWorker(stack);
    (worker.taskDefinition.node.defaultChild as any).memory = '4096';
    expect(settingsOf(Template.fromStack(stack), /Demand/).pricedTask.memoryMiB).toBe('4096');
  });

  test('are priced where something asks for it', () => {
    expect(settingsOf(templateOf({ observability: QUIET }), /Demand/)).not.toHaveProperty('pricedTask');
    const stack = newStack();
    expect(addWorker(stack, { observability: QUIET }).metricWorkerCost()).toMatchObject({ metricName: 'WorkerCost', statistic: 'Sum' });
    expect(settingsOf(Template.fromStack(stack), /Demand/)).toHaveProperty('pricedTask');
  });
});

describe('the saved query', () => {
  const { QueryString, LogGroupNames } = resource(template, 'AWS::Logs::QueryDefinition', /CostQuery/).Properties;

  test('sums by deployment what the function logs', () => {
    expect(QueryString).toMatch(/^filter ispresent\(Cost\)\n\| stats sum\(Cost\) as dollars, .* by WorkPool, deployment\n/);
    expect(LogGroupNames).toEqual([{ Ref: expect.stringMatching(/RescueLogs/) }]);
  });

  test('is one for all workers of a stack, and asks each log once', () => {
    const stack = newStack();
    const first = addWorker(stack, {}, 'First');
    addWorker(stack, { workPool: WorkPool.managed('other'), vpc: first.vpc, cluster: first.cluster }, 'Second');
    const [query, ...others] = named(Template.fromStack(stack), 'AWS::Logs::QueryDefinition', /CostQuery/);
    expect(others).toEqual([]);
    // Each of them has an API of its own.
    expect(new Set(query.LogGroupNames.map((name: object) => JSON.stringify(name))).size).toBe(query.LogGroupNames.length);
  });
});

describe('monthlyBudget', () => {
  test.each([0, -5, Number.NaN, Infinity])('of %d is refused, with the way out', monthlyBudget => {
    expect(() => templateOf({ observability: { monthlyBudget } }))
      .toThrow(/^Stack\/Worker: observability\.monthlyBudget is .*: give US dollars for a month, above 0; leave the prop out where there is no budget\.$/);
  });

  test('has an alarm on flow runs and workers of the last week, as percent of it', () => {
    const { Metrics, Threshold, EvaluationPeriods } = alarm(templateOf({ observability: { ...QUIET, monthlyBudget: 500 } }));
    expect([Threshold, EvaluationPeriods]).toEqual([80, 1]);
    const [{ Expression }, ...metrics] = Metrics;
    expect(Expression).toMatch(/^SUM\(METRICS\(\)\) \* 434\.\d+ \/ 500$/);
    expect(metrics.map(({ MetricStat: { Metric: { MetricName }, Period, Stat } }: any) => [MetricName, Period, Stat])).toEqual([['WorkerCost', 604_800, 'Sum'], ['Cost', 604_800, 'Sum']]);
  });

  test('counts the workers alone where flow runs are in them', () => {
    expect(alarm(templateOf({ ...PROCESS, observability: { monthlyBudget: 500 } })).Metrics.slice(1).map(({ MetricStat }: any) => MetricStat.Metric.MetricName)).toEqual(['WorkerCost']);
  });

  test('may be known only at deployment', () => {
    const budget = Token.asNumber({ Ref: 'Budget' });
    expect(text(alarm(templateOf({ observability: { monthlyBudget: budget } })).Metrics[0].Expression)).toMatch(/ \/ \{Budget\}$/);
  });

  test('alarms at the share that is asked for, of 100% at the most', () => {
    expect(alarm(templateOf({ observability: { monthlyBudget: 500, alarms: { overBudget: { threshold: 50 } } } })).Threshold).toBe(50);
    expect(() => templateOf({ observability: { monthlyBudget: 500, alarms: { overBudget: { threshold: 120 } } } })).toThrow('observability.alarms.overBudget.threshold is 120: give a percentage above 0 and up to 100.');
    expect(() => templateOf({ observability: { alarms: { overBudget: { enabled: true } } } })).toThrow('observability.alarms.overBudget.enabled is true: only a worker with observability.monthlyBudget has this alarm; remove it.');
  });
});

describe('in a region whose prices are not known', () => {
  const built = (observability: ObservabilityOptions) => {
    const stack = new Stack(new App(), 'Stack', { env: { account: '123456789012', region: 'me-central-1' } });
    addWorker(stack, { observability });
    return stack;
  };
  const WARNING = Match.stringLikeRegexp('The library has no prices of AWS Fargate in me-central-1: metrics of costs and monthlyBudget count with those of us-east-1');

  test('a budget warns of it', () => {
    Annotations.fromStack(built({ monthlyBudget: 500 })).hasWarning('/Stack/Worker', WARNING);
  });

  test('the dashboard says so, and nobody is warned who has not asked for costs', () => {
    const stack = built({});
    Annotations.fromStack(stack).hasNoWarning('/Stack/Worker', WARNING);
    expect(text(resource(Template.fromStack(stack), 'AWS::CloudWatch::Dashboard').Properties.DashboardBody)).toContain('US dollars an hour on Fargate, at the prices of us-east-1');
  });
});
