import { ExpectedResult, IntegTest, Match } from '@aws-cdk/integ-tests-alpha';
import { PrefectFargateWorker } from '../../src';

/** The service has as many tasks running as it wants, and its deployment is completed: CloudFormation has waited for that. */
export function expectSteady(test: IntegTest, worker: PrefectFargateWorker, count: number): void {
  test.assertions.awsApiCall('ecs', 'DescribeServices', {
    cluster: worker.cluster.clusterArn,
    services: [worker.service.serviceName],
  }).expect(ExpectedResult.objectLike({
    services: [Match.objectLike({ desiredCount: count, runningCount: count, deployments: [Match.objectLike({ rolloutState: 'COMPLETED' })] })],
  }));
}
