import { Annotations, Stack, StackProps, aws_ecs as ecs, aws_iam as iam, aws_secretsmanager as secretsmanager } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { PrefectApi, PrefectFargateWorker, WorkPool } from 'cdk-prefect-fargate-worker';

/** A worker with roles that others keep, and deployments with roles of their own. */
export class OwnRoles extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);

    // Nothing is added to roles that are imported so. A warning at synthesis lists what they need.
    const kept = (name: string) => iam.Role.fromRoleArn(this, name, `arn:aws:iam::123456789012:role/data/${name}`, { mutable: false });
    const apiKey = secretsmanager.Secret.fromSecretCompleteArn(this, 'ApiKey', 'arn:aws:secretsmanager:us-east-1:123456789012:secret:prefect-api-key-a1b2c3');

    const worker = new PrefectFargateWorker(this, 'Worker', {
      api: PrefectApi.cloud({
        accountId: '11111111-2222-3333-4444-555555555555',
        workspaceId: '66666666-7777-8888-9999-000000000000',
        apiKey: ecs.Secret.fromSecretsManager(apiKey),
      }),
      workPool: WorkPool.managed('etl'),
      workerRole: kept('prefect-worker'),
      executionRole: kept('prefect-execution'),
      flowRunRole: kept('prefect-flow-run'),
      flowRunExecutionRole: kept('prefect-flow-run-execution'),
    });

    // A deployment may name this one, with the job variable `task_role_arn`.
    worker.allowFlowRunRole(kept('payroll'));

    // Once the roles have what the warning lists.
    Annotations.of(worker).acknowledgeWarning('cdk-prefect-fargate-worker:roleLacksPermissions', 'They have it.');
  }
}
