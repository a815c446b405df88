import { aws_ecs as ecs, aws_iam as iam, CustomResource, Stack } from 'aws-cdk-lib';
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

    const inThisCluster = { ArnEquals: { 'ecs:cluster': cluster.clusterArn } };
    const allow = (sid: string, actions: string[], resource: string) =>
      managed.role.addToPrincipalPolicy(new iam.PolicyStatement({ sid, actions, resources: [resource], conditions: inThisCluster }));
    allow('EndFlowRuns', ['ecs:DescribeTasks', 'ecs:StopTask'],
      Stack.of(this).formatArn({ service: 'ecs', resource: 'task', resourceName: `${cluster.clusterName}/*` }));
    // Its resources are container instances, which Fargate has none of; the cluster is what can be fixed.
    allow('FindFlowRuns', ['ecs:ListTasks'], '*');

    const configuration: FlowRunTasksConfiguration = { api: apiLocation(api), workPool, cluster: cluster.clusterArn, family: familyPrefix };
    this.resource = new CustomResource(this, 'Resource', {
      resourceType: FLOW_RUN_TASKS,
      serviceToken: managed.serviceToken,
      properties: { Configuration: Stack.of(this).toJsonString(configuration) },
    });
    // While tasks end, they use all of this; the pool has the rest in its template.
    this.resource.node.addDependency(managed.resource, network.reachable, identity.flowRunRole, identity.flowRunExecutionRole);
  }
}
