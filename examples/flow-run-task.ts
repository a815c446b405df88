import { Stack, StackProps, aws_ec2 as ec2, aws_ecs as ecs, aws_efs as efs, aws_secretsmanager as secretsmanager } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { PrefectApi, PrefectFargateWorker, WorkPool } from 'cdk-prefect-fargate-worker';

/** Flow runs with a secret, a shared file system, a sidecar and a larger disk. */
export class FlowRunTask extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);

    const database = new secretsmanager.Secret(this, 'Database');
    const worker = new PrefectFargateWorker(this, 'Worker', {
      api: PrefectApi.cloud({
        accountId: '11111111-2222-3333-4444-555555555555',
        workspaceId: '66666666-7777-8888-9999-000000000000',
        apiKey: ecs.Secret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(this, 'ApiKey', 'prefect-api-key')),
      }),
      workPool: WorkPool.managed('etl', {
        flowRunDefaults: {
          cpu: 1024,
          memoryLimitMiB: 4096,
          ephemeralStorageGiB: 100,
          secrets: { DB_PASSWORD: ecs.Secret.fromSecretsManager(database, 'password') },
        },
      }),
    });

    // A file system that all flow runs share, with the permissions of the flow runs' role.
    const files = new efs.FileSystem(this, 'Files', { vpc: worker.vpc, encrypted: true });
    const flows = files.addAccessPoint('Flows', { path: '/flows', createAcl: { ownerUid: '1000', ownerGid: '1000', permissions: '750' }, posixUser: { uid: '1000', gid: '1000' } });
    files.grantReadWrite(worker);
    files.connections.allowDefaultPortFrom(worker);
    // Flow runs reach HTTPS and the Prefect API by default; NFS has to be allowed on their side as well.
    worker.connections.allowTo(files, ec2.Port.tcp(2049), 'The shared file system');
    worker.flowRunTaskDefinition.addVolume({
      name: 'files',
      efsVolumeConfiguration: {
        fileSystemId: files.fileSystemId,
        transitEncryption: 'ENABLED',
        authorizationConfig: { accessPointId: flows.accessPointId, iam: 'ENABLED' },
      },
    });
    worker.flowRunContainer.addMountPoints({ sourceVolume: 'files', containerPath: '/mnt/files', readOnly: false });

    // A sidecar of each flow run's task. It is not essential, so its end is not the flow run's.
    worker.flowRunTaskDefinition.addContainer('agent', {
      image: ecs.ContainerImage.fromRegistry('public.ecr.aws/datadog/agent:7.70.0'),
      essential: false,
      memoryReservationMiB: 256,
      environment: { ECS_FARGATE: 'true' },
      logging: ecs.LogDrivers.awsLogs({ logGroup: worker.logGroup, streamPrefix: 'agent' }),
    });
  }
}
