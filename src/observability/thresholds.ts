import { AlarmOptions } from './alarm-options';
import { invalid, known, requireWholeNumber } from '../private/validation';

/** Throws for thresholds at which an alarm would always be on, or never. */
export function validateThresholds(options: AlarmOptions): void {
  requireWholeNumber('observability.alarms.lateRuns', options.lateRuns, 1);
  requireWholeNumber('observability.alarms.crashedRuns', options.crashedRuns, 1);
  for (const prop of ['cpuPercent', 'memoryPercent'] as const) {
    const percent = options[prop];
    if (known(percent) && (percent <= 0 || percent > 100)) throw invalid(`observability.alarms.${prop}`, percent, 'give a percentage above 0 and up to 100.');
  }
  for (const prop of ['oldestLateRun', 'eventAge'] as const) {
    const duration = options[prop];
    if (duration && !duration.isUnresolved() && duration.toSeconds() < 60) {
      throw invalid(`observability.alarms.${prop}`, duration.toString(), 'give at least a minute; metrics come once in a minute.');
    }
  }
}
