import { compare, Comparison } from './compare';
import { Alarm, Deployment, Policy } from './template/deployment';
import { Trace } from './trace';

/** The library's deployment with other numbers, to show what each choice is worth. */
export function choices(deployment: Deployment): Record<string, Deployment> {
  return {
    'as it is': deployment,
    'lead time 150 s': leadTime(deployment, 150),
    'lead time 300 s': leadTime(deployment, 300),
    'an alarm of 60 s, lead time 240 s': leadTime(missing(deployment, 60, 120), 240),
    'the same without a cooldown': leadTime(missing(deployment, 60, 0), 240),
    'surplus of 1 minute': surplus(deployment, 1, 120),
    'surplus of 3 minutes': surplus(deployment, 3, 120),
    'surplus of 5 minutes': surplus(deployment, 5, 120),
    'cooldown of 60 s after taking away': surplus(deployment, 2, 60),
  };
}

/** One comparison per choice and trace. */
export function compareChoices(deployment: Deployment, traces: readonly Trace[], seeds: readonly number[]): [string, Comparison[]][] {
  return Object.entries(choices(deployment)).map(([choice, of]) => [choice, traces.map(trace => compare(trace, of, seeds))]);
}

function leadTime(deployment: Deployment, seconds: number): Deployment {
  return { ...deployment, publisher: { ...deployment.publisher!, leadTimeSeconds: seconds } };
}

function missing({ alarms, policies, ...rest }: Deployment, period: number, cooldown: number): Deployment {
  const [alarm, ...others] = split(alarms, ({ metric }) => metric.includes('MissingWorkers'));
  return { ...rest, alarms: [{ ...alarm, period }, ...others], policies: withCooldown(policies, alarm, cooldown) };
}

function surplus({ alarms, policies, ...rest }: Deployment, minutes: number, cooldown: number): Deployment {
  const [alarm, ...others] = split(alarms, ({ metric }) => metric.includes('SurplusWorkers'));
  const rule = { ...alarm.rule, evaluationPeriods: minutes, datapointsToAlarm: minutes };
  return { ...rest, alarms: [{ ...alarm, rule }, ...others], policies: withCooldown(policies, alarm, cooldown) };
}

function withCooldown(policies: readonly Policy[], alarm: Alarm, cooldown: number): Policy[] {
  return policies.map(policy => (policy.kind === 'step' && alarm.policies.includes(policy.id) ? { ...policy, cooldown } : policy));
}

/** The one that is meant first. */
function split<T>(values: readonly T[], meant: (value: T) => boolean): T[] {
  return [...values.filter(meant), ...values.filter(value => !meant(value))];
}
