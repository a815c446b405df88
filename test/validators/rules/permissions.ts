import { Resolver } from '../intrinsics';
import { statementsOf } from '../statements';
import { asArray, ofType, targetOf } from '../template';
import type { Remark, Rule, Template } from '../types';

/** Who calls may call, and a resource's policy is about that resource. */
export const permissions: Rule = (template, { named }) => {
  const resolver = new Resolver(template, { imports: named.imports });
  return [...callers(template), ...resourcePolicies(template, resolver), ...retries(template)];
};

function targetsOf(template: Template, type: string): { rule: string; target: string }[] {
  return ofType(template, 'AWS::Events::Rule').flatMap(([rule, { Properties = {} }]) =>
    asArray<any>(Properties.Targets)
      .map(({ Arn }) => ({ rule, target: targetOf(template, Arn) }))
      .filter((call): call is { rule: string; target: string } => call.target !== undefined && template.Resources[call.target].Type === type),
  );
}

/** A rule calls a function only with a permission for that rule; one for another call lets somebody in. */
function callers(template: Template): Remark[] {
  const calls = targetsOf(template, 'AWS::Lambda::Function');
  const given = ofType(template, 'AWS::Lambda::Permission').map(([id, { Properties = {} }]) => ({
    id,
    lambda: targetOf(template, Properties.FunctionName),
    source: Properties.SourceArn === undefined ? undefined : targetOf(template, Properties.SourceArn),
    may: Properties.Action === 'lambda:InvokeFunction' && Properties.Principal === 'events.amazonaws.com',
  }));
  return [
    ...calls
      .filter(({ rule, target }) => !given.some(({ lambda, source, may }) => may && lambda === target && source === rule))
      .map(({ rule, target }) => ({ logicalId: rule, message: `It may not call ${target}: there is no permission for it, so the calls are lost.` })),
    ...given
      .filter(({ lambda, source }) => !calls.some(({ rule, target }) => target === lambda && rule === source))
      .map(({ id, lambda, source }) => ({
        logicalId: id,
        message: `It lets ${source ?? 'anybody of the service'} call ${lambda}, which nothing does.`,
      })),
  ];
}

const HOLDERS: Record<string, [list: string, type: string]> = {
  'AWS::SQS::QueuePolicy': ['Queues', 'AWS::SQS::Queue'],
  'AWS::SNS::TopicPolicy': ['Topics', 'AWS::SNS::Topic'],
  'AWS::S3::BucketPolicy': ['Bucket', 'AWS::S3::Bucket'],
};

function resourcePolicies(template: Template, resolver: Resolver): Remark[] {
  return Object.entries(HOLDERS).flatMap(([type, [list, of]]) =>
    ofType(template, type).flatMap(([logicalId, { Properties = {} }]) =>
      asArray<any>(Properties[list]).flatMap((value): Remark[] => {
        const resource = targetOf(template, value);
        if (!resource || template.Resources[resource].Type !== of) {
          return [{ logicalId, message: `It is the policy of ${resource ?? 'nothing'}, which is no ${of}.` }];
        }
        const arn = resolver.arn(resource);
        const statements = statementsOf(resolver, Properties.PolicyDocument);
        const wide = statements.filter(({ effect, principals }) => effect === 'Allow' && principals.Service).flatMap(({ actions }) => actions);
        const every = wide
          .filter((action) => action.includes('*'))
          .map((action) => ({ logicalId, message: `It lets a service do ${action} with ${resource}.` }));
        if (every.length > 0) return every;
        return statements
          .flatMap(({ resources }) => resources)
          .filter((named) => named !== arn && !(named.startsWith(`${arn}/`) && named.endsWith('/*')))
          .map((named) => ({ logicalId, message: `It is the policy of ${resource}, but speaks of ${named}.` }));
      }),
    ),
  );
}

/** A function that a schedule calls anew each minute has no use for calls that failed: they would pile up behind it. */
function retries(template: Template): Remark[] {
  const configured = ofType(template, 'AWS::Lambda::EventInvokeConfig').map(([id, { Properties = {} }]) => ({
    id,
    lambda: targetOf(template, Properties.FunctionName),
    attempts: Properties.MaximumRetryAttempts,
  }));
  const scheduled = targetsOf(template, 'AWS::Lambda::Function').filter(
    ({ rule }) => template.Resources[rule].Properties?.ScheduleExpression !== undefined,
  );
  const repeated = ofType(template, 'AWS::Events::Rule')
    .filter(([, { Properties = {} }]) => Properties.ScheduleExpression !== undefined)
    .filter(([, { Properties = {} }]) => asArray<any>(Properties.Targets).some(({ RetryPolicy }) => RetryPolicy?.MaximumRetryAttempts !== 0));
  return [
    ...repeated.map(([logicalId]) => ({ logicalId, message: 'It repeats a call beside its next one.' })),
    ...scheduled
      .filter(({ target }) => !configured.some(({ lambda, attempts }) => lambda === target && attempts === 0))
      .map(({ target }) => ({ logicalId: target, message: 'A call that failed is repeated beside the next one of its schedule.' })),
    ...configured
      .filter(({ lambda }) => !scheduled.some(({ target }) => target === lambda))
      .map(({ id, lambda }) => ({ logicalId: id, message: `It is about ${lambda}, which no schedule calls.` })),
  ];
}
