import { aws_cloudwatch as cloudwatch, aws_cloudwatch_actions as actions } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { AlarmDefinition } from './alarm-definition';
import { AlarmOptions } from './alarm-options';
import { AlarmName, isEnabled, settingsOf } from './alarm-settings';
import { AlarmTopics } from './alarm-topics';
import { runbook } from './runbook';
import { invalid } from '../private/validation';

const UNHEALTHY = 'WorkerUnhealthy';

export interface AlarmsProps {
  readonly definitions: readonly AlarmDefinition[];
  readonly options: AlarmOptions;
  readonly topics: AlarmTopics;
}

/** Makes alarms of their definitions, and one that says whether the worker as a whole is healthy. */
export class Alarms extends Construct {
  public readonly byName: { [name: string]: cloudwatch.AlarmBase } = {};

  constructor(scope: Construct, id: string, private readonly props: AlarmsProps) {
    super(scope, id);
    const definitions = props.definitions.filter(({ name }) => isEnabled(props.options, name));
    for (const definition of definitions) this.add(definition.name, this.alarm(definition), definition.critical ?? false);

    const critical = definitions.filter(definition => definition.critical).map(({ name }) => name);
    if (critical.length > 0 && isEnabled(props.options, UNHEALTHY)) this.add(UNHEALTHY, this.unhealthy(critical), true);
    if (critical.length === 0 && props.options.workerUnhealthy?.enabled) {
      throw invalid('observability.alarms.workerUnhealthy.enabled', true, 'it combines the alarms that page, and all of them are off; enable one of them, or remove it.');
    }
  }

  private add(name: AlarmName, alarm: cloudwatch.AlarmBase, critical: boolean): void {
    const { options, topics } = this.props;
    const topic = settingsOf(options, name).topic ?? (critical ? topics.page : topics.inform);
    topics.letPublish(topic, 'cloudwatch');
    alarm.addAlarmAction(new actions.SnsAction(topic));
    alarm.addOkAction(new actions.SnsAction(topic));
    this.byName[name] = alarm;
  }

  private alarm(definition: AlarmDefinition): cloudwatch.Alarm {
    const { name, metric, threshold, datapoints: [datapointsToAlarm, evaluationPeriods], missing: treatMissingData } = definition;
    return new cloudwatch.Alarm(this, name, {
      metric,
      threshold,
      datapointsToAlarm,
      evaluationPeriods,
      treatMissingData,
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      alarmDescription: this.describe(definition),
    });
  }

  private unhealthy(critical: readonly AlarmName[]): cloudwatch.CompositeAlarm {
    const alarm = new cloudwatch.CompositeAlarm(this, UNHEALTHY, {
      alarmRule: cloudwatch.AlarmRule.anyOf(...critical.map(name => cloudwatch.AlarmRule.fromAlarm(this.byName[name], cloudwatch.AlarmState.ALARM))),
      alarmDescription: this.describe({
        name: UNHEALTHY,
        happened: `One of these is in ALARM: ${critical.join(', ')}.`,
        means: 'The worker as a whole is unhealthy: flow runs don\'t start, or it is unknown whether they do.',
        firstStep: 'Open the alarm that is named as the reason and follow its first step.',
      }),
    });
    // The L2 fixes a name, which a second stack of the same construct would want too.
    (alarm.node.defaultChild as cloudwatch.CfnCompositeAlarm).alarmName = undefined;
    return alarm;
  }

  private describe({ name, happened, means, firstStep }: Pick<AlarmDefinition, 'name' | 'happened' | 'means' | 'firstStep'>): string {
    const worker = this.node.scope!.node.scope!.node.path;
    return `${happened} ${means} First step: ${firstStep} Worker ${worker}, ${runbook(name)}`;
  }
}
