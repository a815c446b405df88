import { Resolver } from '../intrinsics';
import { covers, demanded, names, statementsOf } from '../statements';
import { asArray, ofType, props, references, targetOf } from '../template';
import type { Remark, Rule, Template } from '../types';

/** Prefect's observer keeps a message for this long while it works on it. */
const OBSERVER_SECONDS = 300;
/** Defaults of SQS. */
const VISIBILITY = 30;
const RETENTION = 345_600;

/** A queue keeps what its consumer is at work on, puts aside what nobody can read, and takes messages only from its source. */
export const queues: Rule = (template, { named }) => {
  const resolver = new Resolver(template, { imports: named.imports });
  const deadLetterQueues = new Set(ofType(template, 'AWS::SQS::Queue').map(([, { Properties = {} }]) => targetOf(template, Properties.RedrivePolicy)));
  const lastResort = asideOf(template);
  return ofType(template, 'AWS::SQS::Queue').flatMap(([id, { Properties = {} }]): Remark[] => {
    const dead = targetOf(template, Properties.RedrivePolicy);
    const visibility = Number(resolver.resolve(Properties.VisibilityTimeout) ?? VISIBILITY);
    const retention = Number(resolver.resolve(Properties.MessageRetentionPeriod) ?? RETENTION);
    const needs = consumers(template, resolver, id);
    const faults = needs.filter(({ seconds }) => visibility < seconds).map(({ who, seconds }) => `A message appears again after ${visibility} seconds while ${who} is at work on it for up to ${seconds}.`);
    if (!dead && !deadLetterQueues.has(id) && !lastResort.has(id)) {
      faults.push('A message that nobody can read comes back until it expires: it has no dead-letter queue.');
    }
    const attempts = Number(resolver.resolve(Properties.RedrivePolicy)?.maxReceiveCount);
    if (dead && !(attempts >= 2 && attempts <= 1000)) {
      faults.push(`A message is put aside after ${attempts} attempts: one that a stopped worker had is lost with the first, and a broken one stays with many.`);
    }
    if (dead && Number(props(template, dead).MessageRetentionPeriod ?? RETENTION) <= retention) {
      faults.push(`A message's age counts from its first queue: the dead-letter queue ${dead} has to keep messages for longer than ${retention} seconds.`);
    }
    if (Properties.KmsMasterKeyId === undefined && Properties.SqsManagedSseEnabled !== true) {
      faults.push('It is not encrypted with a key or explicitly by SQS.');
    }
    return [...faults, ...policyFaults(template, resolver, id)].map((message) => ({ logicalId: id, message }));
  });
};

/** Queues that are dead-letter queues of something else than a queue: rules, functions, topics. */
function asideOf(template: Template): Set<string> {
  const ids = new Set<string>();
  for (const { Properties } of Object.values(template.Resources)) {
    const visit = (value: any): void => {
      if (value !== null && typeof value === 'object') {
        for (const [key, inner] of Object.entries(value)) {
          if (/^DeadLetterConfig$|^DestinationConfig$/.test(key)) {
            references(inner).forEach((id) => ids.add(id));
          }
          visit(inner);
        }
      }
    };
    visit(Properties);
  }
  return ids;
}

function consumers(template: Template, resolver: Resolver, queue: string): { who: string; seconds: number }[] {
  const found: { who: string; seconds: number }[] = [];
  for (const [, { Properties = {} }] of ofType(template, 'AWS::Lambda::EventSourceMapping')) {
    const handler = targetOf(template, Properties.FunctionName);
    if (handler && targetOf(template, Properties.EventSourceArn) === queue) {
      // https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html: six times the function's timeout.
      found.push({ who: handler, seconds: 6 * Number(resolver.resolve(props(template, handler).Timeout) ?? 3) });
    }
  }
  for (const [task, { Properties = {} }] of ofType(template, 'AWS::ECS::TaskDefinition')) {
    for (const { Name, Value } of asArray<any>(Properties.ContainerDefinitions).flatMap((container) => asArray<any>(container.Environment))) {
      if (/OBSERVER_SQS_QUEUE_NAME$/.test(Name) && targetOf(template, Value) === queue) {
        found.push({ who: `the observer in ${task}`, seconds: OBSERVER_SECONDS });
      }
    }
  }
  return found;
}

function policyFaults(template: Template, resolver: Resolver, queue: string): string[] {
  const statements = ofType(template, 'AWS::SQS::QueuePolicy')
    .filter(([, { Properties = {} }]) => asArray<any>(Properties.Queues).some((item) => targetOf(template, item) === queue))
    .flatMap(([, { Properties = {} }]) => statementsOf(resolver, Properties.PolicyDocument));
  const faults: string[] = [];
  const refusesPlain = statements.some((statement) => statement.effect === 'Deny' && demanded(statement, 'aws:SecureTransport').includes('false'));
  if (!refusesPlain) {
    faults.push('It takes requests without TLS: its policy has no Deny on aws:SecureTransport.');
  }
  const open = statements.filter(({ effect, principals }) => effect === 'Allow' && [...principals.AWS ?? [], ...principals.Service ?? []].length > 0);
  for (const statement of open) {
    const guarded = demanded(statement, 'aws:SourceArn').length > 0 || demanded(statement, 'aws:SourceAccount').length > 0;
    if (!guarded) {
      faults.push(`Its policy lets ${[...statement.principals.AWS ?? [], ...statement.principals.Service ?? []].join(', ')} in for any source: add a condition on aws:SourceArn.`);
    }
  }
  for (const [rule, { Properties = {} }] of ofType(template, 'AWS::Events::Rule')) {
    const feeds = asArray<any>(Properties.Targets).some((target) => targetOf(template, target.Arn) === queue);
    const admitted = statements.some((statement) => statement.effect === 'Allow' && names(statement, 'sqs:SendMessage') && (statement.principals.Service ?? []).includes('events.amazonaws.com')
      && demanded(statement, 'aws:SourceArn').some((pattern) => covers(pattern, resolver.arn(rule))));
    if (feeds && !admitted) {
      faults.push(`The rule ${rule} sends to it, but its policy doesn't let events.amazonaws.com send with that rule as aws:SourceArn: the events are lost.`);
    }
  }
  return faults;
}
