import { Stack, StackProps, aws_ec2 as ec2, aws_ecs as ecs, aws_secretsmanager as secretsmanager } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { PrefectApi, PrefectFargateWorker, WorkPool } from 'cdk-prefect-fargate-worker';

export interface BehindAProxyProps extends StackProps {
  /** A VPC whose one route to the internet is the proxy. */
  readonly vpc: ec2.IVpc;
  /** Such as `http://proxy.example.com:3128`. */
  readonly proxyUrl: string;
}

/** Prefect Cloud is reached over the company's proxy; AWS over endpoints of the VPC, past it. */
export class BehindAProxy extends Stack {
  constructor(scope: Construct, id: string, props: BehindAProxyProps) {
    super(scope, id, props);

    const proxy = { HTTP_PROXY: props.proxyUrl, HTTPS_PROXY: props.proxyUrl, NO_PROXY: '.amazonaws.com' };

    new PrefectFargateWorker(this, 'Worker', {
      api: PrefectApi.cloud({
        accountId: '11111111-2222-3333-4444-555555555555',
        workspaceId: '66666666-7777-8888-9999-000000000000',
        apiKey: ecs.Secret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(this, 'ApiKey', 'prefect-api-key')),
        proxyUrl: props.proxyUrl, // for the functions
      }),
      environment: proxy,
      workPool: WorkPool.managed('etl', { flowRunDefaults: { environment: proxy } }),
      copyImages: true,
      vpc: props.vpc,
      network: { vpcEndpoints: true },
    });
  }
}
