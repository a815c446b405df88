import { aws_ecs as ecs, aws_iam as iam, aws_lambda as lambda, Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { NAMESPACE } from './metrics';
import { PublisherFunction } from './publisher-function';
import { ApiFunctions } from '../functions/api-functions';
import { apiEnvironment } from '../private/api-function';
import { NO_SECOND_TRY } from '../private/turn';

/** The function that publishes the demand for the workers of one API. */
export class Publisher extends Construct {
  public readonly function: lambda.Function;
  private readonly services = new iam.PolicyStatement({ sid: 'Services', actions: ['ecs:DescribeServices'] });

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
  }

  /** Lets it see what a worker's service runs. */
  public serve(service: ecs.FargateService): lambda.Function {
    this.services.addResources(service.serviceArn);
    return this.function;
  }
}
