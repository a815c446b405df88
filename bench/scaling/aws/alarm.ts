export type AlarmState = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';
export type MissingData = 'breaching' | 'notBreaching' | 'ignore' | 'missing';
export type Comparison =
  'GreaterThanOrEqualToThreshold' | 'GreaterThanThreshold' | 'LessThanThreshold' | 'LessThanOrEqualToThreshold';

export interface AlarmRule {
  readonly comparison: Comparison;
  readonly threshold: number;
  readonly evaluationPeriods: number;
  readonly datapointsToAlarm: number;
  readonly missingData: MissingData;
}

/** The rule of an alarm as CloudFormation and CloudWatch's API write it. */
export function alarmRule(properties: Readonly<Record<string, any>>): AlarmRule {
  return {
    comparison: properties.ComparisonOperator,
    threshold: Number(properties.Threshold),
    evaluationPeriods: properties.EvaluationPeriods,
    datapointsToAlarm: properties.DatapointsToAlarm ?? properties.EvaluationPeriods,
    missingData: properties.TreatMissingData ?? 'missing',
  };
}

export interface Evaluation {
  readonly state: AlarmState;
  /** The real data points that decided, the oldest first: what a scaling policy gets to see. */
  readonly evaluated: readonly number[];
}

/**
 * CloudWatch asks for more data points than the evaluation periods, so that a late one is not taken for missing.
 * How many is not fixed; the examples of the page have 5 for 3.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
 */
export function evaluationRange(rule: AlarmRule, furtherPeriods = 2): number {
  return rule.evaluationPeriods + furtherPeriods;
}

export function breaches({ comparison, threshold }: AlarmRule, value: number): boolean {
  switch (comparison) {
    case 'GreaterThanOrEqualToThreshold': return value >= threshold;
    case 'GreaterThanThreshold': return value > threshold;
    case 'LessThanThreshold': return value < threshold;
    case 'LessThanOrEqualToThreshold': return value <= threshold;
  }
}

/**
 * An alarm's state from the data points of its evaluation range, the oldest first.
 *
 * Enough real data points: the newest ones decide, and how missing data is treated does not matter. Too few: as many
 * are filled in as lack. `missing` and `ignore` fill in nothing; what they do instead is in `withoutFilling()`.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
 */
export function evaluate(rule: AlarmRule, range: readonly (number | undefined)[], current: AlarmState): Evaluation {
  const evaluated = range.filter((value): value is number => value !== undefined).slice(-rule.evaluationPeriods);
  const breaching = evaluated.filter(value => breaches(rule, value)).length;
  const lacking = rule.evaluationPeriods - evaluated.length;
  const decide = (count: number): AlarmState => (count >= rule.datapointsToAlarm ? 'ALARM' : 'OK');

  if (lacking === 0 || rule.missingData === 'notBreaching') return { state: decide(breaching), evaluated };
  if (rule.missingData === 'breaching') return { state: decide(breaching + lacking), evaluated };
  return { state: withoutFilling(rule, range, evaluated.length, breaching, current), evaluated };
}

/**
 * One data point within the threshold is enough for OK. With breaching ones only, the alarm goes off when the oldest of
 * them is at least as old as the data points to alarm ("premature transition"), or when there are enough of them.
 */
function withoutFilling(
  rule: AlarmRule, range: readonly (number | undefined)[], real: number, breaching: number, current: AlarmState,
): AlarmState {
  if (breaching >= rule.datapointsToAlarm) return 'ALARM';
  if (real > breaching) return 'OK';
  if (rule.missingData === 'ignore') return current;
  const oldest = range.findIndex(value => value !== undefined);
  const age = oldest < 0 ? 0 : range.length - oldest;
  return age >= rule.datapointsToAlarm ? 'ALARM' : 'INSUFFICIENT_DATA';
}

/**
 * Whether an alarm in ALARM calls its Auto Scaling action: when it goes off, and then once a minute as long as it stays,
 * whatever its period.
 *
 * @see https://repost.aws/knowledge-center/autoscaling-policy-cloudwatch-alarm
 */
export function callsAction(before: AlarmState, after: AlarmState, secondsSinceLastCall: number): boolean {
  return after === 'ALARM' && (before !== 'ALARM' || secondsSinceLastCall >= 60);
}

/** An alarm is evaluated every minute, and one with a shorter period every period. */
export function evaluationInterval(period: number): number {
  return Math.min(period, 60);
}
