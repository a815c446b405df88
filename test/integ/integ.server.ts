import { ExpectedResult, IntegTest, Match } from '@aws-cdk/integ-tests-alpha';
import { App, aws_ec2 as ec2, aws_ecs as ecs, Stack } from 'aws-cdk-lib';
import { integDatabase, SERVER_IMAGE } from './support';
import { PrefectServer } from '../../src';

/** A small server on a database of the account. */
const app = new App();
const stack = new Stack(app, 'IntegServer');
const server = new PrefectServer(stack, 'Server', {
  vpc: new ec2.Vpc(stack, 'Vpc', { maxAzs: 2, natGateways: 1, restrictDefaultSecurityGroup: false }),
  image: ecs.ContainerImage.fromRegistry(SERVER_IMAGE),
  database: integDatabase(stack),
});

const test = new IntegTest(app, 'Server', { testCases: [stack], regions: ['us-east-1'] });
const tasks = test.assertions.awsApiCall('ecs', 'ListTasks', { cluster: server.cluster.clusterArn, serviceName: server.apiService.serviceName });
// Its health check asks the API, which has come up after the migration.
test.assertions.awsApiCall('ecs', 'DescribeTasks', { cluster: server.cluster.clusterArn, tasks: [tasks.getAttString('taskArns.0')] })
  .expect(ExpectedResult.objectLike({ tasks: [Match.objectLike({ healthStatus: 'HEALTHY' })] }));
