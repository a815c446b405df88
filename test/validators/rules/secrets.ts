import { documentsOf, eachValue } from '../documents';
import { Resolver } from '../intrinsics';
import { covers, names, policiesOfRole, statementsOf, type Statement } from '../statements';
import { asArray, eachString, ofType, props, targetOf } from '../template';
import type { Remark, Rule, Template } from '../types';

/** Starts of values that are keys: of Prefect, of AWS, private keys; and references that CloudFormation would spell out. */
const LOOKS_LIKE_A_KEY = /\b(pnu|pnb)_[A-Za-z0-9]{6,}|\b(AKIA|ASIA)[A-Z0-9]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY/;
const CREDENTIAL_NAME = /^(PREFECT_API_KEY|PREFECT_API_AUTH_STRING|PREFECT_AUTH_STRING|PREFECT_SERVER_API_AUTH_STRING|PREFECT_CLIENT_CUSTOM_HEADERS)$|(PASSWORD|SECRET_KEY|_TOKEN)$/;

/** Containers get their secrets from Secrets Manager, with a role that may read exactly these; no key stands in the template. */
export const secrets: Rule = (template, { named }) => {
  const resolver = new Resolver(template, { imports: named.imports });
  return [
    ...ofType(template, 'AWS::ECS::TaskDefinition').flatMap(([id]) => [...readable(template, resolver, id), ...inClear(template, id)]),
    ...ofType(template, 'AWS::Lambda::Function').flatMap(([id, { Properties = {} }]) => clearVariables(id, Properties.Environment?.Variables ?? {})),
    ...keysInTheTemplate(template),
    ...dynamicReferences(template),
    ...inSettings(resolver),
  ];
};

/** CloudFormation spells a dynamic reference out wherever it stands, for everybody who may read the resource. */
function dynamicReferences(template: Template): Remark[] {
  const remarks: Remark[] = [];
  for (const [logicalId, { Properties, Metadata }] of Object.entries(template.Resources)) {
    eachString({ Properties, Metadata }, (text, path) => {
      if (/\{\{resolve:(secretsmanager|ssm-secure):/.test(text)) {
        remarks.push({ logicalId, message: `Its ${path.slice(0, 3).join('.')} holds a secret in clear, by a dynamic reference.` });
      }
    });
  }
  return remarks;
}

/** Settings and headers name where a credential is, and never hold it. */
function inSettings(resolver: Resolver): Remark[] {
  return documentsOf(resolver).documents.flatMap(({ logicalId, path, value }) => {
    const remarks: Remark[] = [];
    const credential = (name: string, text: unknown) => {
      const secret = CREDENTIAL_NAME.test(name) || /^(authorization|proxy-authorization|x-api-key|api-key|cookie)$/i.test(name);
      if (secret && typeof text === 'string' && text !== '' && !/^arn:|^\{\{ |^\/[\w/.-]+$/.test(text)) {
        remarks.push({ logicalId, message: `${name} stands in clear in its ${path}.` });
      }
    };
    eachValue(value, (name, text) => {
      credential(name, text);
      if (text !== null && typeof text === 'object') credential(text.name ?? text.Name ?? '', text.value ?? text.Value);
    });
    return remarks;
  });
}

function readable(template: Template, resolver: Resolver, taskId: string): Remark[] {
  const task = props(template, taskId);
  const used = asArray<any>(task.ContainerDefinitions).flatMap((container) => asArray<any>(container.Secrets));
  if (used.length === 0) {
    return [];
  }
  if (task.ExecutionRoleArn === undefined) {
    return [{ logicalId: taskId, message: 'Its containers have secrets, but it has no execution role that could read them.' }];
  }
  const role = targetOf(template, task.ExecutionRoleArn);
  if (!role) {
    return [];
  }
  const statements = policiesOfRole(template, role).flatMap(({ document }) => statementsOf(resolver, document)).filter(({ effect }) => effect === 'Allow');
  return used.flatMap(({ Name, ValueFrom }): Remark[] => {
    const from = String(resolver.resolve(ValueFrom));
    const isParameter = /:ssm:.*:parameter\//.test(from) || !from.startsWith('arn:');
    // A field of a secret is named after its ARN: <arn>:<field>:<stage>:<version>.
    const arn = isParameter ? from : from.split(':').slice(0, 7).join(':');
    const action = isParameter ? 'ssm:GetParameters' : 'secretsmanager:GetSecretValue';
    const allowing = statements.filter((statement) => names(statement, action));
    if (!from.startsWith('arn:') || !allowing.some(({ resources }) => resources.some((resource) => coversSecret(resource, arn)))) {
      return from.startsWith('arn:') ? [{ logicalId: taskId, message: `ECS can't start it: its execution role ${role} may not ${action} on ${arn}, which ${Name} comes from.` }] : [];
    }
    return [...tooWide(role, allowing), ...decrypts(template, resolver, role, statements, ValueFrom)];
  });
}

/** A policy may name a secret with `-??????` in place of the random end of its ARN. */
function coversSecret(resource: string, arn: string): boolean {
  return covers(resource, arn) || covers(resource, `${arn}-abcdef`);
}

function tooWide(role: string, statements: Statement[]): Remark[] {
  const wide = statements.flatMap(({ resources }) => resources).filter((resource) => /[*?]/.test(resource.replace(/-(\?{6}|\*)$/, '')));
  return wide.map((resource) => ({ logicalId: role, message: `It may read secrets that its task doesn't use: ${resource}.` }));
}

/** A secret that is encrypted with a key of the template needs the right to decrypt with it. */
function decrypts(template: Template, resolver: Resolver, role: string, statements: Statement[], valueFrom: any): Remark[] {
  const secret = targetOf(template, valueFrom);
  const key = secret && props(template, secret).KmsKeyId !== undefined ? targetOf(template, props(template, secret).KmsKeyId) : undefined;
  const allowed = !key || statements.some((statement) => names(statement, 'kms:Decrypt') && statement.resources.some((resource) => covers(resource, resolver.arn(key))));
  return allowed ? [] : [{ logicalId: role, message: `It may read the secret ${secret}, but not decrypt with its key ${key}.` }];
}

function inClear(template: Template, taskId: string): Remark[] {
  return asArray<any>(props(template, taskId).ContainerDefinitions).flatMap((container) =>
    clearVariables(taskId, Object.fromEntries(asArray<any>(container.Environment).map(({ Name, Value }) => [Name, Value]))));
}

function clearVariables(logicalId: string, variables: Record<string, any>): Remark[] {
  const refersToSecret = (value: any) => JSON.stringify(value ?? '').includes('{{resolve:');
  return Object.entries(variables).filter(([name, value]) => CREDENTIAL_NAME.test(name) || refersToSecret(value)).map(([name]) =>
    ({ logicalId, message: `The environment variable ${name} holds a credential in clear; give it as a secret.` }));
}

function keysInTheTemplate(template: Template): Remark[] {
  const remarks: Remark[] = [];
  for (const [logicalId, { Properties }] of Object.entries(template.Resources)) {
    eachString(Properties, (text, path) => {
      if (LOOKS_LIKE_A_KEY.test(text) || /\bhttps?:\/\/[^/@\s:"]+:[^/@\s"]+@/.test(text) || /\b(Bearer|Basic) [A-Za-z0-9+/=_-]{12,}/.test(text)) {
        remarks.push({ logicalId, message: `Its property ${path.join('.')} holds what looks like a key.` });
      }
    });
  }
  return remarks;
}
