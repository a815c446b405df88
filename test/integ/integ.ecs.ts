import { ExpectedResult, IntegTest, Match } from '@aws-cdk/integ-tests-alpha';
import { App, Stack } from 'aws-cdk-lib';
import { expectSteady } from './assertions';
import { integApi } from './support';
import { PrefectFargateWorker, WorkPool } from '../../src';

/** The smallest app: an ECS worker with everything made for it. */
const app = new App();
const stack = new Stack(app, 'IntegEcs');
const worker = new PrefectFargateWorker(stack, 'Worker', { api: integApi(stack), workPool: WorkPool.managed('integ-ecs') });

const test = new IntegTest(app, 'EcsWorker', { testCases: [stack], regions: ['us-east-1'] });
expectSteady(test, worker, 2);
test.assertions.awsApiCall('ec2', 'DescribeNatGateways', { Filter: [{ Name: 'vpc-id', Values: [worker.vpc.vpcId] }] })
  .expect(ExpectedResult.objectLike({ NatGateways: [Match.objectLike({ State: 'available' }), Match.objectLike({ State: 'available' })] }));
