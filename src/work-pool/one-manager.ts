import { Stack } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';
import { PrefectApi } from '../prefect-api';
import { WorkPool } from '../work-pool';

const managers = new WeakMap<Stack, Map<string, IConstruct>>();

/** Throws when another worker of the stack manages this work pool: each deployment, one would undo what the other does. */
export function requireOneManager(worker: IConstruct, api: PrefectApi, workPool: WorkPool): void {
  const stack = Stack.of(worker);
  const ofStack = managers.get(stack) ?? new Map<string, IConstruct>();
  managers.set(stack, ofStack);

  const pool = `${api.url} ${workPool.name}`;
  const other = ofStack.get(pool);
  if (other) {
    throw new Error(`workPool is managed by two workers, ${other.node.path} and ${worker.node.path}, with the name ${JSON.stringify(workPool.name)}: `
      + 'let one of them manage it, and give the other WorkPool.existing() with that name, or manage two pools.');
  }
  ofStack.set(pool, worker);
}
