import { aws_ecs as ecs, aws_logs as logs, Names, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { Identity } from '../identity/identity';
import { DefaultImages } from '../images/default-images';
import { Network } from '../network/network';
import { PrefectApi } from '../prefect-api';
import { inOrder } from '../private/order';
import { caCertificateForFlowRuns } from '../task/ca-certificate';
import { collectorForFlowRuns, COLLECTOR_IMAGE, tracingEnvironment } from '../task/collector';
import { FLOW_RUN } from '../task/command';
import { HEARTBEAT_ENVIRONMENT, LOGGING, PATIENCE, RETRIES } from '../task/environment';
import { flowRunSize } from '../task/fargate-size';
import { FLOW_RUN_IMAGE } from '../task/images';
import { withDirectHosts } from '../task/proxy';
import { Tracing } from '../tracing';
import { FlowRunDefaults, WorkPool } from '../work-pool';
import { TemplateValues } from './configuration';
import { FLOW_RUN_CONTAINER } from './three-way-merge';

export interface FlowRunTemplateProps {
  readonly api: PrefectApi;
  readonly network: Network;
  readonly cluster: ecs.ICluster;
  readonly identity: Identity;
  readonly images: DefaultImages;
  readonly family: string;
  readonly logGroup: logs.ILogGroup;
  readonly cpuArchitecture: ecs.CpuArchitecture;
  readonly defaults: FlowRunDefaults;
  readonly workPool: WorkPool;
  readonly tracing?: Tracing;
  /** Secret variables of the worker. */
  readonly workerSecrets?: { readonly [name: string]: ecs.Secret };
}

/** Family of the task definitions that a worker registers for the flow runs of its managed work pool. */
export function flowRunFamily(worker: Construct): string {
  return `prefect-${Names.uniqueResourceName(worker, { maxLength: 200, separator: '-' })}`;
}

/** How the families of its flow runs' task definitions begin. An existing pool's template may name any; Prefect's own names begin so. */
export function flowRunFamilyPrefix(worker: Construct, workPool: WorkPool): string {
  return workPool._managed ? flowRunFamily(worker) : 'prefect';
}

/** What the base job template of an ECS work pool says of this stack: where flow runs run, as what, and where their logs go. */
export function flowRunTemplate(scope: Construct, props: FlowRunTemplateProps): TemplateValues {
  const { api, network, cluster, identity, images, logGroup, defaults, tracing } = props;
  const image = bindImage(scope, identity, images.givenOr(FLOW_RUN_IMAGE, 'flowRunDefaults.image', defaults.image));
  const { PREFECT_API_KEY: apiKey, PREFECT_API_AUTH_STRING: authString, PREFECT_CLIENT_CUSTOM_HEADERS: customHeaders } = api._secrets;
  const ca = api._tlsCaCertificate === undefined ? undefined : caCertificateForFlowRuns(image, api._tlsCaCertificate);
  const logOptions = {
    'awslogs-group': logGroup.logGroupName,
    'awslogs-region': Stack.of(scope).region,
  };
  const collector = tracing && collectorForFlowRuns(
    bindImage(scope, identity, images.givenOr(COLLECTOR_IMAGE, 'collectorImage', tracing._collectorImage)), { ...logOptions, 'awslogs-stream-prefix': 'flow-run' });
  const dependsOn = [...ca?.flowRun.dependsOn ?? [], ...collector ? [collector.dependency] : []];
  return {
    variables: {
      cluster: cluster.clusterArn,
      family: props.family,
      launch_type: defaults.spot ? 'FARGATE_SPOT' : 'FARGATE',
      image: image.image,
      ...flowRunSize(defaults),
      command: shellWords(defaults.command ?? FLOW_RUN.command),
      task_role_arn: identity.flowRunRole.roleArn,
      execution_role_arn: identity.flowRunExecutionRole.roleArn,
      network_configuration: {
        subnets: network.subnets.subnetIds,
        securityGroups: [network.flowRunSecurityGroup.securityGroupId],
        assignPublicIp: network.assignPublicIp ? 'ENABLED' : 'DISABLED',
      },
      configure_cloudwatch_logs: true,
      cloudwatch_logs_prefix: 'flow-run',
      cloudwatch_logs_options: { ...logOptions, 'awslogs-create-group': 'false' },
      ...(apiKey && { prefect_api_key_secret_arn: apiKey.arn }),
      ...(authString && { prefect_api_auth_string_secret_arn: authString.arn }),
    },
    environment: {
      ...(tracing && tracingEnvironment(tracing, props.workPool.name)),
      ...LOGGING,
      ...RETRIES,
      ...PATIENCE,
      ...HEARTBEAT_ENVIRONMENT,
      // A task that is stopped, as by a Spot interruption, hands its run back to be started again.
      PREFECT_FLOW_RUN_EXECUTE_SIGTERM_BEHAVIOR: 'reschedule',
      ...withDirectHosts(inOrder(defaults.environment)),
      ...secretSettings({ ...props.workerSecrets, ...(customHeaders && { PREFECT_CLIENT_CUSTOM_HEADERS: customHeaders }) }),
    },
    taskDefinition: {
      executionRoleArn: '{{ execution_role_arn }}',
      runtimePlatform: { cpuArchitecture: props.cpuArchitecture._cpuArchitecture, operatingSystemFamily: 'LINUX' },
      ...(ca && { volumes: ca.volumes }),
      containerDefinitions: [
        {
          name: FLOW_RUN_CONTAINER,
          image: '{{ image }}',
          // The longest that Fargate gives a task to hand its run back.
          stopTimeout: 120,
          ...(!defaults.command && { environment: FLOW_RUN.environment }),
          ...(image.repositoryCredentials && { repositoryCredentials: image.repositoryCredentials }),
          ...(customHeaders && { secrets: [{ name: 'PREFECT_CLIENT_CUSTOM_HEADERS', valueFrom: customHeaders.arn }] }),
          ...ca?.flowRun,
          ...(dependsOn.length > 0 && { dependsOn }),
        },
        ...ca ? [ca.writer] : [],
        ...collector ? [collector.sidecar] : [],
      ],
    },
  };
}

/** The worker passes its own settings of Prefect on to flow runs, secret ones in clear; it doesn't pass on what is null here. */
function secretSettings(secrets: { readonly [name: string]: ecs.Secret }): Record<string, null> {
  return Object.fromEntries(Object.keys(inOrder(secrets)).filter(name => /^PREFECT_/i.test(name)).map(name => [name, null]));
}

/** The image as the ECS API names it, with the right to pull it given to the flow runs' execution role. */
function bindImage(scope: Construct, identity: Identity, image: ecs.ContainerImage) {
  // Prefect, not CDK, makes the container definition; of it, an image asks only for the execution role.
  const container = { taskDefinition: { obtainExecutionRole: () => identity.flowRunExecutionRole } };
  const { imageName, repositoryCredentials } = image.bind(scope, container as unknown as ecs.ContainerDefinition);
  const credentials = repositoryCredentials as ecs.CfnTaskDefinition.RepositoryCredentialsProperty | undefined;
  return {
    image: imageName,
    ...(credentials && { repositoryCredentials: { credentialsParameter: credentials.credentialsParameter } }),
  };
}

/** A command as Prefect keeps it: one string, which its worker takes apart as a POSIX shell would. */
function shellWords(words: readonly string[]): string {
  return words.map(word => /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replace(/'/g, '\'"\'"\'')}'`).join(' ');
}
