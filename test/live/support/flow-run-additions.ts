import { aws_ecs as ecs, aws_efs as efs, aws_secretsmanager as secretsmanager, Stack, Tags } from 'aws-cdk-lib';
import { PrefectFargateWorker } from '../../../src';

/** As long as it is not stopped. */
const UNTIL_STOPPED = 'import signal; signal.sigwait([signal.SIGTERM])';

/** What users add to the task definition of flow runs, as to any other: what of it a process can show, the flow `look_around` says. */
export function addToFlowRuns(worker: PrefectFargateWorker, databaseArn: string): void {
  const stack = Stack.of(worker);
  const { flowRunTaskDefinition: definition, flowRunContainer: flowRun } = worker;
  const database = secretsmanager.Secret.fromSecretCompleteArn(stack, 'Database', databaseArn);
  const image = ecs.ContainerImage.fromRegistry('public.ecr.aws/docker/library/python:3.12-slim');

  const files = new efs.FileSystem(stack, 'Files', { vpc: worker.vpc });
  const accessPoint = files.addAccessPoint('Flows', { path: '/flows', posixUser: { uid: '1000', gid: '1000' } });
  files.grantReadWrite(worker);
  definition.addVolume({
    name: 'files',
    efsVolumeConfiguration: { fileSystemId: files.fileSystemId, transitEncryption: 'ENABLED', authorizationConfig: { accessPointId: accessPoint.accessPointId, iam: 'ENABLED' } },
  });
  flowRun.addMountPoints({ sourceVolume: 'files', containerPath: '/mnt/shared-files', readOnly: false });
  flowRun.addEnvironment('DATA_DIRECTORY', '/mnt/shared-files');
  flowRun.addSecret('DB_PASSWORD', ecs.Secret.fromSecretsManager(database, 'password'));
  flowRun.addUlimits({ name: ecs.UlimitName.NOFILE, softLimit: 65536, hardLimit: 65536 });

  const agent = definition.addContainer('agent', {
    image,
    essential: false,
    memoryReservationMiB: 64,
    command: ['python', '-c', `open('/mnt/shared-files/agent', 'w').write('was here'); ${UNTIL_STOPPED}`],
    logging: ecs.LogDrivers.firelens({ options: { Name: 'stdout' } }),
  });
  agent.addMountPoints({ sourceVolume: 'files', containerPath: '/mnt/shared-files', readOnly: false });
  flowRun.addContainerDependencies({ container: agent, condition: ecs.ContainerDependencyCondition.START });
  definition.addFirelensLogRouter('log-router', {
    image,
    memoryReservationMiB: 64,
    command: ['python', '-c', UNTIL_STOPPED],
    firelensConfig: { type: ecs.FirelensLogRouterType.FLUENTBIT },
    logging: ecs.LogDrivers.awsLogs({ logGroup: worker.logGroup, streamPrefix: 'log-router' }),
  });
  Tags.of(stack).add('CostCenter', '4711');
}
