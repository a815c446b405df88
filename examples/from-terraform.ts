import { Stack, StackProps, aws_ec2 as ec2, aws_ecs as ecs, aws_secretsmanager as secretsmanager, aws_ssm as ssm } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { PrefectApi, PrefectFargateWorker, WorkerType, WorkPool } from 'cdk-prefect-fargate-worker';

/** Terraform keeps the VPC and writes its ids to SSM; the worker moves here. */
export class FromTerraform extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);

    const parameter = (name: string) => ssm.StringParameter.valueForStringParameter(this, `/data-platform/${name}`);

    new PrefectFargateWorker(this, 'Worker', {
      api: PrefectApi.cloud({
        accountId: '11111111-2222-3333-4444-555555555555', // prefect_account_id
        workspaceId: '66666666-7777-8888-9999-000000000000', // prefect_workspace_id
        apiKey: ecs.Secret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(this, 'ApiKey', 'prefect-api-key')), // prefect_api_key
      }),
      workPool: WorkPool.managed('my-pool'), // worker_work_pool_name
      workerType: WorkerType.PROCESS, // worker_type = "process"
      cpu: 1024, // worker_cpu
      memoryLimitMiB: 2048, // worker_memory
      vpc: ec2.Vpc.fromVpcAttributes(this, 'Vpc', {
        vpcId: parameter('vpc-id'), // vpc_id
        availabilityZones: ['eu-central-1a', 'eu-central-1b'],
        privateSubnetIds: [parameter('private-subnet-a'), parameter('private-subnet-b')], // worker_subnets
      }),
    });
  }
}
