import { Stack, StackProps, aws_ecr as ecr, aws_ecs as ecs, aws_secretsmanager as secretsmanager } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { PrefectApi, PrefectFargateWorker, WorkPool } from 'cdk-prefect-fargate-worker';

/** Nothing reaches the internet: images come from Amazon ECR, the server is inside the network. */
export class PrivateRegistry extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);

    const images = ecr.Repository.fromRepositoryName(this, 'Images', 'prefect');

    new PrefectFargateWorker(this, 'Worker', {
      api: PrefectApi.selfHosted({
        url: 'https://prefect.internal.example.com/api',
        privateNetwork: true,
        authString: ecs.Secret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(this, 'AuthString', 'prefect-auth')),
      }),
      image: ecs.ContainerImage.fromEcrRepository(images, 'worker-0.7.12-prefect3.9.1'),
      workPool: WorkPool.managed('etl', {
        flowRunDefaults: { image: ecs.ContainerImage.fromEcrRepository(images, 'flows-1.0.0') },
      }),
      network: { natGateways: 0, cidr: '10.40.0.0/16' },
    });
  }
}
