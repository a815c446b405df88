import { Stack, StackProps, aws_ecs as ecs, aws_iam as iam, aws_secretsmanager as secretsmanager } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { PrefectApi, PrefectFargateWorker, WorkPool } from 'cdk-prefect-fargate-worker';

/** A stack whose roles are created by others, those of functions and custom resources too: it has neither roles nor policies. */
export class PrecreatedRoles extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);

    // Before anything else. Paths are as the report has them, without the stack's name.
    iam.Role.customizeRoles(this, {
      usePrecreatedRoles: {
        'Worker/Identity/WorkerRole': 'prefect-worker',
        'Worker/Identity/ExecutionRole': 'prefect-execution',
        'Worker/Identity/FlowRunRole': 'prefect-flow-run',
        'Worker/Identity/FlowRunExecutionRole': 'prefect-flow-run-execution',
        'Worker/Network/FlowLogRole': 'prefect-flow-logs',
        'PrefectWorkersShared/WorkPoolProvider/Role': 'prefect-work-pool-relay',
        'PrefectWorkersShared/WorkPoolProvider/Provider/framework-onEvent/ServiceRole': 'prefect-work-pool-provider',
        'PrefectWorkersShared/Functions242F3074/WorkPool/Role': 'prefect-work-pool',
        'PrefectWorkersShared/Functions242F3074/WorkPool/ScheduleRole': 'prefect-drift-check',
        'PrefectWorkersShared/Functions242F3074/Demand/Role': 'prefect-demand',
        'PrefectWorkersShared/Functions242F3074/Rescue/Role': 'prefect-reconciler',
        'PrefectImages/Role': 'prefect-images',
        'PrefectImages/Provider/framework-onEvent/ServiceRole': 'prefect-images-provider',
        'Custom::VpcRestrictDefaultSGCustomResourceProvider/Role': 'cdk-default-security-group',
      },
    });

    new PrefectFargateWorker(this, 'Worker', {
      api: PrefectApi.cloud({
        accountId: '11111111-2222-3333-4444-555555555555',
        workspaceId: '66666666-7777-8888-9999-000000000000',
        apiKey: ecs.Secret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(this, 'ApiKey', 'prefect-api-key')),
      }),
      workPool: WorkPool.managed('etl'),
    });
  }
}
