import { IntegTest } from '@aws-cdk/integ-tests-alpha';
import { App, aws_ec2 as ec2, aws_ecs as ecs, Stack } from 'aws-cdk-lib';
import { expectSteady } from './assertions';
import { integApi } from './support';
import { PrefectFargateWorker, WorkPool } from '../../src';

/** A worker in a VPC, cluster and security group that are there already. */
const app = new App();
const network = new Stack(app, 'IntegNetwork');
const vpc = new ec2.Vpc(network, 'Vpc', { maxAzs: 2, natGateways: 1 });
const cluster = new ecs.Cluster(network, 'Cluster', { vpc });
const group = new ec2.SecurityGroup(network, 'Group', { vpc });

const stack = new Stack(app, 'IntegExistingNetwork');
const worker = new PrefectFargateWorker(stack, 'Worker', {
  api: integApi(stack),
  workPool: WorkPool.managed('integ-existing-network'),
  vpc,
  cluster,
  securityGroups: [group],
  scaling: { minWorkers: 1 },
});

const test = new IntegTest(app, 'ExistingNetwork', { testCases: [stack], regions: ['us-east-1'] });
expectSteady(test, worker, 1);
