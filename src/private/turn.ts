import { aws_events as events, aws_events_targets as targets, aws_lambda as lambda, Duration, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';

export interface TurnProps {
  readonly description: string;
  readonly fn: lambda.IFunction;
  /** What the function is told of the pool, as the event. It may hold tokens; as text it may have 8,192 characters. */
  readonly settings: object;
  /** Events that don't wait for the minute. */
  readonly eventPattern?: events.EventPattern;
}

/**
 * Calls a function once a minute for one worker: a turn of its own, so that what goes wrong for a pool is no other's affair.
 *
 * A rate begins when the rule is created, so that the turns of workers lie where their rules were created in the minute.
 *
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html
 */
export function everyMinute(scope: Construct, { description, fn, settings, eventPattern }: TurnProps): events.Rule {
  // RuleTargetInput.fromObject() would make texts of numbers that are known only at deployment.
  const event: events.RuleTargetInput = { bind: rule => ({ input: Stack.of(rule).toJsonString(settings) }) };
  return new events.Rule(scope, 'Schedule', {
    description,
    schedule: events.Schedule.rate(Duration.minutes(1)),
    eventPattern,
    targets: [new targets.LambdaFunction(fn, { event, ...NO_SECOND_TRY })],
  });
}

/** A minute later there is a turn that knows more than a second try. */
export const NO_SECOND_TRY = { retryAttempts: 0, maxEventAge: Duration.minutes(1) };
