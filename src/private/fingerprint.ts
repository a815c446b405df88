import { createHash } from 'node:crypto';
import { IResolvable, Reference, Stack, Tokenization } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';

/**
 * A short name for values, for the ids of what is shared by those who agree in them. What is known only at deployment counts by what it
 * refers to, so that neither the order nor the number of workers makes another name of it.
 */
export function fingerprint(scope: IConstruct, values: unknown): string {
  return createHash('sha256').update(JSON.stringify(described(scope, values))).digest('hex').slice(0, 8).toUpperCase();
}

function described(scope: IConstruct, value: unknown): unknown {
  if (typeof value === 'string') {
    const fragments = Tokenization.reverseString(value).mapTokens({ mapToken: token => describe(scope, token) });
    return fragments.join({ join: (left, right) => `${left}${right}` });
  }
  if (Array.isArray(value)) return Tokenization.reverseList(value) ? Stack.of(scope).resolve(value) : value.map(inner => described(scope, inner));
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value).map(([key, inner]) => [key, described(scope, inner)]);
}

/** A logical id would be that of several stacks. */
function describe(scope: IConstruct, token: IResolvable): string {
  if (!Reference.isReference(token)) return JSON.stringify(Stack.of(scope).resolve(token));
  const { target, displayName } = token;
  const stack = target.node.scopes.find(Stack.isStack);
  const path = stack === Stack.of(scope) ? target.node.path.slice(stack.node.path.length) : target.node.path;
  return `<${path}.${displayName}>`;
}
