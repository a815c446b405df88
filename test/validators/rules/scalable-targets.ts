import { Resolver } from '../intrinsics';
import { metricUses } from '../metric-uses';
import { nearerTwin } from '../neighbours';
import { asArray, ofType, targetOf } from '../template';
import type { Remark, Rule } from '../types';

const TARGET = 'AWS::ApplicationAutoScaling::ScalableTarget';
const POLICY = 'AWS::ApplicationAutoScaling::ScalingPolicy';

/** Metrics by which workers are added, and taken away. */
const WANTS_MORE = /^(MissingWorkers|LateRuns|OldestLateSeconds|DueRuns|Demand|RequiredWorkers)$/;
const WANTS_LESS = /^SurplusWorkers$/;

/** What scales is the service that the target names, each policy belongs to a target, and each step goes the way of its metric. */
export const scalableTargets: Rule = (template, { named }) => {
  const resolver = new Resolver(template, { imports: named.imports });
  const services = new Map(
    ofType(template, 'AWS::ECS::Service').map(([id, { Properties = {} }]) => [
      `service/${String(resolver.resolve(Properties.Cluster)).split('/').pop()}/${resolver.resolve({ 'Fn::GetAtt': [id, 'Name'] })}`,
      id,
    ]),
  );
  const owners = new Map<string, string>();
  const targets = ofType(template, TARGET).flatMap(([logicalId, { Properties = {} }]): Remark[] => {
    const { ResourceId, ServiceNamespace, ScalableDimension, ScheduledActions, MaxCapacity } = resolver.resolve(Properties);
    const service = services.get(ResourceId);
    const faults: string[] = [];
    if (!service) faults.push(`It scales ${ResourceId}, which is no service in its cluster: ${[...services.keys()].join(', ')}.`);
    if (service && owners.has(service)) faults.push(`${owners.get(service)} scales ${service} already.`);
    const twin = service && nearerTwin(template, logicalId, service);
    if (twin) faults.push(`It scales ${service}, where ${twin} is its own.`);
    if (ServiceNamespace !== 'ecs' || ScalableDimension !== 'ecs:service:DesiredCount') {
      faults.push('Of a service, ecs:service:DesiredCount is what scales.');
    }
    for (const { ScheduledActionName: name, ScalableTargetAction: action = {} } of asArray<any>(ScheduledActions)) {
      if (action.MinCapacity === undefined && action.MaxCapacity === undefined) faults.push(`The schedule ${name} changes nothing.`);
      if (Number(action.MinCapacity) > Number(action.MaxCapacity ?? MaxCapacity)) {
        faults.push(`The schedule ${name} wants at least ${action.MinCapacity} and at most ${action.MaxCapacity ?? MaxCapacity}.`);
      }
      if (Number(action.MaxCapacity ?? MaxCapacity) !== Number(MaxCapacity)) {
        faults.push(`The schedule ${name} leaves a largest number of ${action.MaxCapacity} behind, where ${MaxCapacity} is said.`);
      }
    }
    if (service) owners.set(service, logicalId);
    return faults.map((message) => ({ logicalId, message }));
  });
  const policies = ofType(template, POLICY).flatMap(([logicalId, { Properties = {} }]): Remark[] => {
    const target = targetOf(template, Properties.ScalingTargetId);
    if (!target || template.Resources[target].Type !== TARGET) return [{ logicalId, message: 'It is the policy of no scalable target.' }];
    const twin = nearerTwin(template, logicalId, target);
    return twin ? [{ logicalId, message: `It scales ${target}, where ${twin} is its own.` }] : [];
  });
  return [...targets, ...policies, ...steps(resolver)];
};

function steps(resolver: Resolver): Remark[] {
  const { template } = resolver;
  const uses = metricUses(resolver);
  return ofType(template, POLICY).flatMap(([logicalId, { Properties = {} }]) => {
    const policy = resolver.resolve(Properties).StepScalingPolicyConfiguration;
    if (!policy) return [];
    const alarms = ofType(template, 'AWS::CloudWatch::Alarm').filter(([, alarm]) =>
      asArray<any>(alarm.Properties?.AlarmActions).some((action) => targetOf(template, action) === logicalId),
    );
    if (alarms.length === 0) return [{ logicalId, message: 'No alarm sets it off.' }];
    const adjustments = asArray<any>(policy.StepAdjustments).map(({ ScalingAdjustment }) => Number(ScalingAdjustment));
    return alarms
      .flatMap(([alarm, { Properties: properties = {} }]) => [
        ...uses
          .filter((use) => use.logicalId === alarm)
          .flatMap(({ name, statistic }) => [
            ...(WANTS_MORE.test(name) && !adjustments.every((step) => step > 0)
              ? [`${name} is met by taking tasks away or by none: ${adjustments}.`]
              : []),
            ...(WANTS_LESS.test(name) && !adjustments.every((step) => step < 0)
              ? [`${name} is met by adding tasks or by none: ${adjustments}.`]
              : []),
            ...(statistic !== policy.MetricAggregationType
              ? [`It takes the ${policy.MetricAggregationType} of ${name}, its alarm ${alarm} the ${statistic}.`]
              : []),
          ]),
        ...(policy.AdjustmentType === 'ChangeInCapacity' ? [] : [`Its steps are written for ChangeInCapacity, not ${policy.AdjustmentType}.`]),
        ...reach(asArray<any>(policy.StepAdjustments), properties.ComparisonOperator),
      ])
      .map((message) => ({ logicalId, message }));
  });
}

/** Steps begin where the alarm goes off, go on without an end, and grow on the way. */
function reach(adjustments: any[], comparison: string): string[] {
  const upper = /^Greater/.test(comparison);
  const [near, far] = upper ? ['MetricIntervalLowerBound', 'MetricIntervalUpperBound'] : ['MetricIntervalUpperBound', 'MetricIntervalLowerBound'];
  const sorted = [...adjustments].sort((a, b) => Math.abs(a[near] ?? 0) - Math.abs(b[near] ?? 0));
  const sizes = sorted.map(({ ScalingAdjustment }) => Math.abs(Number(ScalingAdjustment)));
  return [
    ...(Number(sorted[0]?.[near] ?? NaN) === 0 ? [] : ['Its steps do not begin at the threshold of its alarm.']),
    ...(sorted[sorted.length - 1]?.[far] === undefined ? [] : ['Beyond its last step it does nothing.']),
    ...(sizes.every((size, index) => index === 0 || size >= sizes[index - 1]) ? [] : [`A step further away moves less: ${sizes}.`]),
  ];
}
