import { AlarmState, callsAction, evaluate, evaluationInterval, evaluationRange } from './aws/alarm';
import { DELAYS } from './aws/delays';
import { metricKey, Metrics } from './aws/metrics';
import { Request, ScalableTarget } from './aws/scalable-target';
import { timesOf } from './aws/schedule';
import { stepCapacity } from './aws/step-scaling';
import { alarmsOf, TargetTrackingPolicy, trackedCapacity } from './aws/target-tracking';
import { busyWorkers, demandMetrics, PublisherSettings } from './prefect/publisher';
import { Worker } from './prefect/worker';
import { World } from './simulation';
import { Alarm, Deployment } from './template/deployment';
import { NAMESPACE } from '../../src/demand/metrics';
import { Found, mayBeTooMuch, newDesiredCount } from '../../src/demand/new-desired-count';
import { Past } from '../../src/demand/warm-workers';

const MINUTE = 60;
const DAY_MINUTES = 24 * 60;

/** Plays a deployment's publisher, alarms, policies and scheduled actions in a world. */
export function controlByTemplate(deployment: Deployment): (world: World) => void {
  return world => {
    const { clock, random } = world;
    const metrics = new Metrics();
    const target = new ScalableTarget(deployment.bounds, deployment.desired);
    const apply = () => clock.in(DELAYS.scalingActivity, () => world.setDesired(target.desired));
    const request = (requests: readonly Request[]) => {
      const before = target.desired;
      target.request(clock.now, requests);
      if (target.desired !== before) apply();
    };
    world.setDesired(target.desired);

    publish(deployment, world, metrics, target);
    for (const alarm of deployment.alarms) watch(deployment, alarm, world, metrics, request);
    const tracking = deployment.policies.filter((policy): policy is TargetTrackingPolicy => policy.kind === 'target-tracking');
    if (tracking.length > 0) {
      meterService(world, metrics);
      track(tracking, world, metrics, target, request);
    }
    for (const { schedule, bounds } of deployment.scheduledActions) {
      for (const time of timesOf(schedule, world.start + clock.now * 1000, world.start + world.end * 1000)) {
        clock.at((time - world.start) / 1000 + random.uniform(0, 5), () => {
          target.setBounds(bounds);
          apply();
        });
      }
    }
  };
}

/** What CloudWatch shows of what earlier polls have found. */
function pastOf(
  { scaleInMinutes, warmTaskHours }: PublisherSettings, metrics: Metrics, dimensions: Readonly<Record<string, string>>, now: number,
): Past {
  const of = (name: string, minutes: number) => {
    const first = Math.floor(now / MINUTE) - minutes;
    return metrics.dataPoints(metricKey(NAMESPACE, name, dimensions), 'Maximum', MINUTE, minutes, now)
      .flatMap((workers, index) => (workers === undefined ? [] : [{ minute: first + index, workers }]));
  };
  const day = warmTaskHours ? DAY_MINUTES : 0;
  return { required: of('RequiredWorkers', scaleInMinutes), unscheduled: of('UnscheduledWorkers', day), warm: of('WarmWorkers', day) };
}

/** The publisher's polls: at some second of every minute, and in between when it polls more often. It sets the desired count itself. */
function publish({ publisher }: Deployment, world: World, metrics: Metrics, target: ScalableTarget): void {
  if (publisher === undefined) return;
  const { clock, random, pool, conditions } = world;
  const dimensions = { WorkPool: publisher.workPool, Worker: publisher.worker };
  clock.every(publisher.invocationSeconds, clock.now + random.uniform(0, publisher.invocationSeconds), () => {
    for (let second = 0; second < publisher.invocationSeconds; second += publisher.pollSeconds) {
      clock.in(second + random.uniform(0.5, 1.5), () => {
        if (random.next() < conditions.failedPolls) return;
        const visibleFrom = clock.now + random.uniform(conditions.metricDelay.least, conditions.metricDelay.most);
        const { values, room } = demandMetrics(publisher, pool, clock.now, target.desired);
        const found: Found = {
          required: values.RequiredWorkers,
          unscheduled: values.UnscheduledWorkers ?? 0,
          room,
          busy: busyWorkers(publisher, pool),
          desired: target.desired,
          minute: Math.floor(clock.now / MINUTE),
        };
        const past = mayBeTooMuch(found, target.bounds) ? pastOf(publisher, metrics, dimensions, clock.now) : undefined;
        const { count, warm } = newDesiredCount(found, past, publisher, target.bounds);
        if (publisher.warmTaskHours) values.WarmWorkers = warm;
        const exposed = () => world.service.alive.some(({ container }) => container instanceof Worker && container.isExposed);
        if (count !== undefined && (count > target.desired || !exposed())) world.setDesired(target.desired = count);
        for (const [name, value] of Object.entries(values)) {
          metrics.put(metricKey(NAMESPACE, name, dimensions), { time: clock.now, value, visibleFrom });
        }
      });
    }
  });
}

/** An alarm, evaluated at some second of every minute (or of every period, when that is shorter). */
function watch({ policies }: Deployment, alarm: Alarm, world: World, metrics: Metrics, request: (requests: Request[]) => void): void {
  const { clock, random, conditions } = world;
  const interval = evaluationInterval(alarm.period);
  let state: AlarmState = 'INSUFFICIENT_DATA';
  let called = -Infinity;
  clock.every(interval, clock.now + random.uniform(0, interval), () => {
    const range = metrics.dataPoints(alarm.metric, alarm.statistic, alarm.period, evaluationRange(alarm.rule, conditions.furtherPeriods), clock.now);
    const { state: next, evaluated } = evaluate(alarm.rule, range, state);
    if (callsAction(state, next, clock.now - called)) {
      called = clock.now;
      request(alarm.policies.map(id => policies.find(policy => policy.id === id)!).flatMap(policy => (policy.kind !== 'step' ? [] : [{
        policy: policy.id,
        capacity: (from: number) => stepCapacity(policy, alarm.rule.threshold, evaluated, from),
        scaleOutCooldown: policy.cooldown,
        scaleInCooldown: policy.cooldown,
      }])));
    }
    state = next;
  });
}

const serviceMetric = (policy: TargetTrackingPolicy['metric']) => metricKey('AWS/ECS', policy);

/** CPU and memory of the service: the average of its tasks. */
function meterService(world: World, metrics: Metrics): void {
  const { clock, service, load: loadOf } = world;
  clock.every(20, clock.now + 10, () => {
    const ready = service.ready;
    if (ready.length === 0) return;
    const put = (name: TargetTrackingPolicy['metric'], of: 'cpu' | 'memory') => metrics.put(serviceMetric(name), {
      time: clock.now, value: ready.reduce((sum, task) => sum + loadOf(task.container)[of], 0) / ready.length, visibleFrom: clock.now,
    });
    put('ECSServiceAverageCPUUtilization', 'cpu');
    put('ECSServiceAverageMemoryUtilization', 'memory');
  });
}

/** Target tracking of all policies: any of them scales out, and only all of them together scale in. */
function track(
  policies: readonly TargetTrackingPolicy[], world: World, metrics: Metrics, target: ScalableTarget, request: (requests: Request[]) => void,
): void {
  const { clock, random } = world;
  const states = policies.map(policy => ({ policy, ...alarmsOf(policy) }));
  clock.every(MINUTE, clock.now + random.uniform(0, MINUTE), () => {
    const seen = states.map(({ policy, high, low }) => {
      // The service's own metrics come late, and their alarms wait for them.
      const points = (rule: typeof high) =>
        metrics.dataPoints(serviceMetric(policy.metric), 'Average', MINUTE, evaluationRange(rule), clock.now - DELAYS.serviceMetric);
      const [out, into] = [evaluate(high, points(high), 'OK'), evaluate(low, points(low), 'OK')];
      return { policy, out, into, newest: out.evaluated[out.evaluated.length - 1] };
    });
    const ask = (of: typeof seen) => request(of.map(({ policy, newest }) => ({
      policy: policy.id,
      capacity: (from: number) => trackedCapacity(policy, newest, from),
      scaleOutCooldown: policy.scaleOutCooldown,
      scaleInCooldown: policy.scaleInCooldown,
    })));
    const high = seen.filter(({ out }) => out.state === 'ALARM');
    if (high.length > 0) ask(high);
    else if (target.desired > 0 && seen.every(({ into, policy }) => into.state === 'ALARM' && !policy.disableScaleIn)) ask(seen);
  });
}
