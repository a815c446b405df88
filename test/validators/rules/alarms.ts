import { Resolver } from '../intrinsics';
import { demanded, names, statementsOf } from '../statements';
import { asArray, ofType, references, targetOf } from '../template';
import type { Remark, Rule, Template } from '../types';

const ALARM = /^AWS::CloudWatch::(Composite)?Alarm$/;

/** What happens reaches somebody: alarms have an action, and the topics that are told let the services publish that tell them. */
export const alarms: Rule = (template, { named }) => {
  const resolver = new Resolver(template, { imports: named.imports });
  return [...withoutAction(template), ...twice(resolver), ...unknownAlarms(template), ...topics(template, resolver)];
};

function withoutAction(template: Template): Remark[] {
  return ofType(template, ALARM)
    .filter(([, { Properties = {} }]) => asArray(Properties.AlarmActions).length === 0)
    .map(([logicalId]) => ({ logicalId, message: 'It goes off and tells nobody.' }));
}

/** Two alarms on one metric with one statistic: one of them follows what is the other's. */
function twice(resolver: Resolver): Remark[] {
  const followed = new Map<string, string>();
  return ofType(resolver.template, 'AWS::CloudWatch::Alarm').flatMap(([logicalId, { Properties }]) => {
    const { Namespace, MetricName, Dimensions, Statistic, ExtendedStatistic, ComparisonOperator } = resolver.resolve(Properties);
    const metric = JSON.stringify([Namespace, MetricName, Dimensions, Statistic, ExtendedStatistic, ComparisonOperator]);
    const other = followed.get(metric);
    if (MetricName !== undefined) followed.set(metric, logicalId);
    return MetricName !== undefined && other ? [{ logicalId, message: `It follows ${MetricName}, as ${other} does.` }] : [];
  });
}

/** A rule or a widget that names an alarm which isn't there is taken, and always looks fine. */
function unknownAlarms(template: Template): Remark[] {
  const are = (ids: Iterable<string>) => [...ids].filter((id) => !ALARM.test(template.Resources[id]?.Type ?? ''));
  return ofType(template, 'AWS::CloudWatch::CompositeAlarm').flatMap(([logicalId, { Properties = {} }]) => {
    const named = references(Properties.AlarmRule);
    const faults = are(named).map((id) => `Its rule asks for ${id}, which is no alarm of the template.`);
    return (named.size === 0 ? ['Its rule names no alarm.'] : faults).map((message) => ({ logicalId, message }));
  });
}

function topics(template: Template, resolver: Resolver): Remark[] {
  return ofType(template, 'AWS::SNS::Topic').flatMap(([topic]) => {
    const publishers = publishersOf(template, topic);
    const statements = ofType(template, 'AWS::SNS::TopicPolicy')
      .filter(([, { Properties = {} }]) => asArray<any>(Properties.Topics).some((item) => targetOf(template, item) === topic))
      .flatMap(([, { Properties = {} }]) => statementsOf(resolver, Properties.PolicyDocument));
    // Without a policy the topic has SNS's own, by which its account may publish; EventBridge is not of the account.
    return [...publishers].filter((service) => statements.length > 0 || service === 'events.amazonaws.com').flatMap((service) => {
      const letting = statements.filter((statement) => statement.effect === 'Allow' && names(statement, 'sns:Publish') && (statement.principals.Service ?? []).includes(service));
      if (letting.length === 0) return [`Its policy doesn't let ${service} publish: what it tells is lost silently.`];
      const source = (statement: typeof letting[number]) => ['aws:SourceArn', 'aws:SourceAccount'].some((key) => demanded(statement, key).length > 0);
      // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-sns-permissions
      if (service === 'events.amazonaws.com') return letting.every(source) ? ['EventBridge gives no source to topics, so the condition refuses what it tells.'] : [];
      return letting.every(source) ? [] : [`Its policy lets ${service} publish for any account: add a condition on aws:SourceAccount.`];
    }).map((message) => ({ logicalId: topic, message }));
  });
}

function publishersOf(template: Template, topic: string): Set<string> {
  const publishers = new Set<string>();
  for (const [, { Properties = {} }] of ofType(template, ALARM)) {
    const actions = [Properties.AlarmActions, Properties.OKActions, Properties.InsufficientDataActions].flatMap((list) => asArray<any>(list));
    if (actions.some((action) => targetOf(template, action) === topic)) publishers.add('cloudwatch.amazonaws.com');
  }
  for (const [, { Properties = {} }] of ofType(template, 'AWS::Events::Rule')) {
    if (asArray<any>(Properties.Targets).some((target) => targetOf(template, target.Arn) === topic)) publishers.add('events.amazonaws.com');
  }
  return publishers;
}
