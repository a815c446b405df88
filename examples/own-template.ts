import { Duration, Stack, StackProps, aws_ecs as ecs, aws_secretsmanager as secretsmanager } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { BaseJobTemplate, PrefectApi, PrefectFargateWorker, WorkPool } from 'cdk-prefect-fargate-worker';

/** A job variable of the team's own, offered with its choices in the Prefect UI, beside defaults and a limit of time for all flow runs. */
export class OwnTemplate extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);

    new PrefectFargateWorker(this, 'Worker', {
      api: PrefectApi.cloud({
        accountId: '11111111-2222-3333-4444-555555555555',
        workspaceId: '66666666-7777-8888-9999-000000000000',
        apiKey: ecs.Secret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(this, 'ApiKey', 'prefect-api-key')),
      }),
      workPool: WorkPool.managed('etl', {
        flowRunDefaults: { cpu: 1024, maxRunTime: Duration.hours(6), jobVariables: { stream_output: true } },
        baseJobTemplate: BaseJobTemplate.fromObject({
          variables: { properties: { data_region: { title: 'Data region', type: 'string', enum: ['eu', 'us'], default: 'eu' } } },
          job_configuration: {
            task_definition: { containerDefinitions: [{ name: '{{ container_name }}', image: '{{ image }}', dockerLabels: { 'data-region': '{{ data_region }}' } }] },
          },
        }),
      }),
    });
  }
}
