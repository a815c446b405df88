import { Stack } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';
import { PrefectApi } from '../prefect-api';
import { ValidationError } from '../private/validation';
import { WorkPool } from '../work-pool';

/** On a worker that manages a pool: which. Two loaded copies of this library know it by the same symbol. */
const MANAGES = Symbol.for('cdk-prefect-fargate-worker.manages');

/** Throws when another worker of the stack manages this work pool: each deployment, one would undo what the other does. */
export function requireOneManager(worker: IConstruct, api: PrefectApi, workPool: WorkPool): void {
  const stack = Stack.of(worker);
  const pool = `${api.url} ${workPool.name}`;
  const other = stack.node.findAll().find(construct => (construct as { [MANAGES]?: string })[MANAGES] === pool && Stack.of(construct) === stack);
  if (other) {
    throw new ValidationError(`workPool has the name ${JSON.stringify(workPool.name)}, and ${other.node.path} manages that pool already: `
      + 'give WorkPool.existing() with that name to one of the two, or manage two pools.');
  }
  Object.defineProperty(worker, MANAGES, { value: pool });
}
