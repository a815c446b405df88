import { documentsOf } from '../documents';
import { Resolver } from '../intrinsics';
import { nearerTwin } from '../neighbours';
import { asArray, ofType, targetOf } from '../template';
import type { Remark, Rule } from '../types';

/** What reads the log lines of tasks reads the groups that tasks write to: elsewhere it finds nothing, without an error. */
export const logReaders: Rule = (template, { named }) => {
  const resolver = new Resolver(template, { imports: named.imports });
  const written = new Set(
    ofType(template, 'AWS::ECS::TaskDefinition')
      .flatMap(([, { Properties = {} }]) => asArray<any>(resolver.resolve(Properties.ContainerDefinitions)))
      .map(({ LogConfiguration }) => LogConfiguration?.Options?.['awslogs-group'])
      .filter(Boolean),
  );
  const fault = (logicalId: string, group: unknown, raw: unknown): Remark[] => {
    if (!written.has(group)) return [{ logicalId, message: `It reads ${group}, which no task writes to.` }];
    const id = targetOf(template, raw);
    const twin = id && nearerTwin(template, logicalId, id);
    return twin ? [{ logicalId, message: `It reads ${id}, where ${twin} is its own.` }] : [];
  };
  return [
    ...ofType(template, 'AWS::Logs::MetricFilter')
      .filter(([, { Properties = {} }]) => /levelname/.test(Properties.FilterPattern))
      .flatMap(([id, { Properties = {} }]) => [
        ...fault(id, resolver.resolve(Properties.LogGroupName), Properties.LogGroupName),
        ...filterFaults(resolver.resolve(Properties)).map((message) => ({ logicalId: id, message })),
      ]),
    ...ofType(template, 'AWS::Logs::SubscriptionFilter').flatMap(([id, { Properties = {} }]) =>
      fault(id, resolver.resolve(Properties.LogGroupName), Properties.LogGroupName),
    ),
    ...ofType(template, 'AWS::Logs::QueryDefinition').flatMap(([id, { Properties = {} }]) =>
      asArray<any>(Properties.LogGroupNames).flatMap((group) => fault(id, resolver.resolve(group), group)),
    ),
    ...documentsOf(resolver).documents.flatMap(({ logicalId, value }) =>
      asArray<any>(value.widgets)
        .filter(({ type }) => type === 'log')
        .flatMap(({ properties }) =>
          [...String(properties?.query).matchAll(/SOURCE '([^']*)'/g)].flatMap(([, group]) => fault(logicalId, group, undefined)),
        ),
    ),
  ];
};

/** A line that matches counts one, and that there is none is a 0 and not a gap. */
function filterFaults({ FilterPattern, MetricTransformations }: any): string[] {
  return [
    ...['ERROR', 'CRITICAL']
      .filter((level) => !String(FilterPattern).includes(`"${level}"`))
      .map((level) => `It doesn't count lines of the level ${level}.`),
    ...asArray<any>(MetricTransformations)
      .filter(({ MetricValue }) => String(MetricValue) !== '1')
      .map(({ MetricValue }) => `A line counts ${MetricValue}.`),
    ...asArray<any>(MetricTransformations)
      .filter(({ DefaultValue }) => DefaultValue !== undefined && Number(DefaultValue) !== 0)
      .map(({ DefaultValue }) => `No line at all counts ${DefaultValue}.`),
  ];
}
