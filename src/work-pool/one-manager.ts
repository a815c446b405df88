import { Stack } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';
import { PrefectApi } from '../prefect-api';
import { ValidationError } from '../private/validation';
import { WorkPool } from '../work-pool';

/** On a stack: which worker of it manages which pool. Two loaded copies of this library know it by the same symbol. */
const MANAGERS = Symbol.for('cdk-prefect-fargate-worker.managers');

/** Throws when another worker of the stack manages this work pool: each deployment, one would undo what the other does. */
export function requireOneManager(worker: IConstruct, api: PrefectApi, workPool: WorkPool): void {
  const stack: Stack & { [MANAGERS]?: Map<string, IConstruct> } = Stack.of(worker);
  if (!stack[MANAGERS]) Object.defineProperty(stack, MANAGERS, { value: new Map() });
  const managers = stack[MANAGERS]!;
  const pool = `${api.url} ${workPool.name}`;
  const other = managers.get(pool);
  if (other && isPresent(other)) {
    throw new ValidationError(`workPool has the name ${JSON.stringify(workPool.name)}, and ${other.node.path} manages that pool already: `
      + 'give WorkPool.existing() with that name to one of the two, or manage two pools.');
  }
  managers.set(pool, worker);
}

/** Not where it has been taken out of the tree again. */
function isPresent(construct: IConstruct): boolean {
  return construct.node.scopes.every(one => !one.node.scope || one.node.scope.node.tryFindChild(one.node.id) === one);
}
