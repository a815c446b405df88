import { ExpectedResult, IntegTest, Match } from '@aws-cdk/integ-tests-alpha';
import { Duration } from 'aws-cdk-lib';
import { PrefectFargateWorker } from '../../src';

/** Waits until the service has as many tasks running as it wants, with its last deployment completed. */
export function expectSteady(test: IntegTest, worker: PrefectFargateWorker, count: number): void {
  test.assertions.awsApiCall('ecs', 'DescribeServices', {
    cluster: worker.cluster.clusterArn,
    services: [worker.service.serviceName],
  }).expect(ExpectedResult.objectLike({
    services: [Match.objectLike({ desiredCount: count, runningCount: count, deployments: [Match.objectLike({ rolloutState: 'COMPLETED' })] })],
  })).waitForAssertions({ totalTimeout: Duration.minutes(5), interval: Duration.seconds(10) });
}
