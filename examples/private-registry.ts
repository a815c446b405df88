import { Stack, StackProps, aws_ec2 as ec2, aws_ecr as ecr, aws_ecs as ecs, aws_secretsmanager as secretsmanager } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { PrefectApi, PrefectFargateWorker, WorkPool } from 'cdk-prefect-fargate-worker';

export interface PrivateRegistryProps extends StackProps {
  /** A VPC without a route to the internet that reaches the server, by peering or a transit gateway. */
  readonly vpc: ec2.IVpc;
}

/** Nothing reaches the internet: images come from Amazon ECR, the server is inside the network. */
export class PrivateRegistry extends Stack {
  constructor(scope: Construct, id: string, props: PrivateRegistryProps) {
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
      vpc: props.vpc,
      network: { vpcEndpoints: true }, // unless the VPC has them
    });
  }
}
