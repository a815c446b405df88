import { aws_cloudwatch as cloudwatch, Duration } from 'aws-cdk-lib';
import { AlarmDefinition, failedTurns, math, MINUTE } from './alarm-definition';
import { AlarmOptions } from './alarm-options';
import { Demand } from '../demand/demand';
import { MetricName } from '../demand/metrics';

const { IGNORE, NOT_BREACHING } = cloudwatch.TreatMissingData;

export interface DemandAlarmsProps {
  readonly demand: Demand;
  /** Metric that is 1 or more while a worker is wanted, where there may be none on purpose: PROCESS workers without demand, a standby. */
  readonly wanted?: cloudwatch.IMetric;
  readonly standby: boolean;
  readonly options: AlarmOptions;
}

/** Alarms on what Prefect says of the work pool: its runs and its workers. */
export function demandAlarms(props: DemandAlarmsProps): AlarmDefinition[] {
  const { demand, options } = props;
  const most = (name: MetricName) => demand.metric(name, { statistic: cloudwatch.Stats.MAXIMUM, period: MINUTE });
  // The most of each minute: a worker that was there at all was online.
  const online = most('OnlineWorkers');
  const oldestLate = options.oldestLateRun?.threshold ?? Duration.minutes(15);

  const noWorker: Pick<AlarmDefinition, 'metric' | 'datapoints' | 'means'> = props.wanted
    ? {
      metric: math('IF(wanted >= 1 AND online < 1, 1, 0)', { wanted: props.wanted, online }, 'Wanted and not online'),
      // From zero, a worker has to be started first.
      datapoints: [8, 8],
      means: 'Flow runs are due or late and nothing starts them.',
    }
    : {
      metric: math('IF(online < 1, 1, 0)', { online }, 'No worker online'),
      datapoints: [3, 3],
      means: 'Nothing starts flow runs; they become late.',
    };
  return [
    {
      ...noWorker,
      name: 'NoWorkerOnline',
      threshold: 1,
      // A silent publisher is an alarm of its own and says nothing of workers.
      missing: IGNORE,
      happened: 'Prefect has heard from no worker of the work pool.',
      firstStep: 'Look at the events of the ECS service and at why its last tasks stopped.',
      critical: true,
    },
    {
      name: 'LateRuns',
      metric: most('LateRuns'),
      threshold: options.lateRuns?.threshold ?? 10,
      datapoints: [5, 5],
      missing: IGNORE,
      happened: 'Many flow runs are late.',
      means: 'There are too few workers: no limit holds these runs back.',
      firstStep: 'Compare demand with workers on the dashboard; then look at the events of the ECS service and at the workers\' logs.',
    },
    {
      name: 'OldestLateRun',
      metric: most('OldestLateSeconds'),
      threshold: oldestLate.toSeconds(),
      datapoints: [3, 3],
      missing: IGNORE,
      happened: 'A flow run has been waiting for long past its time.',
      means: 'No limit holds it back, and no worker takes it.',
      firstStep: 'Open the oldest late run in the Prefect UI and look at its work queue; then at the workers\' logs.',
    },
    {
      name: 'CrashedRuns',
      metric: demand.metric('CrashedRuns', { statistic: cloudwatch.Stats.SUM, period: Duration.minutes(5) }),
      threshold: options.crashedRuns?.threshold ?? 1,
      datapoints: [1, 1],
      missing: NOT_BREACHING,
      happened: 'Flow runs crashed.',
      means: 'Their infrastructure failed, not their code: out of memory, an image that can\'t be pulled, a lost container.',
      firstStep: 'Read the state message of the crashed run in the Prefect UI, then the saved query "crashed tasks".',
    },
    {
      name: 'PublisherFailing',
      metric: failedTurns(demand.metric('PublisherErrors'), demand.publisher, 'Failed polls'),
      threshold: 1,
      datapoints: [3, 5],
      // Silence is the next alarm's.
      missing: NOT_BREACHING,
      happened: 'The demand publisher can\'t read the Prefect API, can\'t set how many workers the service keeps, or can\'t write to CloudWatch.',
      means: 'Scaling and the alarms on runs are blind; workers may not reach the API either.',
      firstStep: 'Read the last error of the work pool in the publisher\'s log group; check the API\'s status, the key and its role, and the routes to the API and to AWS.',
      critical: true,
    },
    {
      name: 'PublisherSilent',
      // Only after a report: before a new worker's first poll there is none.
      metric: math('IF(FILL(reports, 0) < 1 AND RUNNING_SUM(FILL(reports, 0)) > 0, 1, 0)', {
        reports: demand.metric('PublisherErrors', { statistic: cloudwatch.Stats.SAMPLE_COUNT, period: MINUTE }),
      }, 'Silent'),
      threshold: 1,
      // Not all of them: CloudWatch has to find the last report among what it looks at.
      datapoints: [4, 5],
      // Later, when there is no report left to look at, the silence goes on.
      missing: IGNORE,
      happened: 'The demand publisher has stopped publishing metrics.',
      means: 'It no longer runs; scaling and the alarms on runs are blind.',
      firstStep: 'Look at the publisher function\'s invocations and errors, and whether its schedule is enabled.',
      critical: true,
    },
    ...(props.standby && props.wanted ? [standbyTookOver(props.wanted)] : []),
  ];
}

function standbyTookOver(wanted: cloudwatch.IMetric): AlarmDefinition {
  return {
    name: 'StandbyTookOver',
    metric: wanted,
    threshold: 1,
    datapoints: [1, 1],
    missing: IGNORE,
    happened: 'The standby serves the work pool.',
    means: 'Flow runs were late for longer than scaling.standby.after allows the active region.',
    firstStep: 'Look at the active region\'s worker: its alarms say what is wrong.',
  };
}
