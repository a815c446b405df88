import { Stack, StackProps, aws_ec2 as ec2 } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { PrefectApi, PrefectFargateWorker, PrefectServer, WorkPool } from 'cdk-prefect-fargate-worker';

/** A small Prefect server of your own, and a worker that finds it by its private name. */
export class OwnServer extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);

    const vpc = new ec2.Vpc(this, 'Vpc', { maxAzs: 2, natGateways: 1 });
    const server = new PrefectServer(this, 'Server', { vpc });
    new PrefectFargateWorker(this, 'Worker', {
      api: PrefectApi.fromServer(server),
      workPool: WorkPool.managed('etl'),
      cluster: server.cluster,
    });
  }
}
