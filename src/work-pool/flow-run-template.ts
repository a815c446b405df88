import { aws_ecs as ecs, IResolvable, Lazy, Names } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { BaseJobTemplate } from '../base-job-template';
import { FlowRunDefaults } from '../flow-run-defaults';
import { Identity } from '../identity/identity';
import { Network } from '../network/network';
import { PrefectApi } from '../prefect-api';
import { MAX_RUN_TIME_TAG } from '../private/max-run-time';
import { capacityProviderStrategies } from '../service/capacity';
import { CapacityOptions } from '../service/capacity-options';
import { FLOW_RUN } from '../task/command';
import { WORKERS_OWN } from '../task/environment';
import { flowRunSize } from '../task/fargate-size';
import { FlowRunTask } from '../task/flow-run-task';
import { WorkPool } from '../work-pool';
import { EPHEMERAL_STORAGE, MAX_RUN_TIME } from './base-job-template';
import { TemplateValues } from './configuration';
import { registeredTaskDefinition } from './registered-task-definition';
import { Fields, FLOW_RUN_CONTAINER } from './three-way-merge';

export interface FlowRunTemplateProps {
  readonly api: PrefectApi;
  readonly network: Network;
  readonly cluster: ecs.ICluster;
  readonly identity: Identity;
  /** Start of the families of the task definitions that the worker registers. */
  readonly familyPrefix: string;
  readonly flowRunTask: FlowRunTask;
  readonly defaults: FlowRunDefaults;
  readonly baseJobTemplate?: BaseJobTemplate;
  readonly enableExecuteCommand?: boolean;
  /** Secret variables of the worker. */
  readonly workerSecrets?: { readonly [name: string]: ecs.Secret };
}

/** The last part of a family that no deployment names. */
const FAMILY = 'flow-run';

/**
 * How the families of the task definitions begin that a worker registers for flow runs. A managed pool's template puts it in front of what
 * deployments name, of whose 255 characters it leaves the larger part. An existing pool's template may name any; Prefect's own begin so.
 */
export function flowRunFamilyPrefix(worker: Construct, workPool: WorkPool): string {
  return workPool._managed ? `prefect-${Names.uniqueResourceName(worker, { maxLength: 100, separator: '-' })}` : 'prefect';
}

/** The credentials for which prefect-aws has variables of its own; with these it adds the secrets to the flow run's container by itself. */
export const CREDENTIAL_VARIABLES: { readonly [environmentVariable: string]: string } = {
  PREFECT_API_KEY: 'prefect_api_key_secret_arn',
  PREFECT_API_AUTH_STRING: 'prefect_api_auth_string_secret_arn',
};

/** What stands in the task definition instead of being given with each RunTask, whose overrides may have 8,192 characters. */
const TOO_LONG_FOR_OVERRIDES = Object.keys(FLOW_RUN.environment);

/**
 * What the base job template of an ECS work pool says of this stack: where flow runs run, as what, and where their logs go. It is
 * read from the task definition at the very end of synthesis, with all that users and aspects have added.
 */
export function flowRunTemplate(scope: Construct, props: FlowRunTemplateProps): IResolvable {
  return Lazy.any({ produce: () => readTemplate(scope, props) });
}

function readTemplate(scope: Construct, props: FlowRunTemplateProps): TemplateValues {
  const { api, network, cluster, identity, defaults, flowRunTask } = props;
  const { containerDefinitions, tags = [], ...taskDefinition } = registeredTaskDefinition(scope, flowRunTask.taskDefinition);
  const [flowRun, others] = partition(containerDefinitions, flowRunTask.container.containerName);
  const { name: _, image, command, logConfiguration, environment = [], secrets = [], ...container } = flowRun;
  const { ephemeralStorage: disk } = taskDefinition;
  const { cpu, memoryLimitMiB } = flowRunSize(defaults);
  // The reconciler, and whoever looks at the task, reads it there. Tags are text, which a placeholder alone would not be.
  const limit = defaults.maxRunTime ? [{ key: MAX_RUN_TIME_TAG, value: `{{ ${MAX_RUN_TIME} }} seconds` }] : [];
  const isLong = ({ name }: Fields) => TOO_LONG_FOR_OVERRIDES.includes(name);
  const variables = environment.filter((entry: Fields) => !isLong(entry));
  const ownSecrets = secrets.filter(({ name }: Fields) => !(name in CREDENTIAL_VARIABLES));

  return {
    baseJobTemplate: props.baseJobTemplate?._template,
    variables: {
      cluster: cluster.clusterArn,
      family: FAMILY,
      ...capacityVariables(defaults.capacity),
      image,
      cpu,
      memory: memoryLimitMiB,
      command: shellWords(command),
      task_role_arn: identity.flowRunRole.roleArn,
      execution_role_arn: identity.flowRunExecutionRole.roleArn,
      network_configuration: {
        subnets: network.subnets.subnetIds,
        securityGroups: [network.flowRunSecurityGroup.securityGroupId],
        assignPublicIp: network.assignPublicIp ? 'ENABLED' : 'DISABLED',
      },
      ...logVariables(logConfiguration),
      ...Object.fromEntries(Object.entries(api._secrets)
        .filter(([variable]) => variable in CREDENTIAL_VARIABLES)
        .map(([variable, secret]) => [CREDENTIAL_VARIABLES[variable], secret.arn])),
      ...(defaults.maxRunTime && { [MAX_RUN_TIME]: defaults.maxRunTime.toSeconds() }),
      ...(disk && { [EPHEMERAL_STORAGE]: disk.sizeInGiB }),
      ...defaults.jobVariables,
    },
    environment: {
      ...notPassedOn(WORKERS_OWN),
      ...Object.fromEntries(variables.map(({ name, value }: Fields) => [name, value])),
      ...notPassedOn([...Object.keys(props.workerSecrets ?? {}), ...ownSecrets.map(({ name }: Fields) => name)]),
    },
    ...(props.enableExecuteCommand && { taskRunRequest: { enableExecuteCommand: true } }),
    taskDefinition: {
      ...taskDefinition,
      ...(disk && { ephemeralStorage: { sizeInGiB: `{{ ${EPHEMERAL_STORAGE} }}` } }),
      ...some('tags', [...tags, ...limit]),
      family: `${props.familyPrefix}-{{ family }}`,
      executionRoleArn: '{{ execution_role_arn }}',
      containerDefinitions: [
        {
          name: FLOW_RUN_CONTAINER,
          image: '{{ image }}',
          ...container,
          ...(logConfiguration?.logDriver === 'awslogs' ? {} : { logConfiguration }),
          ...some('environment', environment.filter(isLong)),
          ...some('secrets', ownSecrets),
        },
        ...others,
      ],
    },
  };
}

/** Spot alone is a launch type of Prefect's, which deployments override more easily than a strategy. */
function capacityVariables(capacity?: CapacityOptions): Fields {
  const strategies = capacityProviderStrategies(capacity, 0);
  if (!strategies) return { launch_type: 'FARGATE' };
  if (strategies.length === 1) return { launch_type: 'FARGATE_SPOT' };
  return { launch_type: 'FARGATE', capacity_provider_strategy: strategies.map(strategy => ({ base: 0, ...strategy })) };
}

/** The worker writes the log configuration of CloudWatch Logs from variables, and leaves another one alone. */
function logVariables({ logDriver, options = {} }: Fields = {}): Fields {
  if (logDriver !== 'awslogs') return { configure_cloudwatch_logs: false };
  const { 'awslogs-stream-prefix': prefix, ...rest } = options;
  return { configure_cloudwatch_logs: true, cloudwatch_logs_prefix: prefix, cloudwatch_logs_options: { ...rest, 'awslogs-create-group': 'false' } };
}

/** The worker passes its own settings of Prefect on to flow runs, secret ones in clear text, and not what is null here. */
function notPassedOn(names: readonly string[]): Record<string, null> {
  return Object.fromEntries(names.filter(name => /^PREFECT_/i.test(name) && !(name in CREDENTIAL_VARIABLES)).sort().map(name => [name, null]));
}

function partition(containers: readonly Fields[], name: string): [Fields, Fields[]] {
  return [containers.find(container => container.name === name)!, containers.filter(container => container.name !== name)];
}

function some(field: string, entries: unknown[]): Fields {
  return entries.length > 0 ? { [field]: entries } : {};
}

/** A command as Prefect keeps it: one string, which its worker takes apart as a POSIX shell would. */
function shellWords(words: readonly string[]): string {
  return words.map(word => /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replace(/'/g, '\'"\'"\'')}'`).join(' ');
}
