import { IntegTest } from '@aws-cdk/integ-tests-alpha';
import { App, Stack } from 'aws-cdk-lib';
import { expectSteady } from './assertions';
import { integApi } from './support';
import { PrefectFargateWorker, WorkerType, WorkPool } from '../../src';

/** Two workers of a stack that share one VPC, one cluster and one set of endpoints. */
const app = new App();
const stack = new Stack(app, 'IntegTwoWorkers');
const api = integApi(stack);
const scaling = { minWorkers: 1 };
const processes = new PrefectFargateWorker(stack, 'Processes', {
  api, workPool: WorkPool.managed('integ-quick'), workerType: WorkerType.PROCESS, network: { natGateways: 1 }, scaling,
});
const tasks = new PrefectFargateWorker(stack, 'Tasks', {
  api, workPool: WorkPool.managed('integ-heavy'), vpc: processes.vpc, cluster: processes.cluster, scaling,
});

const test = new IntegTest(app, 'TwoWorkers', { testCases: [stack], regions: ['us-east-1'] });
expectSteady(test, processes, 1);
expectSteady(test, tasks, 1);
