import { aws_ec2 as ec2, aws_ecs as ecs, aws_kms as kms, Duration, RemovalPolicy } from 'aws-cdk-lib';
import { ServerAccess, ServerDomain, ServerSignIn } from './server-access';
import { ServerDatabase } from './server-database';
import { ServerFirewallOptions } from './server-firewall-options';
import { ServerObservabilityOptions } from './server-observability-options';
import { ServerRedisOptions } from './server-redis-options';
import { ServerSize } from './server-size';

/** Properties of `PrefectServer`. */
export interface PrefectServerProps {
  /**
   * VPC in which the server runs, with its database. It needs private subnets, and public ones for `ServerAccess.PUBLIC_LOAD_BALANCER`.
   */
  readonly vpc: ec2.IVpc;

  /**
   * Subnets of the tasks, the database and an internal load balancer.
   *
   * @default - the private subnets; the isolated ones where there are no others
   */
  readonly vpcSubnets?: ec2.SubnetSelection;

  /**
   * Cluster in which the tasks run; it has to be in `vpc`.
   *
   * @default - one is created, with Container Insights
   */
  readonly cluster?: ecs.ICluster;

  /**
   * How large the server is, and how much of it may fail.
   *
   * @default ServerSize.small()
   */
  readonly size?: ServerSize;

  /**
   * The database: one that is created, or yours.
   *
   * @default - ServerDatabase.instance() for a small server, ServerDatabase.auroraServerless() for a highly available one
   */
  readonly database?: ServerDatabase;

  /**
   * Your own Redis or Valkey, for a highly available server: a small one keeps its messages in memory.
   *
   * @default - for a highly available server, Valkey in Amazon ElastiCache with a replica in another zone
   */
  readonly redis?: ServerRedisOptions;

  /**
   * Name and certificate of a load balancer.
   *
   * @default - none, and so no load balancer
   */
  readonly domain?: ServerDomain;

  /**
   * The way in which the server is reached.
   *
   * @default - `ServerAccess.INTERNAL_LOAD_BALANCER` where there is a `domain`, otherwise `ServerAccess.PRIVATE_DNS`
   */
  readonly access?: ServerAccess;

  /**
   * How people sign in before they reach a public server. Only with `ServerAccess.PUBLIC_LOAD_BALANCER`.
   *
   * @default - with the authentication string alone, which the UI asks for
   */
  readonly signIn?: ServerSignIn;

  /**
   * The firewall before a public server. Only with `ServerAccess.PUBLIC_LOAD_BALANCER`.
   *
   * @default - rate, reputation, known bad inputs and common attacks, with the exceptions that Prefect's clients need
   */
  readonly firewall?: ServerFirewallOptions;

  /**
   * What every client has to know: `user:password` in ASCII, as one text, in AWS Secrets Manager or in an SSM parameter.
   * `PrefectApi.fromServer()` gives it to workers and flow runs.
   *
   * @see https://docs.prefect.io/v3/advanced/security-settings
   * @default - a secret is created, for the user `prefect`
   */
  readonly authString?: ecs.Secret;

  /**
   * How long flow runs are kept that have ended, with their task runs and logs.
   *
   * @default Duration.days(90)
   */
  readonly flowRunRetention?: Duration;

  /**
   * How long events are kept, which are most of what the database holds.
   *
   * @default Duration.days(7)
   */
  readonly eventRetention?: Duration;

  /**
   * Image of the server: the official one, or one that is built on it.
   *
   * @default - the official image of the Prefect version that the library is tested with
   */
  readonly image?: ecs.ContainerImage;

  /**
   * Whether the default image is copied to a repository of the stack, so that no task waits for Docker Hub.
   *
   * @default true
   */
  readonly copyImages?: boolean;

  /**
   * CPU architecture of the tasks, which the image has to have.
   *
   * @default ecs.CpuArchitecture.ARM64
   */
  readonly cpuArchitecture?: ecs.CpuArchitecture;

  /**
   * Further settings of the server, by their environment variables. Throws for those that this construct sets.
   *
   * @see https://docs.prefect.io/v3/api-ref/settings-ref
   * @default - none
   */
  readonly environment?: { [name: string]: string };

  /**
   * Further settings whose values are secrets.
   *
   * @default - none
   */
  readonly secrets?: { [name: string]: ecs.Secret };

  /**
   * Whether people may run commands in the server's containers with ECS Exec.
   *
   * @default false
   */
  readonly enableExecuteCommand?: boolean;

  /**
   * Alarms, dashboard and how long logs are kept.
   *
   * @default - alarms, a dashboard, 30 days of logs
   */
  readonly observability?: ServerObservabilityOptions;

  /**
   * Key that encrypts the database, Redis, secrets and logs. Its policy gets what AWS's services need.
   *
   * @default - a key is created
   */
  readonly encryptionKey?: kms.IKey;

  /**
   * What becomes of the database when it is removed from the stack, or the stack is deleted. With all but DESTROY, the key stays too.
   *
   * @default RemovalPolicy.SNAPSHOT
   */
  readonly removalPolicy?: RemovalPolicy;
}
