import { Stack, StackProps, aws_ec2 as ec2, aws_ecs as ecs, aws_secretsmanager as secretsmanager } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { PrefectApi, PrefectFargateWorker, WorkPool } from 'cdk-prefect-fargate-worker';

/** A worker in a VPC and a cluster that are there already. */
export class ExistingVpc extends Stack {
  constructor(scope: Construct, id: string, props: StackProps) {
    super(scope, id, props);

    const vpc = ec2.Vpc.fromLookup(this, 'Vpc', { tags: { Name: 'data-platform' } });

    new PrefectFargateWorker(this, 'Worker', {
      api: PrefectApi.cloud({
        accountId: '11111111-2222-3333-4444-555555555555',
        workspaceId: '66666666-7777-8888-9999-000000000000',
        apiKey: ecs.Secret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(this, 'ApiKey', 'prefect-api-key')),
      }),
      workPool: WorkPool.managed('etl'),
      vpc,
      vpcSubnets: { subnetGroupName: 'Private' },
      cluster: ecs.Cluster.fromClusterAttributes(this, 'Cluster', { clusterName: 'shared', vpc }),
      network: { vpcEndpoints: true }, // only where the VPC has none of its own
    });
  }
}
