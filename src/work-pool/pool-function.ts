import { aws_ecs as ecs, aws_iam as iam, aws_lambda as lambda, Duration, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { PoolProvider } from './pool-provider';
import { WorkPoolFunction } from './work-pool-function';
import { ApiFunctions } from '../functions/api-functions';
import { fingerprint } from '../private/fingerprint';

/** The function that keeps the work pools of one API, and who may call it. */
export class PoolFunction extends Construct {
  public readonly function: lambda.Function;
  /** By which Amazon EventBridge Scheduler calls it. */
  public readonly scheduleRole: iam.Role;
  /** What lets CloudFormation's calls through to it; a resource that asks it depends on that. */
  public readonly callable: iam.Policy;
  private readonly role: iam.Role;

  constructor(scope: ApiFunctions, id: string, provider: PoolProvider) {
    super(scope, id);
    const { role, ...options } = scope.options(this, 'Keeps Prefect work pools as the stack describes them');
    this.role = role;
    this.function = new WorkPoolFunction(this, 'Function', {
      description: 'Keeps Prefect work pools as the stack describes them',
      // As long as the flow runs of a stack that is deleted may take to end; an API that can't be reached is given up before.
      timeout: Duration.minutes(15),
      memorySize: 256,
      role,
      ...options,
    });
    this.scheduleRole = new iam.Role(this, 'ScheduleRole', {
      description: 'Lets the hourly look at Prefect work pools start its function',
      assumedBy: new iam.ServicePrincipal('scheduler.amazonaws.com', { conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } } }),
    });
    // grantInvoke() would admit every version of the function, too.
    const call = new iam.PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [this.function.functionArn] });
    this.scheduleRole.addToPolicy(call);
    this.callable = attached(provider.role, new iam.Policy(this, 'Call', { statements: [call] }));
  }

  /**
   * Lets it end the flow runs' tasks in a cluster. A policy of its own, that is deleted after the resource which ends them: those of
   * the function's role are cut down first where the cluster's last worker is removed.
   */
  public letEndFlowRuns({ clusterArn, clusterName }: ecs.ICluster): iam.Policy {
    const id = `EndFlowRunsIn${fingerprint(this, clusterArn)}`;
    const allow = (sid: string, actions: string[], resource: string) =>
      new iam.PolicyStatement({ sid, actions, resources: [resource], conditions: { ArnEquals: { 'ecs:cluster': clusterArn } } });
    return this.node.tryFindChild(id) as iam.Policy | undefined ?? attached(this.role, new iam.Policy(this, id, {
      statements: [
        allow('EndFlowRuns', ['ecs:DescribeTasks', 'ecs:StopTask'], Stack.of(this).formatArn({ service: 'ecs', resource: 'task', resourceName: `${clusterName}/*` })),
        // Its resources are container instances, which Fargate has none of; the cluster is what can be fixed.
        allow('FindFlowRuns', ['ecs:ListTasks'], '*'),
      ],
    }));
  }
}

/** By the role's own method: a role that others have created takes no policy into the template. */
function attached(role: iam.Role, policy: iam.Policy): iam.Policy {
  role.attachInlinePolicy(policy);
  return policy;
}
