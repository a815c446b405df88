import { aws_ecs as ecs, aws_iam as iam, aws_lambda as lambda, Duration, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { NAMESPACE } from './metrics';
import { PublisherFunction } from './publisher-function';
import { ApiFunctions } from '../functions/api-functions';
import { apiEnvironment } from '../private/api-function';
import { NO_SECOND_TRY } from '../private/turn';

/** The function that publishes the demand for the workers of one API, and has their services keep as many as it takes. */
export class Publisher extends Construct {
  public readonly function: lambda.Function;
  private readonly role: iam.Role;
  private readonly services = new iam.PolicyStatement({ sid: 'Services', actions: ['ecs:DescribeServices'] });
  private readonly scaled = new iam.PolicyStatement({ sid: 'ScaledServices', actions: ['ecs:UpdateService'] });
  private readonly tasks = new iam.PolicyStatement({ sid: 'BusyTasks', actions: ['ecs:DescribeTasks', 'ecs:GetTaskProtection'] });

  constructor(scope: ApiFunctions, id: string) {
    super(scope, id);
    const options = scope.options(this, 'Publishes the demand for Prefect workers');
    this.function = new PublisherFunction(this, 'Function', {
      description: 'Publishes the demand for Prefect workers',
      timeout: Duration.seconds(60),
      memorySize: 256,
      architecture: lambda.Architecture.ARM_64,
      ...NO_SECOND_TRY,
      environment: apiEnvironment(this, scope.api),
      ...options,
    });
    options.logGroup.grant(options.role, 'logs:FilterLogEvents');
    options.role.addToPolicy(new iam.PolicyStatement({
      sid: 'Metrics',
      actions: ['cloudwatch:PutMetricData'],
      // CloudWatch has no resources for metrics; the namespace is what can be fixed.
      resources: ['*'],
      conditions: { StringEquals: { 'cloudwatch:namespace': NAMESPACE } },
    }));
    options.role.addToPolicy(this.services);
    this.role = options.role;
  }

  /** Lets it see what a worker's service runs. */
  public serve(service: ecs.FargateService): void {
    this.services.addResources(service.serviceArn);
  }

  /** Lets it set how many workers a service keeps; where they hold flow runs themselves, it looks at which of them do. */
  public scale(service: ecs.FargateService, holdsFlowRuns: boolean): void {
    if (this.scaled.resources.length === 0) this.grantScaling();
    this.scaled.addResources(service.serviceArn);
    if (!holdsFlowRuns) return;
    if (this.tasks.resources.length === 0) this.role.addToPolicy(this.tasks);
    this.tasks.addResources(Stack.of(this).formatArn({ service: 'ecs', resource: 'task', resourceName: `${service.cluster.clusterName}/*` }));
  }

  private grantScaling(): void {
    this.role.addToPolicy(this.scaled);
    this.role.addToPolicy(new iam.PolicyStatement({
      sid: 'Scaling',
      // What has been needed in the last minutes, and the bounds of now: neither metrics nor scalable targets can be named here.
      actions: ['cloudwatch:GetMetricData', 'application-autoscaling:DescribeScalableTargets'],
      resources: ['*'],
    }));
  }
}
