import { setTimeout as sleep } from 'node:timers/promises';
import { CloudWatchClient, DescribeAlarmsCommand, GetDashboardCommand, GetMetricDataCommand, ListDashboardsCommand } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { alarmsNow } from './alarms';
import { Measuring } from './measure';
import { isOfCosts, logGroupOf, LogLine, plotted, Recording, Sample, Widget } from './recording';
import { deploy } from '../../../test/live/support/cdk';
import { ECS_POOL, Live, PROCESS_POOL, startLive } from '../../../test/live/support/environment';
import { physicalIds } from '../../../test/live/support/evidence';
import { clientConfiguration } from '../../../test/stand-in/stand-in';

const TIME_SCALE = 4;
/** In real seconds. */
const LENGTH = 255;

/** What happens, in real seconds after the deployment: so many runs of so many seconds, of a flow that fails, or of a task that dies. */
const EVENTS: readonly (readonly [at: number, pool: string, count: number, what: number | 'fails' | 'dies'])[] = [
  [0, PROCESS_POOL, 2, 20], [8, ECS_POOL, 1, 20],
  [35, PROCESS_POOL, 12, 30], [45, ECS_POOL, 3, 25],
  [95, PROCESS_POOL, 1, 'fails'], [105, PROCESS_POOL, 4, 25], [112, ECS_POOL, 4, 20],
  [160, PROCESS_POOL, 3, 30], [170, ECS_POOL, 1, 'dies'], [172, ECS_POOL, 2, 20],
];

/** Deploys what the demo deploys, gives it something to do for a while, and records what its dashboard has to show. */
export async function collect(onProgress: (line: string) => void): Promise<Recording> {
  const live = await startLive({ api: 'self-hosted', timeScale: TIME_SCALE, onProgress });
  try {
    onProgress('deploying the stack of the demo');
    await deploy(live.standIn, live.deployment);
    return await record(live, onProgress);
  } finally {
    await live.stop();
  }
}

async function record(live: Live, onProgress: (line: string) => void): Promise<Recording> {
  const client = clientConfiguration(live.standIn);
  const cloudWatch = new CloudWatchClient(client);
  const { DashboardEntries } = await cloudWatch.send(new ListDashboardsCommand({}));
  const { DashboardBody } = await cloudWatch.send(new GetDashboardCommand({ DashboardName: DashboardEntries![0].DashboardName }));
  const widgets: Widget[] = JSON.parse(DashboardBody!).widgets;
  const ids = await physicalIds(live.standIn, 'Live');

  const start = Date.now();
  const awsTime = (time: number) => (time - start) / 1000 * TIME_SCALE;
  const measuring = new Measuring(live.standIn, {
    cluster: ids('AWS::ECS::Cluster'),
    services: ids.all('AWS::ECS::Service'),
    queues: ids.all('AWS::SQS::Queue'),
    functions: ids.all('AWS::Lambda::Function').filter(name => /Demand/.test(name)),
  }, awsTime);
  await work(live, start, onProgress);
  await measuring.stop();

  const logs: Record<string, LogLine[]> = {};
  for (const [index, widget] of widgets.entries()) {
    if (widget.type !== 'log') continue;
    const group = logGroupOf(widget);
    if (logs[group]) continue;
    logs[group] = await linesOf(new CloudWatchLogsClient(client), group, start);
    // To the left of a worker's first table is the graph of what its metric filter counts.
    if (!isOfCosts(widget)) measuring.logs(group, logs[group], plotted(widgets[index - 1])[0].key!);
  }
  const { MetricAlarms, CompositeAlarms } = await cloudWatch.send(new DescribeAlarmsCommand({ AlarmTypes: ['MetricAlarm', 'CompositeAlarm'], MaxRecords: 100 }));
  const asked = widgets.filter(({ type }) => type === 'metric').flatMap(plotted).map(({ key = '' }) => key)
    .filter(key => key.startsWith('PrefectFargateWorker|'));
  const samples = { ...measuring.samples, ...await published(cloudWatch, [...new Set(asked)], start, awsTime) };
  const measured = { seconds: awsTime(Date.now()), timeScale: TIME_SCALE, samples };
  return { ...measured, widgets, logs, alarms: alarmsNow(measured, MetricAlarms!, CompositeAlarms!) };
}

/** Starts the runs at their times, and waits for the end. */
async function work({ prefect }: Live, start: number, onProgress: (line: string) => void): Promise<void> {
  const until = (second: number) => sleep(Math.max(0, start + second * 1000 - Date.now()));
  const orders: Record<string, string> = {};
  for (const [second, workPool, count, what] of EVENTS) {
    await until(second);
    onProgress(`${second} s: ${count} in ${workPool}, ${what}`);
    const make = (name: string, entrypoint: string, jobVariables = {}) =>
      prefect.deploy(name, { workPool, directory: __dirname, entrypoint, jobVariables });
    const deployment = what === 'fails' ? await make('ledger', 'flows.py:ledger')
      : what === 'dies' ? await make('lost', 'flows.py:orders', { command: 'python -c "raise SystemExit(\'out of reach\')"' })
        : orders[workPool] ??= await make(`orders of ${workPool}`, 'flows.py:orders');
    for (let run = 0; run < count; run++) await prefect.start(deployment, typeof what === 'number' ? { seconds: what } : {});
  }
  await until(LENGTH);
}

/** What the workers' own functions have published. */
async function published(
  cloudWatch: CloudWatchClient, keys: readonly string[], start: number, awsTime: (time: number) => number,
): Promise<Record<string, Sample[]>> {
  const samples: Record<string, Sample[]> = {};
  for (const key of keys) {
    const [Namespace, MetricName, ...pairs] = key.split('|');
    const { MetricDataResults } = await cloudWatch.send(new GetMetricDataCommand({
      StartTime: new Date(start),
      EndTime: new Date(),
      ScanBy: 'TimestampAscending',
      MetricDataQueries: [{
        Id: 'asked',
        MetricStat: {
          Metric: { Namespace, MetricName, Dimensions: pairs.map(pair => ({ Name: pair.split('=')[0], Value: pair.split('=')[1] })) },
          Period: 1,
          // Several flow runs may end in a second.
          Stat: MetricName === 'Cost' ? 'Sum' : 'Average',
        },
      }],
    }));
    const { Timestamps = [], Values = [] } = MetricDataResults![0];
    samples[key] = Timestamps.map((time, index) => ({ time: Math.max(0, awsTime(time.getTime())), value: Values[index] }));
  }
  return samples;
}

async function linesOf(logs: CloudWatchLogsClient, logGroupName: string, start: number): Promise<LogLine[]> {
  const { events = [] } = await logs.send(new FilterLogEventsCommand({ logGroupName, limit: 10_000, startTime: start }));
  return events.map(({ timestamp, message }) => ({ time: new Date(timestamp!).toISOString(), message: message! }));
}
