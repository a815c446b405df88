import { Annotations, aws_ecs as ecs, aws_kms as kms, aws_logs as logs, Names, Token } from 'aws-cdk-lib';
import { Construct, IConstruct } from 'constructs';
import { ApiFunctions } from '../functions/api-functions';
import { Identity } from '../identity/identity';
import { Network } from '../network/network';
import { PrefectApi } from '../prefect-api';
import { EventQueue } from './event-queue';
import { FlowRunTasks } from './flow-run-tasks';
import { CREDENTIAL_VARIABLES, flowRunFamilyPrefix, flowRunTemplate } from './flow-run-template';
import { ManagedWorkPool } from './managed-work-pool';
import { requireOneManager } from './one-manager';
import { ResultStorage } from '../results/result-storage';
import { OBSERVER_QUEUE_VARIABLE, PATIENCE } from '../task/environment';
import { FlowRunTask } from '../task/flow-run-task';
import { Task } from '../task/task';
import { WorkPool } from '../work-pool';
import { WorkerType } from '../worker-type';

export interface ServedWorkPoolProps {
  readonly api: PrefectApi;
  readonly functions: ApiFunctions;
  readonly network: Network;
  readonly cluster: ecs.ICluster;
  readonly identity: Identity;
  readonly task: Task;
  /** What flow runs run as, where each has a task of its own. */
  readonly flowRunTask?: FlowRunTask;
  readonly service: ecs.FargateService;
  readonly workPool: WorkPool;
  readonly workerType: WorkerType;
  readonly enableExecuteCommand?: boolean;
  readonly results?: ResultStorage;
  readonly encryptionKey: kms.IKey;
  readonly logRetention: logs.RetentionDays;
  /** Secret variables of the worker. */
  readonly workerSecrets?: { readonly [name: string]: ecs.Secret };
}

/** The work pool that the worker serves, and what tells the worker of its flow runs' tasks. */
export class ServedWorkPool extends Construct {
  /** What tells ECS workers of their flow runs' tasks. */
  public readonly events?: EventQueue;
  /** What of a managed pool the workers of the stack share. */
  public readonly shared?: Construct;
  /** What the deployment of a managed pool has to tell, as of its last change. */
  public readonly notices?: string;
  /** Another text for each other state of a managed pool. */
  public readonly fingerprint?: string;

  constructor(scope: Construct, id: string, props: ServedWorkPoolProps) {
    super(scope, id);
    const { api, workPool, workerType, identity, task } = props;
    const familyPrefix = flowRunFamilyPrefix(scope, workPool);

    if (workerType === WorkerType.ECS) {
      this.events = new EventQueue(this, 'Events', {
        cluster: props.cluster,
        encryptionKey: props.encryptionKey,
        familyPrefix,
      });
      const { queue } = this.events;
      queue.grantConsumeMessages(identity.workerRole);
      task.container.addEnvironment(OBSERVER_QUEUE_VARIABLE, queue.queueName);
      // The worker forwards the last words of a flow run that crashed before it reached the API.
      task.logGroup.grant(identity.workerRole, 'logs:GetLogEvents');
    }
    if (!workPool._managed) {
      if (workerType === WorkerType.ECS) warnOfCredentialsInClear(scope, api, workPool);
      return;
    }

    requireOneManager(scope, api, workPool);
    const { flowRunDefaults: defaults = {}, baseJobTemplate } = workPool._managed;
    if (defaults.capacity?.onDemandBase) warnOfBase(scope, defaults.capacity.onDemandBase);
    const template = props.flowRunTask
      ? flowRunTemplate(this, { ...props, flowRunTask: props.flowRunTask, baseJobTemplate, familyPrefix, defaults })
      : { baseJobTemplate: baseJobTemplate?._template, variables: {}, environment: PATIENCE };
    const managed = new ManagedWorkPool(this, 'Managed', { ...props, worker: Names.uniqueResourceName(scope, { maxLength: 128 }), options: workPool._managed, template });
    this.shared = managed.shared;
    this.notices = managed.resource.getAttString('Notices');
    this.fingerprint = managed.resource.getAttString('Fingerprint');
    // A wrong URL or key, a role or a plan that does not do is known before there is anything to wait for, or to pay.
    if (!props.network.functionsInVpc) props.network.startAfter(managed.answering);
    // A worker that finds no pool stops, and the deployment with it.
    props.service.node.addDependency(managed.resource);
    if (workerType === WorkerType.PROCESS) return;
    const tasks = new FlowRunTasks(this, 'FlowRunTasks', { ...props, managed, workPoolName: workPool.name, familyPrefix });
    // The workers go first, so that none of them starts a flow run in between.
    props.service.node.addDependency(tasks.resource);
  }
}

function warnOfBase(worker: IConstruct, onDemandBase: number): void {
  Annotations.of(worker).addWarningV2('cdk-prefect-fargate-worker:onDemandBaseOfFlowRuns',
    `flowRunDefaults.capacity.onDemandBase is ${Token.isUnresolved(onDemandBase) ? 'set' : onDemandBase}: Amazon ECS counts a base within one request, and each flow run is a request of its own, `
    + 'so all flow runs are on demand. Leave it out, and give spotWeight and onDemandWeight.');
}

/** The worker gives flow runs its own credentials, and only the pool's template can make secrets of them. */
function warnOfCredentialsInClear(worker: IConstruct, api: PrefectApi, { name }: WorkPool): void {
  const places = Object.keys(api._secrets).map(variable => CREDENTIAL_VARIABLES[variable]).filter(place => place !== undefined);
  if (places.length === 0) return;
  Annotations.of(worker).addWarningV2('cdk-prefect-fargate-worker:credentialsInExistingPool',
    `The work pool ${JSON.stringify(name)} is not managed here. Unless job_configuration of its base job template has ${places.join(' and ')}, with the ARN of the secret, `
    + 'its worker passes the credential on to each flow run in clear text, and ecs:DescribeTasks shows it. Prefect\'s own template does not have that field: add it, or use WorkPool.managed().');
}
