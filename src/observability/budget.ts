import { aws_cloudwatch as cloudwatch, Duration, Tokenization } from 'aws-cdk-lib';
import { AlarmDefinition } from './alarm-definition';
import { AlarmOptions } from './alarm-options';
import { Costs } from '../costs/costs';
import { invalid, isResolved } from '../private/validation';

/** The longest that an alarm may look at: by then, the weekend is in it. */
const WEEK = Duration.days(7);
const WEEKS_A_MONTH = 730 / WEEK.toHours();

export function requireBudget(budget: number | undefined): void {
  if (isResolved(budget) && !(budget > 0 && Number.isFinite(budget))) {
    throw invalid('observability.monthlyBudget', budget, 'give US dollars for a month, above 0; leave the prop out where there is no budget.');
  }
}

/** Alarm on what the worker and its flow runs would cost in a month at the rate of the last week. */
export function overBudget(costs: Costs, budget: number, options: AlarmOptions): AlarmDefinition {
  const spent = {
    workers: costs.workers({ period: WEEK }),
    ...costs.ofFlowRuns && { runs: costs.flowRuns({ period: WEEK }) },
  };
  return {
    name: 'OverBudget',
    metric: new cloudwatch.MathExpression({
      expression: `SUM(METRICS()) * ${100 * WEEKS_A_MONTH} / ${Tokenization.stringifyNumber(budget)}`,
      usingMetrics: spent,
      label: 'Percent of monthlyBudget',
      period: WEEK,
    }),
    threshold: options.overBudget?.threshold ?? 80,
    datapoints: [1, 1],
    missing: cloudwatch.TreatMissingData.NOT_BREACHING,
    happened: 'At the rate of the last seven days, the worker and its flow runs approach or exceed their monthly budget.',
    means: 'Nothing is stopped: tasks on Fargate cost more than was planned.',
    firstStep: 'Look at the dashboard\'s "US dollars by deployment", or the saved query "costs by deployment", for what has grown.',
  };
}
