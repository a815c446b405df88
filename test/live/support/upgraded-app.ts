import { App, Stack } from 'aws-cdk-lib';
import { PrefectApi, PrefectFargateWorker, WorkerType, WorkPool } from '../../../src';

/**
 * The CDK app of the test of upgrades. earlier-assembly.tar.gz is what `cdk synth` made of the same app, written for the
 * library as it was before flow runs had a task definition, with a URL to replace.
 */
const app = new App();
const stack = new Stack(app, 'Upgraded');
const api = PrefectApi.selfHosted({ url: process.env.API_URL! });
const tasks = new PrefectFargateWorker(stack, 'Tasks', { api, workPool: WorkPool.managed('tasks') });
new PrefectFargateWorker(stack, 'Processes', { api, workPool: WorkPool.managed('processes'), workerType: WorkerType.PROCESS, vpc: tasks.vpc, cluster: tasks.cluster });
