import { Resolver } from '../intrinsics';
import { metricUses, type MetricUse } from '../metric-uses';
import { asArray, ofType, references } from '../template';
import type { Remark, Rule, Template } from '../types';

/** Things that happen, of which a sum tells; of the rest, which is there at a time, it tells nothing. */
const COUNTED =
  /^(Cost|WorkerCost|CrashedRuns|PublisherErrors|RescueErrors|LoggedErrors|Errors|Throttles|Invocations|FailedInvocations|ErrorPortAllocation|PacketsDropCount|Bytes\w+|Incoming\w+|Number\w+|\w+_Count|RestartCount|RequestCount|(Blocked|Counted)Requests)$/;
/** Metrics of which little is bad. */
const WANTED = /^(OnlineWorkers|RunningTaskCount|HealthyHostCount|Invocations|MatchedEvents)$/;
const PERCENT = /Utilization$/;

/** An alarm goes off for what is bad, can go off and can be over, and tells the same people both. */
export const alarmSenses: Rule = (template, { named }) => {
  const resolver = new Resolver(template, { imports: named.imports });
  const uses = metricUses(resolver);
  return [
    ...ofType(template, 'AWS::CloudWatch::Alarm').flatMap(([logicalId, { Properties = {} }]) => {
      const own = uses.filter((use) => use.logicalId === logicalId);
      return [...sense(resolver.resolve(Properties), own), ...told(Properties), ...doubled(own)].map((message): Remark => ({ logicalId, message }));
    }),
    ...ofType(template, 'AWS::CloudWatch::CompositeAlarm').flatMap(([logicalId, { Properties = {} }]) =>
      [...told(Properties), ...parts(resolver, Properties)].map((message) => ({ logicalId, message })),
    ),
    ...uses.flatMap(({ logicalId, name, statistic }) => statisticFault(name, statistic).map((message) => ({ logicalId, message }))),
    ...watched(template, resolver, uses),
  ];
};

function sense(alarm: any, uses: MetricUse[]): string[] {
  const expressions = asArray<any>(alarm.Metrics).some(({ Expression }) => Expression !== undefined);
  const above = /^Greater/.test(alarm.ComparisonOperator ?? '');
  const threshold = Number(alarm.Threshold);
  const name = uses.length === 1 && !expressions ? uses[0].name : undefined;
  const wanted = name !== undefined && WANTED.test(name);
  return [
    ...(alarm.Metrics === undefined && alarm.MetricName === undefined ? ['It follows no metric.'] : []),
    ...(above === wanted
      ? [`It goes off ${above ? 'above' : 'below'} its threshold, where ${name ?? 'its expression'} is ${above ? 'good' : 'fine'}.`]
      : []),
    ...(above && (threshold < 0 || (threshold === 0 && alarm.ComparisonOperator === 'GreaterThanOrEqualToThreshold'))
      ? [`Nothing is below its threshold of ${threshold}: it is always on.`]
      : []),
    ...(name !== undefined && PERCENT.test(name) && threshold > 100 ? [`${name} is a percentage: it never reaches ${threshold}.`] : []),
    ...(alarm.TreatMissingData === 'breaching' ? ['It goes off where there is no data, as before the first task and after the last.'] : []),
    ...(alarm.ActionsEnabled === false ? ['Its actions are off.'] : []),
    ...(Number(alarm.EvaluationPeriods) >= 1 && Number(alarm.DatapointsToAlarm ?? 1) >= 1 ? [] : ['It looks at no datapoint.']),
    ...(uses.some(({ period }) => ![10, 20, 30].includes(Number(period)) && !(Number(period) > 0 && Number(period) % 60 === 0))
      ? [`CloudWatch has no period of ${uses.map(({ period }) => period)} seconds.`]
      : []),
    // https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html: at most a day, a week from an hour on.
    ...(uses.some(({ period }) => Number(period) * Number(alarm.EvaluationPeriods) > (Number(period) < 3600 ? 86_400 : 604_800))
      ? ['It looks back for more than a day, or a week by the hour.']
      : []),
  ];
}

/** Who hears that something is wrong hears that it is over. */
function told({ AlarmActions, OKActions }: any): string[] {
  const topics = (list: any) =>
    asArray<any>(list)
      .flatMap((action) => [...references(action)])
      .sort()
      .join();
  return OKActions !== undefined && topics(OKActions) !== topics(AlarmActions)
    ? [`${topics(AlarmActions)} hears of it, and ${topics(OKActions)} that it is over.`]
    : [];
}

function doubled(uses: MetricUse[]): string[] {
  const texts = uses.map((use) => JSON.stringify(use));
  return texts.filter((text, index) => texts.indexOf(text) !== index).map((text) => `It follows one metric twice: ${text}.`);
}

/** What a composite alarm says it is made of is what its rule asks. */
function parts(resolver: Resolver, { AlarmRule, AlarmDescription }: any): string[] {
  const [, list] = /^One of these is in ALARM: ([\w, ]+)\./.exec(String(AlarmDescription)) ?? [];
  if (!list) return [];
  const asked = [...references(AlarmRule)].map((id) =>
    String(resolver.template.Resources[id]?.Properties?.AlarmDescription ?? '')
      .split('#')
      .pop(),
  );
  const said = list.split(', ').map((name) => name.toLowerCase());
  const rule = String(resolver.resolve(AlarmRule));
  return [
    ...said.filter((name) => !asked.includes(name)).map((name) => `It says that it goes off for ${name}, which its rule doesn't ask.`),
    ...asked.filter((name) => !said.includes(name!)).map((name) => `It goes off for ${name}, and doesn't say so.`),
    ...(/^ALARM\("[^"]+"\)( OR ALARM\("[^"]+"\))*$/.test(rule.replace(/^\((.*)\)$/, '$1')) && rule.split(' OR ').length === asked.length
      ? []
      : [`It goes off for something else than one of its alarms: ${rule}`]),
  ];
}

function statisticFault(name: string, statistic: string | undefined): string[] {
  if (statistic === undefined) return [];
  if (COUNTED.test(name)) return /^(Average|Minimum|p\d)/.test(statistic) ? [`${name} counts what happened: its ${statistic} tells nothing.`] : [];
  return /^(Sum|SampleCount)$/.test(statistic) && !/^(CpuReserved|MemoryReserved|CpuUtilized|MemoryUtilized)$/.test(name)
    ? [`${name} is how much there is at a time: its ${statistic} grows with the number of samples.`]
    : [];
}

/** Of each queue somebody hears when nobody reads it, or when something falls into it. */
function watched(template: Template, resolver: Resolver, uses: MetricUse[]): Remark[] {
  const alarms = uses.filter(({ logicalId }) => template.Resources[logicalId].Type === 'AWS::CloudWatch::Alarm');
  return ofType(template, 'AWS::SQS::Queue').flatMap(([logicalId, { Properties = {} }]) => {
    const metric = Properties.RedrivePolicy ? 'ApproximateAgeOfOldestMessage' : 'ApproximateNumberOfMessagesVisible';
    const name = resolver.resolve({ 'Fn::GetAtt': [logicalId, 'QueueName'] });
    return alarms.some((use) => use.name === metric && use.dimensions.QueueName === name)
      ? []
      : [{ logicalId, message: `No alarm follows its ${metric}.` }];
  });
}
