import { aws_config as config } from 'aws-cdk-lib';
import { CREDENTIALS } from '../task/environment';
import { WorkerType } from '../worker-type';

/** A managed rule of AWS Config that judges a resource when it changes. */
export interface WatchingRule {
  readonly id: string;
  readonly identifier: string;
  /** Type of the resources that it judges; the rule is there when the worker has some. */
  readonly type: string;
  /** What it finds, and what to do then: at most 256 characters together. */
  readonly finding: string;
  readonly fix: string;
  readonly parameters?: { readonly [name: string]: string };
  /** The worker's type, where only its resources pass. */
  readonly workerType?: WorkerType;
  /** Where AWS Config lacks the rule. */
  readonly lackingIn?: 'aws-us-gov' | 'cn-northwest-1';
}

const OVERRIDE = 'Take back the override of the task definition and deploy.';
const DEPLOY_AGAIN = 'Undo the change made outside CloudFormation, or deploy again.';

/** All of them pass for what this library makes; a finding means that something was changed since. */
export const WATCHING_RULES: readonly WatchingRule[] = [
  {
    id: 'ContainersNonPrivileged',
    identifier: config.ManagedRuleIdentifiers.ECS_CONTAINERS_NONPRIVILEGED,
    type: 'AWS::ECS::TaskDefinition',
    finding: 'A container of the worker runs privileged.',
    fix: OVERRIDE,
  },
  {
    id: 'ContainersReadOnly',
    identifier: config.ManagedRuleIdentifiers.ECS_CONTAINERS_READONLY_ACCESS,
    type: 'AWS::ECS::TaskDefinition',
    finding: 'A container of the worker can write to its root file system.',
    fix: OVERRIDE,
    // A PROCESS worker runs flows, which write where their image lets them.
    workerType: WorkerType.ECS,
  },
  {
    id: 'NoSecretsInEnvironment',
    identifier: config.ManagedRuleIdentifiers.ECS_NO_ENVIRONMENT_SECRETS,
    type: 'AWS::ECS::TaskDefinition',
    finding: 'A Prefect credential is in clear text in the task definition.',
    fix: 'Revoke it in Prefect, put the new one into Secrets Manager, give that to api and deploy.',
    parameters: { secretKeys: CREDENTIALS.join(',') },
    lackingIn: 'aws-us-gov',
  },
  {
    id: 'ContainersLogged',
    identifier: config.ManagedRuleIdentifiers.ECS_TASK_DEFINITION_LOG_CONFIGURATION,
    type: 'AWS::ECS::TaskDefinition',
    finding: 'A container of the worker writes its logs nowhere.',
    fix: OVERRIDE,
    lackingIn: 'aws-us-gov',
  },
  {
    id: 'ContainerInsights',
    identifier: config.ManagedRuleIdentifiers.ECS_CONTAINER_INSIGHTS_ENABLED,
    type: 'AWS::ECS::Cluster',
    finding: 'Container Insights is off for the worker\'s cluster, so alarms on its tasks see nothing.',
    fix: DEPLOY_AGAIN,
  },
  {
    id: 'LatestPlatform',
    identifier: config.ManagedRuleIdentifiers.ECS_FARGATE_LATEST_PLATFORM_VERSION,
    type: 'AWS::ECS::Service',
    finding: 'The worker\'s service is held at an old Fargate platform version.',
    fix: 'Take back the override of platformVersion, or force a new deployment of the service.',
  },
  {
    id: 'SecurityGroupsClosed',
    identifier: config.ManagedRuleIdentifiers.VPC_SG_OPEN_ONLY_TO_AUTHORIZED_PORTS,
    type: 'AWS::EC2::SecurityGroup',
    finding: 'A security group of the worker lets connections in from everywhere.',
    fix: 'Remove the ingress rule: worker and flow runs need none.',
  },
  {
    id: 'SubnetsWithoutPublicAddresses',
    identifier: config.ManagedRuleIdentifiers.SUBNET_AUTO_ASSIGN_PUBLIC_IP_DISABLED,
    type: 'AWS::EC2::Subnet',
    finding: 'A subnet of the worker\'s VPC gives public addresses to what starts in it.',
    fix: DEPLOY_AGAIN,
  },
  {
    id: 'FunctionsNotPublic',
    identifier: config.ManagedRuleIdentifiers.LAMBDA_FUNCTION_PUBLIC_ACCESS_PROHIBITED,
    type: 'AWS::Lambda::Function',
    finding: 'Anybody may call a function of the worker.',
    fix: 'Remove the statement with the principal * from the function\'s resource policy.',
    lackingIn: 'cn-northwest-1',
  },
  {
    id: 'TopicsEncrypted',
    identifier: config.ManagedRuleIdentifiers.SNS_ENCRYPTED_KMS,
    type: 'AWS::SNS::Topic',
    finding: 'The topic of the worker\'s alarms is not encrypted with a KMS key.',
    fix: DEPLOY_AGAIN,
  },
  {
    id: 'BucketsNotPublic',
    identifier: config.ManagedRuleIdentifiers.S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED,
    type: 'AWS::S3::Bucket',
    finding: 'The archive of the worker\'s logs can be made public.',
    fix: DEPLOY_AGAIN,
  },
  {
    id: 'BucketsTlsOnly',
    identifier: config.ManagedRuleIdentifiers.S3_BUCKET_SSL_REQUESTS_ONLY,
    type: 'AWS::S3::Bucket',
    finding: 'The archive of the worker\'s logs answers requests without TLS.',
    fix: DEPLOY_AGAIN,
  },
];
