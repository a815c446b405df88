import { Stack, StackProps, aws_ec2 as ec2, aws_ecs as ecs, aws_secretsmanager as secretsmanager } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { PrefectApi, PrefectFargateWorker, WorkPool } from 'cdk-prefect-fargate-worker';

export interface PrivateLinkProps extends StackProps {
  /** A VPC with an endpoint for Prefect Cloud's API that Prefect has accepted, and with private DNS. */
  readonly vpc: ec2.IVpc;
  /** Id of that endpoint's security group. */
  readonly endpointSecurityGroupId: string;
}

/** Prefect Cloud over AWS PrivateLink: nothing that calls it leaves the VPC. */
export class PrivateLink extends Stack {
  constructor(scope: Construct, id: string, props: PrivateLinkProps) {
    super(scope, id, props);

    const worker = new PrefectFargateWorker(this, 'Worker', {
      api: PrefectApi.cloud({
        accountId: '11111111-2222-3333-4444-555555555555',
        workspaceId: '66666666-7777-8888-9999-000000000000',
        apiKey: ecs.Secret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(this, 'ApiKey', 'prefect-api-key')),
        apiUrl: 'https://api.private.prefect.cloud/api',
      }),
      workPool: WorkPool.managed('etl'),
      vpc: props.vpc,
    });
    // By its id, so that the rule belongs to this stack: the other direction would be a cycle between the two.
    const endpoint = ec2.SecurityGroup.fromSecurityGroupId(this, 'Endpoint', props.endpointSecurityGroupId);
    endpoint.connections.allowFrom(worker.apiClients, ec2.Port.HTTPS);
  }
}
