import { aws_ecs as ecs, aws_kms as kms, aws_logs as logs, Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { Identity } from '../identity/identity';
import { DefaultImages } from '../images/default-images';
import { InterruptedRuns } from '../interrupted-runs';
import { PrefectApi } from '../prefect-api';
import { sortedByName } from '../private/order';
import { ResultStorage } from '../results/result-storage';
import { Tracing } from '../tracing';
import { WorkerType } from '../worker-type';
import { addCaCertificate } from './ca-certificate';
import { addCollector, COLLECTOR_IMAGE, grantTracing, tracingEnvironment } from './collector';
import { HEALTH_CHECK, workerCommand } from './command';
import { apiEnvironment, HEARTBEAT_ENVIRONMENT, LOGGING, RETRIES, THROTTLING, unlessSecret } from './environment';
import { officialImage, PREFECT_AWS_IMAGE } from './images';
import { withDirectHosts } from './proxy';
import { WorkerSize } from './size';
import { validateTaskDefinition } from './validate-task-definition';
import { addTmpVolume, TMP, tmpfs } from './writable-tmp';

export interface TaskProps {
  readonly api: PrefectApi;
  readonly identity: Identity;
  readonly workerType: WorkerType;
  readonly workPoolName: string;
  readonly interruptedRuns?: InterruptedRuns;
  readonly workQueues?: string[];
  readonly size: WorkerSize;
  readonly image?: ecs.ContainerImage;
  readonly images: DefaultImages;
  readonly ephemeralStorageGiB?: number;
  readonly cpuArchitecture: ecs.CpuArchitecture;
  readonly environment?: { [name: string]: string };
  readonly secrets?: { [name: string]: ecs.Secret };
  readonly encryptionKey: kms.IKey;
  readonly logRetention: logs.RetentionDays;
  readonly tracing?: Tracing;
  readonly tmpfs?: boolean;
  readonly results?: ResultStorage;
}

/** The worker's task definition, and the log group of the worker and of its flow runs. */
export class Task extends Construct {
  public readonly taskDefinition: ecs.FargateTaskDefinition;
  public readonly container: ecs.ContainerDefinition;
  public readonly logGroup: logs.LogGroup;

  constructor(scope: Construct, id: string, props: TaskProps) {
    super(scope, id);
    const { api, identity, workerType, size, tracing, tmpfs: inMemory = true } = props;

    this.logGroup = new logs.LogGroup(this, 'Logs', {
      encryptionKey: props.encryptionKey,
      retention: props.logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.taskDefinition = new ecs.FargateTaskDefinition(this, 'TaskDefinition', {
      cpu: size.cpu,
      memoryLimitMiB: size.memoryLimitMiB,
      ephemeralStorageGiB: props.ephemeralStorageGiB,
      runtimePlatform: { cpuArchitecture: props.cpuArchitecture, operatingSystemFamily: ecs.OperatingSystemFamily.LINUX },
      taskRole: identity.workerRole,
      executionRole: identity.executionRole,
    });
    validateTaskDefinition(this.taskDefinition);

    const image = props.images.givenOr(props.results ? PREFECT_AWS_IMAGE : officialImage(workerType), 'image', props.image);
    const logging = ecs.LogDrivers.awsLogs({ logGroup: this.logGroup, streamPrefix: 'worker' });
    this.container = this.taskDefinition.addContainer('worker', {
      image,
      logging,
      command: workerCommand({
        workPoolName: props.workPoolName,
        workerType,
        workQueues: props.workQueues,
        flowRunLimit: size.flowRunLimit,
      }),
      environment: {
        ...unlessSecret({
          ...(tracing && tracingEnvironment(tracing, props.workPoolName)),
          ...LOGGING,
          ...RETRIES,
          ...(workerType === WorkerType.PROCESS ? { ...HEARTBEAT_ENVIRONMENT, ...props.results?.environment } : THROTTLING),
          ...(workerType === WorkerType.PROCESS && props.interruptedRuns === InterruptedRuns.CRASH && { INTERRUPTED_RUNS: InterruptedRuns.CRASH }),
        }, props.secrets),
        ...withDirectHosts(sortedByName(props.environment), props.secrets),
        ...apiEnvironment(api),
        // Only the health check below asks the health server, from inside the container.
        PREFECT_WORKER_WEBSERVER_HOST: '127.0.0.1',
        PREFECT_WORKER_WEBSERVER_PORT: '8080',
        ...(workerType === WorkerType.ECS ? { HOME: TMP, PREFECT_HOME: `${TMP}/.prefect` } : {}),
      },
      secrets: { ...sortedByName(props.secrets), ...api._secrets },
      healthCheck: {
        command: HEALTH_CHECK,
        interval: Duration.seconds(10),
        timeout: Duration.seconds(10),
        retries: 3,
        startPeriod: Duration.seconds(120),
      },
      stopTimeout: Duration.seconds(120),
      ...this.securityOptions(workerType, inMemory),
    });
    if (workerType === WorkerType.ECS && !inMemory) addTmpVolume(this.container, image, logging);
    if (api._tlsCaCertificate !== undefined) {
      addCaCertificate(this.container, image, logging, api._tlsCaCertificate);
    }
    if (tracing) {
      addCollector(this.container, {
        tracing,
        image: props.images.givenOr(COLLECTOR_IMAGE, 'collectorImage', tracing._collectorImage),
        logging,
        environment: withDirectHosts(sortedByName(props.environment), props.secrets),
      });
      grantTracing(tracing, identity.workerRole);
    }
  }

  /**
   * An ECS worker runs as a user without permissions on a root file system that it can't write to; it needs only a small
   * /tmp, which is a tmpfs where Fargate has it.
   *
   * A PROCESS worker runs your flows: they clone repositories, install packages and write results where the image
   * lets them, so its user and its file system are the image's.
   */
  private securityOptions(workerType: WorkerType, inMemory: boolean): Partial<ecs.ContainerDefinitionOptions> {
    const linuxParameters = new ecs.LinuxParameters(this, 'LinuxParameters', { initProcessEnabled: true });
    if (workerType === WorkerType.PROCESS) return { linuxParameters };
    if (inMemory) tmpfs(linuxParameters);
    return { linuxParameters, readonlyRootFilesystem: true, user: '1000:1000' };
  }
}
