import { aws_ecs as ecs, CustomResource, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { FLOW_RUN_TASKS, FlowRunTasksConfiguration } from './configuration';
import { ManagedWorkPool } from './managed-work-pool';
import { Identity } from '../identity/identity';
import { Network } from '../network/network';
import { PrefectApi } from '../prefect-api';
import { apiLocation } from '../private/api-function';

export interface FlowRunTasksProps {
  readonly api: PrefectApi;
  readonly network: Network;
  readonly cluster: ecs.ICluster;
  readonly identity: Identity;
  /** Whose function does the work. */
  readonly managed: ManagedWorkPool;
  readonly workPoolName: string;
  readonly familyPrefix: string;
}

/** Ends the flow runs' tasks when the worker is deleted, before the cluster, the roles and the security groups that they run with. */
export class FlowRunTasks extends Construct {
  public readonly resource: CustomResource;

  constructor(scope: Construct, id: string, { api, network, cluster, identity, managed, workPoolName: workPool, familyPrefix }: FlowRunTasksProps) {
    super(scope, id);
    const configuration: FlowRunTasksConfiguration = { api: apiLocation(api), workPool, cluster: cluster.clusterArn, family: familyPrefix };
    this.resource = managed.ask(FLOW_RUN_TASKS, this, Stack.of(this).toJsonString(configuration));
    // While tasks end, they use all of this; the pool has the rest in its template.
    const { flowRunRole, flowRunExecutionRole } = identity;
    const roles = [flowRunRole, flowRunExecutionRole];
    this.resource.node.addDependency(managed.pools.letEndFlowRuns(cluster), managed.resource, network.connectivity, ...roles);
  }
}
