import { aws_cloudwatch as cloudwatch, aws_ecs as ecs, aws_lambda as lambda, Duration } from 'aws-cdk-lib';
import { AlarmDefinition, failedTurns, math, MINUTE } from './alarm-definition';
import { AlarmOptions } from './alarm-options';
import { containerInsights, natMetric } from './metrics';
import { Demand } from '../demand/demand';
import { EventQueue } from '../work-pool/event-queue';

const { NOT_BREACHING } = cloudwatch.TreatMissingData;

/** Alarm on the function that looks after flow runs. */
export function rescueFailing(demand: Demand, reconciler: lambda.IFunction): AlarmDefinition {
  return {
    name: 'RescueFailing',
    metric: failedTurns(demand.metric('ReconcilerErrors'), reconciler, 'Failed looks'),
    threshold: 1,
    datapoints: [3, 5],
    missing: NOT_BREACHING,
    happened: 'The reconciler, the function that looks after flow runs, fails for this worker.',
    means: 'A flow run that loses its task stays as it is; workers don\'t get a new API key.',
    firstStep: 'Read the last error of the work pool in the reconciler\'s log group; check the API\'s status, its key and the route to it.',
    critical: true,
  };
}

/** Alarms on the workers' tasks. */
export function serviceAlarms(service: ecs.FargateService, hasContainerInsights: boolean, options: AlarmOptions): AlarmDefinition[] {
  return [
    ...(hasContainerInsights ? [fewerTasks(service, options)] : []),
    {
      name: 'HighCpu',
      metric: service.metricCpuUtilization({ statistic: cloudwatch.Stats.AVERAGE, period: MINUTE }),
      threshold: options.highCpu?.threshold ?? 90,
      datapoints: [15, 15],
      // Without a task there is nothing to measure.
      missing: NOT_BREACHING,
      happened: 'The workers\' CPU has been busy for 15 minutes.',
      means: 'More or larger runs than the workers have CPU for; heartbeats and polls may come late.',
      firstStep: 'Raise cpu; for PROCESS workers also scaling.maxWorkers, or lower flowRunLimit.',
    },
    {
      name: 'HighMemory',
      metric: service.metricMemoryUtilization({ statistic: cloudwatch.Stats.MAXIMUM, period: MINUTE }),
      threshold: options.highMemory?.threshold ?? 90,
      datapoints: [5, 5],
      missing: NOT_BREACHING,
      happened: 'A worker\'s memory is nearly used up.',
      means: 'When it is, the container is ended, and the flow runs in it crash.',
      firstStep: 'Raise memoryLimitMiB, or lower flowRunLimit.',
    },
  ];
}

function fewerTasks(service: ecs.FargateService, options: AlarmOptions): AlarmDefinition {
  const running = containerInsights(service, 'RunningTaskCount');
  return {
    name: 'FewerTasksThanWanted',
    // Without a running task there may be no count of them.
    metric: math('desired - FILL(running, 0)', { desired: containerInsights(service, 'DesiredTaskCount'), running }, 'Missing tasks'),
    threshold: options.fewerTasksThanWanted?.threshold ?? 1,
    datapoints: [10, 10],
    missing: NOT_BREACHING,
    happened: 'For ten minutes fewer workers have been running than the service wants.',
    means: 'Tasks don\'t start, or end again at once.',
    firstStep: 'Read the service\'s events and the stopped tasks\' reasons: image, secrets, network, Fargate capacity.',
    critical: true,
  };
}

/** Alarms on the queue that tells ECS workers of their flow runs' tasks. */
export function queueAlarms(events: EventQueue, wanted: cloudwatch.IMetric | undefined, options: AlarmOptions): AlarmDefinition[] {
  const { queue, deadLetterQueue } = events;
  const age = queue.metricApproximateAgeOfOldestMessage({ statistic: cloudwatch.Stats.MAXIMUM, period: MINUTE });
  return [
    {
      name: 'EventsUnread',
      metric: wanted ? math('IF(wanted >= 1, age, 0)', { wanted, age }, 'Age while workers are wanted') : age,
      threshold: (options.eventsUnread?.threshold ?? Duration.minutes(15)).toSeconds(),
      datapoints: [5, 5],
      missing: NOT_BREACHING,
      happened: 'Nobody reads the queue of ECS task events.',
      means: 'A flow run whose task dies stays Running in Prefect.',
      firstStep: 'Look for "ecs_observer" in the workers\' logs; check that a worker is online.',
    },
    {
      name: 'DeadLetters',
      metric: deadLetterQueue.metricApproximateNumberOfMessagesVisible({ statistic: cloudwatch.Stats.MAXIMUM, period: MINUTE }),
      threshold: options.deadLetters?.threshold ?? 1,
      datapoints: [1, 1],
      missing: NOT_BREACHING,
      happened: 'An ECS task event could not be handled three times.',
      means: 'A flow run may stay Running in Prefect although its task has ended.',
      firstStep: 'Read the message in the dead-letter queue: it names the task and the flow run; set the run\'s state by hand, then purge or redrive.',
    },
  ];
}

/** Alarm on the NAT gateways of the worker's own VPC. */
export function natAlarms(natGatewayIds: readonly string[], options: AlarmOptions): AlarmDefinition[] {
  if (natGatewayIds.length === 0) return [];
  const errors = natGatewayIds.map(id => natMetric(id, 'ErrorPortAllocation'));
  const byId = Object.fromEntries(errors.map((metric, index) => [`nat${index}`, metric]));
  return [{
    name: 'NatPortsExhausted',
    metric: errors.length === 1 ? errors[0] : math('SUM(METRICS())', byId, 'Failed allocations'),
    threshold: options.natPortsExhausted?.threshold ?? 1,
    datapoints: [2, 5],
    missing: NOT_BREACHING,
    happened: 'A NAT gateway had no port left for a connection.',
    means: 'Calls of workers and flow runs to one destination fail from time to time.',
    firstStep: 'Spread the load over more zones (network.maxAzs), or give busy AWS services a VPC endpoint.',
  }];
}

/** Alarm on a managed work pool that was changed from outside. */
export function workPoolAlarm(demand: Demand): AlarmDefinition {
  return {
    name: 'WorkPoolChanged',
    metric: demand.metric('WorkPoolChanges'),
    threshold: 1,
    // A look each hour, some minutes sooner or later.
    datapoints: [1, 2],
    missing: NOT_BREACHING,
    happened: 'The work pool, one of its queues or its automation differs from what the stack has set.',
    means: 'Somebody changed or deleted it in Prefect, or the stack\'s key may no longer read it; flow runs may run with other settings, or not at all.',
    firstStep: 'Read the line that begins with WorkPoolChanged in the log group of the work pool\'s function: it names each difference.',
  };
}
