import { aws_ec2 as ec2, aws_ecs as ecs, aws_iam as iam, aws_kms as kms, RemovalPolicy } from 'aws-cdk-lib';
import { ComplianceOptions } from './compliance/compliance-options';
import { NetworkOptions } from './network/network-options';
import { ObservabilityOptions } from './observability/observability-options';
import { PrefectApi } from './prefect-api';
import { Results } from './results';
import { ScalingOptions } from './scaling/scaling-options';
import { CapacityOptions } from './service/capacity-options';
import { WorkPool } from './work-pool';
import { WorkerType } from './worker-type';

/** Properties of `PrefectFargateWorker`. Only `api` and `workPool` have to be given. */
export interface PrefectFargateWorkerProps {
  /** The Prefect API that the worker polls: `PrefectApi.cloud()` or `PrefectApi.selfHosted()`. */
  readonly api: PrefectApi;

  /** The work pool that the worker serves: `WorkPool.managed()` or `WorkPool.existing()`. */
  readonly workPool: WorkPool;

  /**
   * How flow runs run: each as a Fargate task of its own, or as processes in the worker's container.
   *
   * @default WorkerType.ECS
   */
  readonly workerType?: WorkerType;

  /**
   * Names of the work queues to serve. Throws when a name is listed twice, and for a list whose length is known only at deployment.
   *
   * @default - all queues of the work pool
   */
  readonly workQueues?: string[];

  /**
   * How many flow runs one PROCESS worker executes at a time, at least 1. Throws when its memory is too small for them, and for an ECS
   * worker: it only starts the tasks of flow runs, so limit these with `concurrencyLimit` of the work pool.
   *
   * @default - PROCESS: one for each 256 MiB of memory beyond the first 256 MiB; ECS: no limit
   */
  readonly flowRunLimit?: number;

  /**
   * Image of the worker. A PROCESS worker's flow runs use it too, so it holds your flows' dependencies. An ECS worker's
   * image needs `prefect-aws`, and its flow runs have `flowRunDefaults.image`. An image that runs as root keeps working for PROCESS workers; ECS workers run as user 1000
   * on a read-only file system.
   *
   * @default - the official image for the type, at the version that this library was tested with
   */
  readonly image?: ecs.ContainerImage;

  /**
   * Whether the official images, where you give no other, are copied from Docker Hub to a repository in Amazon ECR when you deploy, and
   * pulled from there. Docker Hub gives an address that pulls without credentials 100 images in six hours, which a few hundred flow runs
   * of an ECS worker exceed; and tasks need no route to the internet to pull copies.
   *
   * A function copies them, which needs egress to Docker Hub: it runs outside your VPC, unless `network.functionsInVpc` is set. Where
   * Docker Hub refuses it for longer than ten minutes, the deployment fails and says so; deploy again, or set this to false.
   * The workers of a stack share the repository. It is encrypted, its tags are immutable, images are scanned when they arrive, the last
   * twelve are kept, and it is deleted with the stack. Images that you give are pulled from where they are.
   *
   * @see https://docs.docker.com/docker-hub/usage/pulls/
   * @default - true, unless functions have to run in subnets without a route to the internet
   */
  readonly copyImages?: boolean;

  /**
   * CPU units of the worker, where 1024 are one vCPU. Flow runs of an ECS worker have `flowRunDefaults.cpu`. Throws for a number that
   * Fargate doesn't offer.
   *
   * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-size
   * @default - 512 for ECS workers, 1024 for PROCESS workers
   */
  readonly cpu?: number;

  /**
   * Memory of the worker in MiB. Flow runs of an ECS worker have `flowRunDefaults.memoryLimitMiB`. Those of a PROCESS worker share it: when
   * it is nearly used up, the one that holds the most is ended, crashes with a message that says so, and the others go on. Throws for an amount that Fargate doesn't offer with this `cpu`.
   *
   * @default - 1024 for ECS workers, 2048 for PROCESS workers, or the least that `cpu` allows above that
   */
  readonly memoryLimitMiB?: number;

  /**
   * Ephemeral storage of the worker in GiB, a whole number from 21 to 200. Throws for others. Flow runs of an ECS worker have
   * `flowRunDefaults.ephemeralStorageGiB`, and a warning reminds you of that.
   *
   * @default - the 20 GiB that every Fargate task has
   */
  readonly ephemeralStorageGiB?: number;

  /**
   * Whether an ECS worker's `/tmp`, the one place that it can write to, is a tmpfs, in memory. AWS Fargate has these since January
   * 2026, and perhaps not in every region and partition yet; there, ECS refuses the task definition. With `false` it is a
   * volume on the task's ephemeral storage, and one container more opens it to the worker's user, as root, before the worker starts.
   * The worker runs without root permissions on a read-only root file system either way.
   * Throws for PROCESS workers, which write where their image lets them.
   *
   * @see https://aws.amazon.com/about-aws/whats-new/2026/01/amazon-ecs-tmpfs-mounts-aws-fargate-managed-instances/
   * @default true
   */
  readonly tmpfs?: boolean;

  /**
   * CPU architecture of the worker and of its flow runs' tasks; the images have to be built for it.
   *
   * @default ecs.CpuArchitecture.X86_64
   */
  readonly cpuArchitecture?: ecs.CpuArchitecture;

  /**
   * Environment variables of the worker. Flow runs of an ECS worker have `flowRunDefaults.environment`, and a warning reminds you of that
   * for variables that are not Prefect's. Throws for a variable that this construct sets, and for a value that looks like a key.
   * ECS workers have their `HOME` and `PREFECT_HOME` in `/tmp`; you may set those of a PROCESS worker.
   *
   * @see https://docs.prefect.io/v3/api-ref/settings-ref
   * @default - only what the worker needs
   */
  readonly environment?: { [name: string]: string };

  /**
   * Environment variables of the worker whose values come from AWS Secrets Manager or SSM. The execution role is allowed to read them. Flow runs of an
   * ECS worker have `flowRunDefaults.secrets`, and a warning reminds you of that.
   * Throws for a variable that this construct sets, and for a name that is in `environment` too.
   *
   * @default - only those of the API
   */
  readonly secrets?: { [name: string]: ecs.Secret };

  /**
   * Task role of the workers: the permissions of the worker itself. This construct adds the permissions to your own role; for an imported role
   * that it can't change (`mutable: false`, or of another account), a warning lists the statements that the role needs. It has to trust
   * `ecs-tasks.amazonaws.com`: throws for a role of this app that doesn't.
   *
   * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
   * @default - a new role with least privilege
   */
  readonly workerRole?: iam.IRole;

  /**
   * Role with which ECS starts the workers: it pulls the image, reads the secrets and writes the logs. Yours is treated as `workerRole` is.
   *
   * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html
   * @default - a new role with least privilege
   */
  readonly executionRole?: iam.IRole;

  /**
   * Task role of flow runs: the permissions of your flows. Yours is treated as `workerRole` is. Throws for PROCESS workers, whose flow runs have
   * the worker's role. A warning tells you when it is also one of the other roles.
   *
   * @default - a new role without permissions
   */
  readonly flowRunRole?: iam.IRole;

  /**
   * Role with which ECS starts the tasks of flow runs. Yours is treated as `workerRole` is. Throws for PROCESS workers, whose flow runs have
   * no tasks of their own.
   *
   * @default - a new role with least privilege
   */
  readonly flowRunExecutionRole?: iam.IRole;

  /**
   * VPC to run in: your own, or another worker's. Throws when it has no private subnets and `vpcSubnets` doesn't choose others.
   *
   * @default - the VPC of `cluster`, or a new one as `network` describes it
   */
  readonly vpc?: ec2.IVpc;

  /**
   * Subnets of `vpc` for workers and flow runs. In public subnets each task gets a public address and reaches the internet with it.
   *
   * @default - the private subnets
   */
  readonly vpcSubnets?: ec2.SubnetSelection;

  /**
   * ECS cluster to run in: your own, or another worker's. Throws when it is in another VPC than `vpc`.
   *
   * @default - a new cluster with the capacity providers FARGATE and FARGATE_SPOT
   */
  readonly cluster?: ecs.ICluster;

  /**
   * Security groups of the workers and of the functions that run in the VPC; the first is the flow runs' too. They need egress to HTTPS,
   * to the API's port, to that of a receiver of traces, and to DNS servers other than Amazon's.
   *
   * @default - new groups, for workers, flow runs and functions, without ingress, and with egress to HTTPS, the API's port and that of a receiver of traces only; in a
   * VPC that is not created here, to DNS too
   */
  readonly securityGroups?: ec2.ISecurityGroup[];

  /**
   * The network that is created where you give neither `vpc` nor `cluster`.
   *
   * @default - two availability zones, a NAT gateway in each, VPC endpoints, flow logs
   */
  readonly network?: NetworkOptions;

  /**
   * How many workers run, and when.
   *
   * @default - ECS workers: two; PROCESS workers: as many as running,
   * waiting and soon due flow runs need, from none to ten
   */
  readonly scaling?: ScalingOptions;

  /**
   * How workers are spread over Fargate on demand and Fargate Spot. A cluster of your own needs both capacity providers.
   *
   * @default - all on demand
   */
  readonly capacity?: CapacityOptions;

  /**
   * Whether ECS Exec may run commands in the containers of workers and flow runs, so that you can look into a flow run that hangs. Sessions
   * are encrypted with the worker's key and logged to a log group of their own, where the cluster is created here; in yours, as its
   * `executeCommandConfiguration` says. The read-only root file system of ECS workers stays: the paths that the agent writes to are volumes.
   *
   * Whoever may call `ecs:ExecuteCommand` is root there, so a warning asks you to leave it out in production. A role that deployments
   * name (`allowFlowRunRole()`) needs the agent's permissions itself, and an existing work pool's template has to ask for ECS Exec:
   * `"enableExecuteCommand": true` in its `task_run_request`. It takes effect in tasks that start afterwards.
   *
   * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html
   * @default false
   */
  readonly enableExecuteCommand?: boolean;

  /**
   * Alarms, the dashboard, logs, and traces.
   *
   * @default - alarms and a dashboard; logs are kept for 30 days; no traces
   */
  readonly observability?: ObservabilityOptions;

  /**
   * Whether Prefect keeps the results of tasks and flows, and where, so that a flow run that is started again (Spot, a deployment, a
   * crash, lack of memory) goes on instead of beginning from the start: tasks that had finished are not repeated. No flow has to change.
   *
   * Prefect knows a task by its source, its inputs and the flow run. **A task that one flow run calls twice with the same inputs is
   * executed once, then**: one that asks for something that changes, as in a loop that waits, needs `cache_policy=NO_CACHE`.
   * Not kept, and so repeated, is what has that policy or `persist_result=False`, results that can't be pickled, and tasks
   * whose inputs can't be hashed. docs/results.md has the details.
   *
   * Images of your own need `prefect-aws`; without it flow runs go on without results, and their logs say so. The default image of flow runs
   * is the official one with `prefect-aws`. The functions' API key needs permission to create blocks: on Prefect Cloud, the role
   * Developer. Throws for `WorkPool.existing()`, and for a bucket of another region.
   *
   * @see https://docs.prefect.io/v3/advanced/results
   * @default - no results are kept, unless a flow says so
   */
  readonly results?: Results;

  /**
   * Key that encrypts what the worker stores: log groups, queues, the alarm topic, copies of images, results, the archive's stream. CloudWatch Logs,
   * CloudWatch alarms and EventBridge are allowed to use it. The policy of an imported key has to allow them itself, and warnings say what to add.
   *
   * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
   * @default - a key is created, with yearly rotation
   */
  readonly encryptionKey?: kms.IKey;

  /**
   * What becomes of the resources with data that the worker creates, when they are removed from the stack or replaced: the log groups of
   * workers, flow runs, functions and the VPC's flow logs, the key, the queues of task events, the repository with copies of images, and the bucket
   * and the key of `observability.logArchive`, and the bucket of `results`. Resources that you bring are not affected. The workers of a stack share the repository: it is kept if one of
   * them says so.
   *
   * `RemovalPolicy.DESTROY` does not delete the archive, which is meant to outlive the worker, nor the two buckets, which Amazon S3 deletes
   * only when they are empty: give your own bucket if the stack's end should delete it. Throws for `RemovalPolicy.SNAPSHOT`, which none of these have.
   *
   * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html
   * @default RemovalPolicy.DESTROY
   */
  readonly removalPolicy?: RemovalPolicy;

  /**
   * Whether each deployment proves that flow runs run: at its end, one is sent through work pool, worker, image, roles, secrets and
   * network, and where it doesn't complete within ten minutes, the deployment fails with the reason, and rolls back. Without that, a
   * deployment at zero workers proves nothing, as Amazon ECS starts none.
   *
   * The flow is the library's own and needs only Prefect in your image. Flow, deployment and flow run are deleted from Prefect
   * afterwards; those of a verification that failed stay until the next. A paused pool or queue, and a concurrency limit that
   * leaves no room, don't fail it: the output `Verified` says so. It runs again when a task definition or the pool has changed.
   *
   * The API key of the functions needs permission to create deployments: on Prefect Cloud, the role Developer. A deployment takes as long
   * as a flow run from its schedule to its end: one or two minutes, and longer where a worker has to start first.
   *
   * @see https://docs.prefect.io/v3/concepts/deployments
   * @default false
   */
  readonly verify?: boolean;

  /**
   * Rules with which AWS Config watches the deployed resources.
   *
   * @default - none, because they need AWS Config's recorder in the account
   */
  readonly compliance?: ComplianceOptions;
}
