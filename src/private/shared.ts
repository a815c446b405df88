import { Stack } from 'aws-cdk-lib';
import { Construct, IConstruct } from 'constructs';
import { acknowledgeFindings } from './acknowledge';

/** Child of each stack with workers. */
const ID = 'PrefectWorkersShared';

/**
 * What the workers of a stack share stands in the stack, and not in the worker that asked for it first: without that worker, the
 * others' part stays as it is. Asked for an id again, it gives what is there.
 */
export function shared<T extends IConstruct>(worker: IConstruct, id: string, create: (scope: Construct, id: string) => T): T {
  const scope = sharedOf(worker);
  return scope.node.tryFindChild(id) as T | undefined ?? create(scope, id);
}

/** Whether something is what the workers of a stack share, and not the user's own. */
export function isShared(construct: IConstruct): boolean {
  return construct.node.scope?.node.id === ID;
}

/** All of that, in a stack with workers. */
export function sharedOf(worker: IConstruct): Construct {
  const stack = Stack.of(worker);
  const there = stack.node.tryFindChild(ID) as Construct | undefined;
  if (there) return there;
  const scope = new Construct(stack, ID);
  acknowledgeFindings(scope);
  return scope;
}
