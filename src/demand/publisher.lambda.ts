import { setTimeout as sleep } from 'node:timers/promises';
import { CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { DescribeServicesCommand, ECSClient } from '@aws-sdk/client-ecs';
import { KnownChildRuns } from './child-runs';
import type { PublisherConfiguration } from './configuration';
import { CrashCursor } from './crash-cursor';
import { setDesiredCount, tasksOf } from './desired-count';
import { MetricName, NAMESPACE, UNITS, Values } from './metrics';
import { poll } from './poll';
import { RunTimes } from './run-times';
import { costOf } from './worker-cost';
import { Fleet, workersFor } from './workers';
import { named } from '../private/pool-log';
import { connect, ownApi } from '../private/prefect-connection';

/** Between polls the function is started once a minute. */
const MINUTE = 60;

/** Seconds that an answer of the API may lag behind what happened: a run's end is stored a moment after its time. */
const SETTLE_SECONDS = 10;

/** How long a request is tried again; the next poll is a better try than a late one. */
const PATIENCE_SECONDS = 8;

const cloudWatch = new CloudWatchClient({});
const ecs = new ECSClient({});
const crashCursor = new CrashCursor();
const runTimes = new RunTimes();
const childRuns = new KnownChildRuns();

/**
 * Reads the demand of a worker from the Prefect API, has its service keep as many workers as that takes, and publishes both to CloudWatch,
 * once or several times in its minute.
 */
export async function handler(configuration: PublisherConfiguration): Promise<void> {
  await named(configuration, () => polls(configuration));
}

async function polls(configuration: PublisherConfiguration): Promise<void> {
  const start = Date.now();
  for (let second = 0; second < MINUTE; second += configuration.pollSeconds) {
    await sleep(Math.max(0, start + second * 1000 - Date.now()));
    await pollAndPublish(configuration);
  }
}

async function pollAndPublish(configuration: PublisherConfiguration): Promise<void> {
  const now = new Date();
  const settled = now.getTime() - SETTLE_SECONDS * 1000;
  let until: Date;
  let values: Values;
  try {
    const trustedSeconds = SETTLE_SECONDS + 1.5 * configuration.pollSeconds;
    const since = await crashCursor.read(configuration.worker, now, trustedSeconds) ?? new Date(settled - configuration.pollSeconds * 1000);
    until = new Date(Math.max(settled, since.getTime()));
    values = await read(configuration, now, { since, until });
  } catch (error) {
    // What isn't known isn't published: the alarms then see no data, and not that there is nothing to do.
    console.error(error);
    // What the workers cost, Prefect need not say.
    const fleet = configuration.pricedTask && await describe(configuration).catch(() => undefined);
    await publish(configuration, { ...fleet?.cost, PublisherErrors: 1 });
    return;
  }
  await publish(configuration, values);
  crashCursor.advance(configuration.worker, until);
}

async function read(configuration: PublisherConfiguration, now: Date, crashes: { since: Date; until: Date }): Promise<Values> {
  const client = await connect(ownApi(), Math.min(PATIENCE_SECONDS, configuration.pollSeconds / 2));
  const [reading, fleet] = await Promise.all([poll(client, configuration, now, crashes, runTimes, childRuns), describe(configuration)]);
  const { values, room, slots, scheduledSlots, busyWorkers } = reading;
  // An ECS worker only starts tasks, which go on without it.
  const busyTasks = configuration.flowRunLimit === undefined ? [] : busyWorkers && await tasksOf(configuration, busyWorkers);
  const workers = workersFor({
    demand: values.Demand,
    slots,
    scheduledSlots,
    room,
    busyWorkers: busyTasks?.length ?? Infinity,
    oldestLateSeconds: values.OldestLateSeconds,
    onlineWorkers: values.OnlineWorkers,
  }, fleet, configuration);
  let errors = 0;
  // The service stays as it is until the next poll, and what is known of the demand is published all the same.
  const warm = workers && await setDesiredCount(
    configuration, fleet, { required: workers.RequiredWorkers, unscheduled: workers.UnscheduledWorkers ?? 0, room }, busyTasks,
  ).catch(error => { errors = 1; console.error(error); });
  const waiting = configuration.warmTaskHours && workers && warm !== undefined
    && { WarmWorkers: warm, SurplusWorkers: workers.SurplusWorkers - warm };
  return { ...values, ...workers, ...waiting, ...fleet.cost, PublisherErrors: errors };
}

async function describe(configuration: PublisherConfiguration): Promise<Fleet & { readonly cost?: Values }> {
  const { cluster, service } = configuration;
  const { services } = await ecs.send(new DescribeServicesCommand({ cluster, services: [service] }));
  const [found] = services ?? [];
  if (found?.desiredCount === undefined || found.runningCount === undefined) throw new Error(`ECS doesn't know the service ${service}.`);
  return { desired: found.desiredCount, running: found.runningCount, cost: costOf(found, configuration) };
}

async function publish({ workPool, worker }: PublisherConfiguration, values: Values): Promise<void> {
  // Of now, and not of the start of a poll that may have taken ten seconds: by then its period is over, and the alarm may have
  // judged it without these values.
  const Timestamp = new Date();
  await cloudWatch.send(new PutMetricDataCommand({
    Namespace: NAMESPACE,
    MetricData: Object.entries(values).map(([name, value]) => ({
      MetricName: name,
      Dimensions: [{ Name: 'WorkPool', Value: workPool }, { Name: 'Worker', Value: worker }],
      Unit: UNITS[name as MetricName],
      Value: value,
      Timestamp,
      // Polls may be ten seconds apart.
      StorageResolution: 1,
    })),
  }));
}
