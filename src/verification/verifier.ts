import { aws_ecs as ecs, aws_iam as iam, aws_lambda as lambda, Duration, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { VerificationFunction } from './verification-function';
import { ApiFunctions } from '../functions/api-functions';
import { apiEnvironment } from '../private/api-function';
import { PoolProvider } from '../work-pool/pool-provider';

/** The function that verifies the workers of one API. */
export class Verifier extends Construct {
  public readonly function: lambda.Function;
  /** What lets CloudFormation's calls through to it. */
  public readonly callable: iam.Policy;
  private readonly role: iam.Role;

  constructor(scope: ApiFunctions, id: string, provider: PoolProvider) {
    super(scope, id);
    const { role, ...options } = scope.options(this, 'Verifies deployments of Prefect workers by a flow run');
    this.role = role;
    this.function = new VerificationFunction(this, 'Function', {
      description: 'Verifies deployments of Prefect workers by a flow run',
      // More than a flow run is given.
      timeout: Duration.minutes(15),
      memorySize: 128,
      environment: apiEnvironment(this, scope.api),
      role,
      ...options,
    });
    this.callable = new iam.Policy(this, 'Call', {
      statements: [new iam.PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [this.function.functionArn] })],
    });
    provider.role.attachInlinePolicy(this.callable);
  }

  /** Lets it say why a task has stopped. Without ids of statements, which would be the same for each cluster. */
  public lookAt({ clusterArn, clusterName }: ecs.ICluster): this {
    const conditions = { ArnEquals: { 'ecs:cluster': clusterArn } };
    const tasks = Stack.of(this).formatArn({ service: 'ecs', resource: 'task', resourceName: `${clusterName}/*` });
    this.role.addToPolicy(new iam.PolicyStatement({ actions: ['ecs:DescribeTasks'], resources: [tasks], conditions }));
    // Its resources are container instances, which Fargate has none of; the cluster is what can be fixed.
    this.role.addToPolicy(new iam.PolicyStatement({ actions: ['ecs:ListTasks'], resources: ['*'], conditions }));
    return this;
  }
}
