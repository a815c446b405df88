import { Stack, StackProps, aws_ec2 as ec2, aws_ecs as ecs, aws_secretsmanager as secretsmanager } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { PrefectApi, PrefectFargateWorker, WorkPool } from 'cdk-prefect-fargate-worker';

export interface SelfHostedProps extends StackProps {
  /** The VPC in which the server is, or one that reaches it. */
  readonly vpc: ec2.IVpc;
}

/** A worker of a Prefect server of your own, over plain http inside the VPC. */
export class SelfHosted extends Stack {
  constructor(scope: Construct, id: string, props: SelfHostedProps) {
    super(scope, id, props);

    new PrefectFargateWorker(this, 'Worker', {
      vpc: props.vpc,
      api: PrefectApi.selfHosted({
        url: 'http://prefect.internal:4200/api',
        privateNetwork: true,
        // The server's PREFECT_SERVER_API_AUTH_STRING, "user:password".
        authString: ecs.Secret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(this, 'AuthString', 'prefect-auth')),
      }),
      workPool: WorkPool.managed('etl'),
    });
  }
}
