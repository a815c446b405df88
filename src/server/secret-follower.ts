import { aws_ecs as ecs, aws_events as events, aws_events_targets as targets, aws_iam as iam, aws_kms as kms, aws_lambda as lambda, aws_logs as logs, Duration, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { SecretFollowerFunction } from './secret-follower-function';
import { functionLogs } from '../private/api-function';
import { WORKER_SECRETS_VARIABLE } from '../rescue/configuration';

export interface SecretFollowerProps {
  readonly cluster: ecs.ICluster;
  readonly services: readonly ecs.FargateService[];
  readonly secrets: readonly ecs.Secret[];
  readonly encryptionKey: kms.IKey;
  readonly logRetention: logs.RetentionDays;
}

/**
 * Brings a new value of a secret to the server, such as the password of the database that Amazon RDS has rotated: its tasks are replaced
 * one after the other within a minute. Connections that are open stay so.
 */
export class SecretFollower extends Construct {
  public readonly function: lambda.Function;

  constructor(scope: Construct, id: string, props: SecretFollowerProps) {
    super(scope, id);
    const { cluster, services, secrets } = props;
    const logGroup = functionLogs(this, 'Logs', props);
    const role = new iam.Role(this, 'Role', {
      description: 'Brings new values of secrets to the Prefect server',
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
    });
    logGroup.grantWrite(role);
    secrets.forEach(secret => secret.grantRead(role));
    role.addToPolicy(new iam.PolicyStatement({
      sid: 'RestartServices',
      actions: ['ecs:DescribeServices', 'ecs:UpdateService'],
      resources: services.map(({ serviceArn }) => serviceArn),
      conditions: { ArnEquals: { 'ecs:cluster': cluster.clusterArn } },
    }));
    this.function = new SecretFollowerFunction(this, 'Function', {
      description: `Brings new values of secrets to the Prefect server ${scope.node.path}`,
      timeout: Duration.seconds(55),
      memorySize: 256,
      architecture: lambda.Architecture.ARM_64,
      // The next minute's look is as good as a second try.
      retryAttempts: 0,
      maxEventAge: Duration.minutes(1),
      environment: {
        CONFIGURATION: Stack.of(this).toJsonString({
          cluster: cluster.clusterArn,
          services: services.map(({ serviceName }) => serviceName),
        }),
        [WORKER_SECRETS_VARIABLE]: Stack.of(this).toJsonString(secrets.map(({ arn }) => arn)),
      },
      role,
      logGroup,
    });
    new events.Rule(this, 'Schedule', {
      description: `Looks for new values of the secrets of the Prefect server ${scope.node.path}`,
      schedule: events.Schedule.rate(Duration.minutes(1)),
      targets: [new targets.LambdaFunction(this.function, { retryAttempts: 0, maxEventAge: Duration.minutes(1) })],
    });
  }
}
