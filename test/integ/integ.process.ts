import { IntegTest } from '@aws-cdk/integ-tests-alpha';
import { App, Stack } from 'aws-cdk-lib';
import { expectSteady } from './assertions';
import { integApi } from './support';
import { PrefectFargateWorker, WorkerType, WorkPool } from '../../src';

/** A PROCESS worker with queues and limits of its own, on one NAT gateway. */
const app = new App();
const stack = new Stack(app, 'IntegProcess');
const worker = new PrefectFargateWorker(stack, 'Worker', {
  api: integApi(stack),
  workPool: WorkPool.managed('integ processes', { concurrencyLimit: 20, workQueues: [{ name: 'urgent', priority: 1 }] }),
  workerType: WorkerType.PROCESS,
  workQueues: ['urgent', 'default'],
  flowRunLimit: 4,
  network: { natGateways: 1 },
  scaling: { minWorkers: 1 },
});

const test = new IntegTest(app, 'ProcessWorker', { testCases: [stack], regions: ['us-east-1'] });
expectSteady(test, worker, 1);
