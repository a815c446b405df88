import { CfnParameter, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { CfnDashboard } from 'aws-cdk-lib/aws-cloudwatch';
import { aggregate } from '../../bench/scaling/aws/metrics';
import { PrefectApi, WorkerType, WorkPool } from '../../src';
import { evaluateMath } from '../support/metric-math';
import { addWorker, ACCOUNT_ID, importedVpc, newStack, resource, selfHosted, templateOf, text, WORKSPACE_ID } from '../support/worker';

/** The widgets, with references as short text. */
function widgets(template: Template): any[] {
  return JSON.parse(text(resource(template, 'AWS::CloudWatch::Dashboard').Properties.DashboardBody)).widgets;
}
const titles = (template: Template) => widgets(template).map(({ properties: { title, markdown } }) => title ?? markdown);

describe('the dashboard', () => {
  const template = templateOf();

  test('asks what an operator asks, in this order', () => {
    expect(titles(template).filter(title => title.startsWith('### ')))
      .toEqual(['### Is it healthy?', '### Is work waiting?', '### Is capacity following?', '### What does it cost?', '### Where are the errors?']);
  });

  test('fills each row from left to right without overlap', () => {
    const taken = new Set<string>();
    for (const { x, y, width, height } of widgets(template)) {
      expect(x + width).toBeLessThanOrEqual(24);
      for (let column = x; column < x + width; column++) {
        for (let line = y; line < y + height; line++) {
          expect(taken.has(`${column} ${line}`)).toBe(false);
          taken.add(`${column} ${line}`);
        }
      }
    }
  });

  test('shows the state of every alarm', () => {
    const [{ properties: { alarms } }] = widgets(template).filter(({ type }) => type === 'alarm');
    expect(alarms).toHaveLength(Object.keys(template.findResources('AWS::CloudWatch::Alarm')).filter(id => /ObservabilityAlarms/.test(id)).length + 1);
  });

  test('asks the worker\'s logs, and those in which its flow runs\' prices are', () => {
    const [costs, ...logs] = widgets(template).filter(({ type }) => type === 'log');
    expect([costs, ...logs].map(({ properties: { title } }) => title)).toEqual(['US dollars by deployment', 'Errors', 'Slow starts']);
    expect(costs.properties.query).toMatch(/^SOURCE '\{\w+RescueLogs\w+\}' \| filter Worker = "StackWorker\w+"\n\| filter ispresent\(Cost\)\n\| stats sum\(Cost\) as dollars, .* by deployment\n/);
    for (const { properties: { query } } of logs) expect(query).toMatch(/^SOURCE '\{WorkerTaskLogs\w+\}' \| (fields|filter) /);
  });

  test('shows bytes through what was made for the worker only', () => {
    const made = JSON.stringify(widgets(template));
    expect(made.match(/"AWS\/NATGateway"/g)).toHaveLength(4);
    expect(made).toContain('\\"VPC Id\\"=\\"{WorkerNetworkVpc');
    const stack = newStack();
    addWorker(stack, { vpc: importedVpc(stack) });
    expect(JSON.stringify(widgets(Template.fromStack(stack)))).not.toMatch(/NATGateway|PrivateLink/);
  });

  describe('sums what tasks reserve on Fargate', () => {
    // Each expression stands before its metric.
    const [vcpu, cpu, gib, memory] = widgets(template).find(({ properties: { title } }) => title?.startsWith('Fargate in the cluster')).properties.metrics;
    /** Tasks of a quarter of a vCPU and half a GiB: the first minute of each, and the one after its last. */
    const tasks = [[0, 30], [0, 30], [7, 12], [10, 20]];

    /** What is shown in half an hour when the console draws it with a period of some minutes. */
    const shown = ([{ expression }]: any, metric: any[], reserved: number, minutes = 1) => {
      const { id, stat = 'Average' } = metric[metric.length - 1];
      const series = Array.from({ length: 30 / minutes }, (_, index) => {
        const reporting = Array.from({ length: minutes }, (__, minute) => index * minutes + minute)
          .flatMap(minute => tasks.filter(([first, end]) => minute >= first && minute < end));
        return aggregate(stat, reporting.map(() => reserved));
      });
      return evaluateMath(expression, { [id]: series }, minutes * 60);
    };

    test('in each minute', () => {
      const at = (series: readonly unknown[]) => [0, 8, 11, 15, 25].map(minute => series[minute]);
      expect(at(shown(vcpu, cpu, 256))).toEqual([0.5, 0.75, 1, 0.75, 0.5]);
      expect(at(shown(gib, memory, 512))).toEqual([1, 1.5, 2, 1.5, 1]);
    });

    test.each([5, 15])('on average, where a point stands for %d minutes', minutes => {
      const hours = shown(vcpu, cpu, 256, minutes).reduce((sum: number, value) => sum + value! * minutes / 60, 0);
      expect(hours).toBeCloseTo((30 + 30 + 5 + 10) * 0.25 / 60);
    });
  });

  test('counts the workers that are needed where somebody knows how many', () => {
    const counted = (props: Parameters<typeof templateOf>[0]) => /RequiredWorkers|MissingWorkers|SurplusWorkers/.test(JSON.stringify(widgets(templateOf(props))));
    expect(counted({})).toBe(false);
    expect(counted({ workerType: WorkerType.PROCESS })).toBe(true);
    expect(counted({ scaling: { standby: {} } })).toBe(true);
  });

  test('shows the workers that wait for unscheduled runs where some may', () => {
    const waiting = (warmTaskHours?: number) => JSON.stringify(widgets(templateOf({ workerType: WorkerType.PROCESS, scaling: { warmTaskHours } }))).match(/WarmWorkers/g);
    expect(waiting()).toBeNull();
    expect(waiting(0)).toBeNull();
    expect(waiting(4)).toHaveLength(1);
  });

  test('shows dollars of flow runs and of workers, against the budget by the hour', () => {
    const dollars = (props: Parameters<typeof templateOf>[0]) => widgets(templateOf(props)).map(({ properties }) => properties).filter(({ title }) => title?.startsWith('US dollars'));
    const named = ({ metrics }: any) => metrics.filter(([first]: unknown[]) => typeof first === 'string').map(([, name]: string[]) => name);
    const [hourly, inAll, ...others] = dollars({ observability: { monthlyBudget: 365 } });
    expect([hourly, inAll].map(named)).toEqual([['Cost', 'WorkerCost'], ['Cost', 'WorkerCost']]);
    // Thirty cents in five minutes are 3.60 dollars an hour.
    const [[{ expression }]] = hourly.metrics;
    expect(evaluateMath(expression, { runs: [0.3] }, 300)).toEqual([3.6]);
    expect(hourly).toMatchObject({ stacked: true, annotations: { horizontal: [{ value: 0.5, label: 'monthlyBudget' }] } });
    expect(inAll).toMatchObject({ view: 'singleValue', setPeriodToTimeRange: true });
    expect(others).toHaveLength(1);
    const process = dollars({ workerType: WorkerType.PROCESS });
    expect(process.map(({ title }) => title)).toEqual(['US dollars an hour on Fargate', 'US dollars in the time shown']);
    expect(process.map(named)).toEqual([['WorkerCost'], ['WorkerCost']]);
  });

  test('has no task events for PROCESS workers', () => {
    expect(titles(templateOf({ workerType: WorkerType.PROCESS }))).not.toContain('Task events');
    expect(titles(template)).toContain('Task events');
  });

  test('shows no alarms where there are none', () => {
    expect(widgets(templateOf({ observability: { alarms: { enabled: false } } })).filter(({ type }) => type === 'alarm')).toEqual([]);
  });
});

describe('the link to the work pool', () => {
  const link = (template: Template) => /\[.*\]\((.*)\)/.exec(widgets(template)[1].properties.markdown)![1];

  test('leads to Prefect Cloud', () => {
    expect(link(templateOf({ workPool: WorkPool.managed('my pool') })))
      .toBe(`https://app.prefect.cloud/account/${ACCOUNT_ID}/workspace/${WORKSPACE_ID}/work-pools/work-pool/my%20pool`);
  });

  test('leads to a server of your own', () => {
    expect(link(templateOf(stack => ({ api: selfHosted(stack) })))).toBe('https://prefect.example.com:4200/work-pools/work-pool/etl');
  });

  test('leads there where the URL is known only at deployment', () => {
    const url = (stack: Stack) => new CfnParameter(stack, 'Url').valueAsString;
    expect(new URL(link(templateOf(stack => ({ api: PrefectApi.selfHosted({ url: url(stack) }) }))).replace('{Url}', 'https://prefect.example.com/api')).href)
      .toBe('https://prefect.example.com/work-pools/work-pool/etl');
  });
});

describe('many workers', () => {
  const stack = newStack();
  const first = addWorker(stack, { workPool: WorkPool.managed('pool 0') }, 'Worker0');
  for (let index = 1; index < 12; index++) {
    addWorker(stack, { workPool: WorkPool.managed(`pool ${index}`), workerType: index % 2 ? WorkerType.PROCESS : WorkerType.ECS, vpc: first.vpc, cluster: first.cluster }, `Worker${index}`);
  }
  // More than a stack may have, but not more than a dashboard.
  const all = JSON.parse(text(stack.resolve((first.dashboard!.node.defaultChild as CfnDashboard).dashboardBody))).widgets;

  test('have a line each at the top: what of them is in ALARM, what waits, and what there is for it', () => {
    const lines = all.slice(1, 1 + 12 * 3);
    expect(lines.map(({ type }: any) => type)).toEqual(Array(12).fill(['text', 'metric', 'alarm']).flat());
    expect(lines.filter(({ type }: any) => type === 'text').map(({ properties }: any) => properties.markdown.split('\n')[0])).toEqual(Array.from({ length: 12 }, (_, index) => `**Stack/Worker${index}**`));
    for (const { type, properties } of lines) {
      if (type === 'alarm') expect([properties.states, properties.alarms.length > 10]).toEqual([['ALARM'], true]);
      if (type !== 'metric') continue;
      expect(properties.view).toBe('singleValue');
      expect(properties.metrics.map((metric: any[]) => metric[1])).toEqual(expect.arrayContaining(['RunningRuns', 'DueRuns', 'LateRuns', 'OldestLateSeconds', 'OnlineWorkers']));
    }
    expect(all[1 + 12 * 3].properties.markdown).toMatch(/^## Stack\/Worker0/);
  });

  test('lie without overlap', () => {
    const taken = new Set<string>();
    for (const { x, y, width, height } of all) {
      for (let column = x; column < x + width; column++) for (let row = y; row < y + height; row++) expect(taken.has(`${column} ${row}`)).toBe(false);
      for (let column = x; column < x + width; column++) for (let row = y; row < y + height; row++) taken.add(`${column} ${row}`);
    }
  });

  test('are within what CloudWatch takes', () => {
    expect(all.length).toBeLessThanOrEqual(500);
    const metrics = all.map(({ properties }: any) => properties.metrics?.length ?? 0);
    expect(Math.max(...metrics)).toBeLessThanOrEqual(500);
    expect(metrics.reduce((sum: number, some: number) => sum + some, 0)).toBeLessThanOrEqual(2500);
    expect(Math.max(...all.map(({ properties }: any) => properties.alarms?.length ?? 0))).toBeLessThanOrEqual(100);
  });
});

test('one worker has no overview above its section', () => {
  expect(widgets(templateOf())[1].properties.markdown).toMatch(/^## Stack\/Worker/);
});

describe('two workers', () => {
  test('of a stack share one dashboard, each with a section', () => {
    const stack = newStack();
    const one = addWorker(stack, {}, 'One');
    const two = addWorker(stack, { workPool: WorkPool.managed('other'), vpc: one.vpc, cluster: one.cluster }, 'Two');
    expect(two.dashboard).toBe(one.dashboard);
    expect(titles(Template.fromStack(stack)).filter(title => title.startsWith('## ')).map(title => title.split('\n')[0])).toEqual(['## Stack/One', '## Stack/Two']);
  });

  test('are told apart: one may stay off it', () => {
    const stack = newStack();
    addWorker(stack, {}, 'One');
    const two = addWorker(stack, { workPool: WorkPool.managed('other'), observability: { dashboard: false } }, 'Two');
    expect(two.dashboard).toBeUndefined();
    expect(titles(Template.fromStack(stack)).join()).not.toContain('Stack/Two');
  });
});
