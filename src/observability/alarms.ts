import { aws_cloudwatch as cloudwatch, aws_cloudwatch_actions as actions, aws_sns as sns } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { AlarmDefinition } from './alarm-definition';
import { runbook } from './runbook';

/** Makes alarms of their definitions, and one that says whether the worker as a whole is healthy. */
export class Alarms extends Construct {
  public readonly byName: { [name: string]: cloudwatch.AlarmBase };

  constructor(scope: Construct, id: string, topic: sns.ITopic, definitions: readonly AlarmDefinition[]) {
    super(scope, id);
    const worker = scope.node.scope!.node.path;
    this.byName = Object.fromEntries(definitions.map(definition => [definition.name, this.alarm(worker, definition)]));

    const critical = definitions.filter(definition => definition.critical).map(({ name }) => this.byName[name]);
    const inAlarm = critical.map(alarm => cloudwatch.AlarmRule.fromAlarm(alarm, cloudwatch.AlarmState.ALARM));
    const name = 'WorkerUnhealthy';
    const unhealthy = new cloudwatch.CompositeAlarm(this, name, {
      alarmRule: cloudwatch.AlarmRule.anyOf(...inAlarm),
      alarmDescription: describe(worker, {
        name,
        happened: `One of these is in ALARM: ${definitions.filter(({ critical: is }) => is).map(definition => definition.name).join(', ')}.`,
        means: 'The worker as a whole is unhealthy: flow runs don\'t start, or nobody knows whether they do.',
        firstStep: 'Open the alarm that is named as the reason and follow its first step.',
      }),
    });
    // The L2 fixes a name, which a second stack of the same construct would want too.
    (unhealthy.node.defaultChild as cloudwatch.CfnCompositeAlarm).alarmName = undefined;
    this.byName[name] = unhealthy;
    for (const alarm of Object.values(this.byName)) {
      alarm.addAlarmAction(new actions.SnsAction(topic));
      alarm.addOkAction(new actions.SnsAction(topic));
    }
  }

  private alarm(worker: string, definition: AlarmDefinition): cloudwatch.Alarm {
    const { name, metric, threshold, datapoints: [datapointsToAlarm, evaluationPeriods], missing: treatMissingData } = definition;
    return new cloudwatch.Alarm(this, name, {
      metric,
      threshold,
      datapointsToAlarm,
      evaluationPeriods,
      treatMissingData,
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      alarmDescription: describe(worker, definition),
    });
  }
}

function describe(worker: string, { name, happened, means, firstStep }: Pick<AlarmDefinition, 'name' | 'happened' | 'means' | 'firstStep'>): string {
  return `${happened} ${means} First step: ${firstStep} Worker ${worker}, ${runbook(name)}`;
}
