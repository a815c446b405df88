import { aws_ecs as ecs, aws_logs as logs, Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { FlowRunDefaults } from '../flow-run-defaults';
import { Identity } from '../identity/identity';
import { DefaultImages } from '../images/default-images';
import { InterruptedRuns } from '../interrupted-runs';
import { PrefectApi } from '../prefect-api';
import { sortedByName } from '../private/order';
import { ResultStorage } from '../results/result-storage';
import { Tracing } from '../tracing';
import { addCaCertificate } from './ca-certificate';
import { addCollector, COLLECTOR_IMAGE, grantTracing, tracingEnvironment } from './collector';
import { FLOW_RUN } from './command';
import { FLOW_RUN_ENVIRONMENT, unlessSecret } from './environment';
import { flowRunSize } from './fargate-size';
import { FLOW_RUN_IMAGE, PREFECT_AWS_IMAGE } from './images';
import { withDirectHosts } from './proxy';
import { validateTaskDefinition } from './validate-task-definition';

export interface FlowRunTaskProps {
  readonly api: PrefectApi;
  readonly identity: Identity;
  readonly images: DefaultImages;
  readonly workPoolName: string;
  /** Undefined where the pool's template is not ours, and its flow runs need not be these. */
  readonly defaults?: FlowRunDefaults;
  readonly interruptedRuns?: InterruptedRuns;
  readonly cpuArchitecture: ecs.CpuArchitecture;
  readonly logGroup: logs.ILogGroup;
  readonly tracing?: Tracing;
  readonly enableExecuteCommand?: boolean;
  readonly results?: ResultStorage;
}

/** What the worker calls the flow run's container where nothing else names it. */
const CONTAINER = 'prefect';

/**
 * The task definition of an ECS pool's flow runs, which the work pool's base job template is read from. It is a resource of the
 * stack as well: so Amazon ECS refuses a wrong one in the deployment, and not in the first flow run.
 */
export class FlowRunTask extends Construct {
  public readonly taskDefinition: ecs.FargateTaskDefinition;
  public readonly container: ecs.ContainerDefinition;

  constructor(scope: Construct, id: string, props: FlowRunTaskProps) {
    super(scope, id);
    const { api, identity, images, defaults = {}, tracing } = props;

    this.taskDefinition = new ecs.FargateTaskDefinition(this, 'TaskDefinition', {
      ...flowRunSize(defaults),
      ephemeralStorageGiB: defaults.ephemeralStorageGiB,
      runtimePlatform: { cpuArchitecture: props.cpuArchitecture, operatingSystemFamily: ecs.OperatingSystemFamily.LINUX },
      taskRole: identity.flowRunRole,
      executionRole: identity.flowRunExecution,
    });
    validateTaskDefinition(this.taskDefinition);
    const image = props.defaults
      ? images.givenOr(props.results ? PREFECT_AWS_IMAGE : FLOW_RUN_IMAGE, 'flowRunDefaults.image', defaults.image)
      : ecs.ContainerImage.fromRegistry(FLOW_RUN_IMAGE);
    const logging = ecs.LogDrivers.awsLogs({ logGroup: props.logGroup, streamPrefix: 'flow-run' });
    const ours = {
      ...(tracing && tracingEnvironment(tracing, props.workPoolName)),
      ...FLOW_RUN_ENVIRONMENT,
      ...props.results?.environment,
      ...whenInterrupted(props.interruptedRuns, defaults.command),
    };
    this.container = this.taskDefinition.addContainer(CONTAINER, {
      image,
      logging,
      command: defaults.command ?? FLOW_RUN.command,
      environment: {
        ...unlessSecret(ours, defaults.secrets),
        ...withDirectHosts(sortedByName(defaults.environment), defaults.secrets),
        ...(!defaults.command && FLOW_RUN.environment),
      },
      secrets: { ...sortedByName(defaults.secrets), ...api._secrets },
      // The longest that Fargate gives a task to hand its run back.
      stopTimeout: Duration.seconds(120),
      // A session leaves processes behind, which somebody has to reap.
      linuxParameters: props.enableExecuteCommand ? new ecs.LinuxParameters(this, 'LinuxParameters', { initProcessEnabled: true }) : undefined,
    });
    if (props.defaults) {
      images.warnOfAnonymousPulls(this.container.imageName, this.container.renderContainerDefinition().repositoryCredentials !== undefined);
    }
    if (api._tlsCaCertificate !== undefined) addCaCertificate(this.container, image, logging, api._tlsCaCertificate);
    if (tracing) {
      addCollector(this.container, {
        tracing,
        image: images.givenOr(COLLECTOR_IMAGE, 'collectorImage', tracing._collectorImage),
        logging,
        environment: withDirectHosts(sortedByName(defaults.environment), defaults.secrets),
      });
      grantTracing(tracing, identity.flowRunRole);
    }
  }
}

/** For the program around Prefect's command; your own command has only what Prefect itself offers. */
function whenInterrupted(interruptedRuns?: InterruptedRuns, command?: string[]): Record<string, string> {
  if (interruptedRuns !== InterruptedRuns.CRASH) return {};
  return command ? { PREFECT_FLOW_RUN_EXECUTE_SIGTERM_BEHAVIOR: 'crash' } : { INTERRUPTED_RUNS: InterruptedRuns.CRASH };
}
