import { Resolver } from '../intrinsics';
import { managedPoliciesOfRole } from '../statements';
import { asArray, ofType } from '../template';
import type { Remark, Rule } from '../types';
import { CONFIG_RULES, ENDPOINT_SERVICES, FARGATE_SIZES, lastPart, MANAGED_POLICIES, WAF_GROUPS } from './known-names';
import { dimensionFault, mathFaults, metricFault, publishedBy, statisticFault } from './metrics';

/** Names and sizes that AWS knows, which CloudFormation takes as any text: each has to be on a list. */
export const knownNames: Rule = (template, { named }) => {
  const resolver = new Resolver(template, { imports: named.imports });
  const remarks: Remark[] = [];
  const complain = (logicalId: string, message: string | undefined) => message && remarks.push({ logicalId, message });

  for (const [id, { Properties = {} }] of ofType(template, 'AWS::EC2::VPCEndpoint')) {
    const name = String(resolver.resolve(Properties.ServiceName));
    const isAws = /^(cn\.)?(com\.amazonaws|aws)\./.test(name) && !name.includes('.vpce.');
    complain(id, isAws && !ENDPOINT_SERVICES.has(lastPart(name)) ? `There is no endpoint service ${name}.` : undefined);
  }
  for (const [id] of ofType(template, 'AWS::IAM::Role')) {
    for (const policy of managedPoliciesOfRole(resolver, id)) {
      complain(id, MANAGED_POLICIES.has(policy) ? undefined : `The AWS managed policy ${policy} is not on the list in known-names.ts: correct its name, or add it.`);
    }
  }
  for (const [id, { Properties = {} }] of ofType(template, 'AWS::Config::ConfigRule')) {
    const source = Properties.Source ?? {};
    complain(id, source.Owner === 'AWS' && !CONFIG_RULES.has(source.SourceIdentifier) ? `AWS Config has no managed rule ${source.SourceIdentifier}.` : undefined);
  }
  for (const [id, { Properties = {} }] of ofType(template, /^AWS::WAFv2::(WebACL|RuleGroup)$/)) {
    const groups = asArray<any>(resolver.resolve(Properties.Rules)).map(({ Statement }) => Statement?.ManagedRuleGroupStatement).filter(Boolean);
    groups.forEach(({ VendorName, Name }) => complain(id, VendorName === 'AWS' && !WAF_GROUPS.has(Name) ? `WAF has no managed rule group ${Name}.` : undefined));
  }
  for (const [id, { Properties = {} }] of ofType(template, 'AWS::ECS::TaskDefinition')) {
    complain(id, fargateFault(resolver.resolve(Properties)));
  }
  const published = publishedBy(template);
  for (const [id, { Properties = {} }] of ofType(template, 'AWS::CloudWatch::Alarm')) {
    alarmFaults(resolver.resolve(Properties), published).forEach((fault) => complain(id, fault));
  }
  return remarks;
};

function fargateFault(task: any): string | undefined {
  if (!asArray(task.RequiresCompatibilities).includes('FARGATE')) {
    return undefined;
  }
  const sizes = FARGATE_SIZES[task.Cpu];
  if (!sizes) {
    return `Fargate offers no task with ${task.Cpu} CPU units.`;
  }
  return sizes.includes(Number(task.Memory)) ? undefined : `Fargate offers no task with ${task.Cpu} CPU units and ${task.Memory} MiB.`;
}

function alarmFaults(alarm: any, published: Set<string>): string[] {
  const queries = asArray<any>(alarm.Metrics);
  const stats = queries.map((query) => query.MetricStat).filter(Boolean);
  return [
    metricFault(alarm.Namespace, alarm.MetricName, published),
    alarm.MetricName && dimensionFault(alarm.Namespace, asArray<any>(alarm.Dimensions).map(({ Name }) => Name)),
    statisticFault(alarm.Statistic),
    statisticFault(alarm.ExtendedStatistic),
    ...stats.flatMap((stat) => [
      metricFault(stat.Metric?.Namespace, stat.Metric?.MetricName, published),
      dimensionFault(stat.Metric?.Namespace, asArray<any>(stat.Metric?.Dimensions).map(({ Name }) => Name)),
      statisticFault(stat.Stat),
    ]),
    ...mathFaults(queries.map(({ Id, Expression }) => ({ id: Id, expression: Expression }))),
    ...queries.filter(({ Expression, MetricStat }) => (Expression === undefined) === (MetricStat === undefined)).map(({ Id }) => `${Id} has to be either a metric or an expression.`),
    queries.length > 0 && queries.filter((query) => query.ReturnData !== false).length !== 1 ? 'Exactly one of its metrics has to return data.' : undefined,
    Number(alarm.DatapointsToAlarm ?? 0) > Number(alarm.EvaluationPeriods) ? `It wants ${alarm.DatapointsToAlarm} datapoints out of ${alarm.EvaluationPeriods} periods: it never fires.` : undefined,
  ].filter((fault): fault is string => fault !== undefined);
}
