import { aws_ec2 as ec2, aws_ecs as ecs } from 'aws-cdk-lib';

/**
 * Your own Redis or Valkey. It has to be one primary with replicas, as a replication group of Amazon ElastiCache with cluster mode
 * disabled, with TLS and `maxmemory-policy` `noeviction`: what Prefect keeps there must not be dropped.
 */
export interface ServerRedisOptions {
  /** Host name of the primary. */
  readonly host: string;

  /**
   * Its port.
   *
   * @default 6379
   */
  readonly port?: number;

  /**
   * The password (AUTH token), in AWS Secrets Manager or in an SSM parameter.
   *
   * @default - it asks for none
   */
  readonly authToken?: ecs.Secret;

  /**
   * Its security groups, in which the server is let in.
   *
   * @default - its network lets the server in already, and the server may connect to any address on that port
   */
  readonly securityGroups?: ec2.ISecurityGroup[];
}
