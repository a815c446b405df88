import { AlarmOptions, AlarmSettings } from './alarm-options';
import { invalid, isResolved, requireWholeNumber } from '../private/validation';

type AlarmKey = Exclude<keyof AlarmOptions, 'enabled'>;

/** An alarm, or a kind of message: its key in the options is the same with a small letter. */
export type AlarmName = Capitalize<AlarmKey>;

const WHOLE_NUMBERS = ['fewerTasksThanWanted', 'lateRuns', 'crashedRuns', 'deadLetters', 'natPortsExhausted'] as const;
const PERCENTAGES = ['highCpu', 'highMemory', 'overBudget'] as const;
const DURATIONS = ['oldestLateRun', 'eventsUnread'] as const;

/** Who has alarms that not every worker has. */
const OWNERS: { readonly [key in AlarmKey]?: string } = {
  fewerTasksThanWanted: 'a worker whose cluster has Container Insights',
  eventsUnread: 'an ECS worker',
  deadLetters: 'an ECS worker',
  workPoolChanged: 'a worker of a managed work pool',
  natPortsExhausted: 'a worker whose VPC is created for it, with NAT gateways',
  standbyTookOver: 'a standby',
  overBudget: 'a worker with observability.monthlyBudget',
};

export function settingsOf(options: AlarmOptions, name: AlarmName): AlarmSettings {
  return options[keyOf(name)] ?? {};
}

export function isEnabled(options: AlarmOptions, name: AlarmName): boolean {
  return settingsOf(options, name).enabled ?? options.enabled ?? true;
}

/** Whether a topic is needed at all. */
export function anyEnabled(options: AlarmOptions): boolean {
  const { enabled = true, ...alarms } = options;
  return enabled || Object.values(alarms).some((settings: AlarmSettings | undefined) => settings?.enabled);
}

/** Throws for alarms that are asked for and that this worker has not. */
export function requireExisting(options: AlarmOptions, existing: readonly AlarmName[]): void {
  for (const [key, owner] of Object.entries(OWNERS) as [AlarmKey, string][]) {
    if (options[key]?.enabled && !existing.some(name => keyOf(name) === key)) {
      throw invalid(`observability.alarms.${key}.enabled`, true, `only ${owner} has this alarm; remove it.`);
    }
  }
}

/** Throws for thresholds at which an alarm would always be on, or never. */
export function validateThresholds(options: AlarmOptions): void {
  for (const key of WHOLE_NUMBERS) requireWholeNumber(`observability.alarms.${key}.threshold`, options[key]?.threshold, 1);
  for (const key of PERCENTAGES) {
    const percent = options[key]?.threshold;
    if (isResolved(percent) && (percent <= 0 || percent > 100)) throw invalid(`observability.alarms.${key}.threshold`, percent, 'give a percentage above 0 and up to 100.');
  }
  for (const key of DURATIONS) {
    const duration = options[key]?.threshold;
    if (duration && !duration.isUnresolved() && duration.toSeconds() < 60) {
      throw invalid(`observability.alarms.${key}.threshold`, duration.toString(), 'give at least a minute; metrics are published once a minute.');
    }
  }
}

function keyOf(name: AlarmName): AlarmKey {
  return name[0].toLowerCase() + name.slice(1) as AlarmKey;
}
