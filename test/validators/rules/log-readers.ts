import { documentsOf } from '../documents';
import { Resolver } from '../intrinsics';
import { nearerTwin } from '../neighbours';
import { asArray, ofType, targetOf } from '../template';
import type { Remark, Rule } from '../types';

/** What reads the log lines of tasks, or of the function that prices them, reads the groups that these write to: elsewhere it finds nothing, without an error. */
export const logReaders: Rule = (template, { named }) => {
  const resolver = new Resolver(template, { imports: named.imports });
  const written = new Set(
    ofType(template, 'AWS::ECS::TaskDefinition')
      .flatMap(([, { Properties = {} }]) => asArray<any>(resolver.resolve(Properties.ContainerDefinitions)))
      .map(({ LogConfiguration }) => LogConfiguration?.Options?.['awslogs-group'])
      .filter(Boolean),
  );
  // Where the function logs that is told of the ends of tasks.
  const pricing = ofType(template, 'AWS::Events::Rule')
    .filter(([, { Properties = {} }]) => asArray<any>(Properties.Targets)[0]?.InputTransformer?.InputPathsMap?.task)
    .map(([, { Properties = {} }]) => template.Resources[targetOf(template, Properties.Targets[0].Arn)!].Properties!.LoggingConfig.LogGroup)
    .map((group) => resolver.resolve(group));
  const fault = (logicalId: string, group: unknown, raw: unknown, query?: unknown): Remark[] => {
    if (/ispresent\(Cost\)/.test(String(query))) return pricing.includes(group as string) ? [] : [{ logicalId, message: `It asks ${group} for prices, which nobody writes there.` }];
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
      asArray<any>(Properties.LogGroupNames).flatMap((group) => fault(id, resolver.resolve(group), group, Properties.QueryString)),
    ),
    ...ofType(template, 'AWS::Logs::QueryDefinition')
      .filter(([, { Properties = {} }]) => asArray(Properties.LogGroupNames).length === 0)
      .map(([logicalId]) => ({ logicalId, message: 'It asks no log group.' })),
    ...archives(resolver),
    ...documentsOf(resolver).documents.flatMap(({ logicalId, value }) =>
      asArray<any>(value.widgets)
        .filter(({ type }) => type === 'log')
        .flatMap(({ properties }) =>
          [...String(properties?.query).matchAll(/SOURCE '([^']*)'/g)].flatMap(([, group]) => fault(logicalId, group, undefined, properties?.query)),
        ),
    ),
  ];
};

/** Where Firehose writes what went wrong, and how it names objects: https://docs.aws.amazon.com/firehose/latest/dev/s3-prefixes.html */
function archives(resolver: Resolver): Remark[] {
  const { template } = resolver;
  return ofType(template, 'AWS::KinesisFirehose::DeliveryStream').flatMap(([logicalId, { Properties = {} }]) => {
    const { CloudWatchLoggingOptions: logging = {}, Prefix, ErrorOutputPrefix } = Properties.ExtendedS3DestinationConfiguration ?? {};
    const stream = targetOf(template, logging.LogStreamName);
    const group = stream && targetOf(template, template.Resources[stream].Properties?.LogGroupName);
    return [
      ...(logging.Enabled === true && group && group === targetOf(template, logging.LogGroupName)
        ? []
        : ['What goes wrong with it stands nowhere: its log stream is not of its log group.']),
      ...(/!\{/.test(Prefix ?? '') && !/!\{firehose:error-output-type\}/.test(ErrorOutputPrefix ?? '')
        ? ['A prefix with expressions wants an error output prefix with !{firehose:error-output-type}.']
        : []),
    ].map((message) => ({ logicalId, message }));
  });
}

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
