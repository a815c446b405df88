import { aws_ec2 as ec2, aws_ecs as ecs, Duration } from 'aws-cdk-lib';

/** What is kept of a database that is created. */
export interface ServerDatabaseBackups {
  /**
   * How long automatic backups are kept, 1 to 35 days. The database can be restored to any second of it.
   *
   * @default Duration.days(7)
   */
  readonly backupRetention?: Duration;

  /**
   * Whether the database is kept from being deleted, by this stack too, until this is switched off.
   *
   * @default true
   */
  readonly deletionProtection?: boolean;
}

/** Options of `ServerDatabase.instance()`. */
export interface ServerInstanceOptions extends ServerDatabaseBackups {
  /**
   * Class of the instance.
   *
   * @default - db.t4g.micro
   */
  readonly instanceType?: ec2.InstanceType;

  /**
   * Whether a standby in another zone takes over when the instance fails, within about a minute.
   *
   * @default - true with `ServerSize.highlyAvailable()`
   */
  readonly multiAz?: boolean;

  /**
   * Size of the disk in GiB, at least 20. It grows by itself up to five times as much. A flow run leaves about 300 KB of events behind,
   * for as long as `eventRetention` says.
   *
   * @default 20
   */
  readonly allocatedStorageGiB?: number;
}

/** Options of `ServerDatabase.auroraServerless()`. */
export interface ServerAuroraOptions extends ServerDatabaseBackups {
  /**
   * The least capacity of an instance in Aurora capacity units (ACU), of 2 GiB each. At least 0.5: a server never leaves its database
   * alone, so that it would not pause at 0.
   *
   * @default 0.5
   */
  readonly minCapacity?: number;

  /**
   * The most capacity of an instance in ACU. It says how many connections the database takes.
   *
   * @default 4
   */
  readonly maxCapacity?: number;
}

/** What its construct doesn't tell of your own database. */
export interface ServerDatabaseConnectionOptions {
  /**
   * Name of the database in it. It has to exist.
   *
   * @default 'prefect'
   */
  readonly databaseName?: string;

  /**
   * User name and password: fields `username` and `password` of a secret in AWS Secrets Manager, or SSM parameters.
   *
   * @default - the secret of the instance or the cluster
   */
  readonly credentials?: ServerDatabaseCredentials;

  /**
   * How many connections the database takes (`max_connections`). Each task of the server holds up to 15, and twice as many run while it
   * is deployed: at synth it is checked that they are enough.
   *
   * @default - not checked
   */
  readonly maxConnections?: number;

  /**
   * Certificate authorities that sign the database's certificate, as PEM text. Connections are always encrypted, and the certificate has
   * to lead to one of these.
   *
   * @default - those of Amazon RDS in the stack's region
   */
  readonly tlsCaCertificate?: string;
}

/** User and password of a database. */
export interface ServerDatabaseCredentials {
  /** The user's name, such as `ecs.Secret.fromSecretsManager(secret, 'username')`. */
  readonly username: ecs.Secret;

  /** The password, such as `ecs.Secret.fromSecretsManager(secret, 'password')`. */
  readonly password: ecs.Secret;
}

/** Options of `ServerDatabase.fromEndpoint()`. */
export interface ServerDatabaseEndpointOptions extends ServerDatabaseConnectionOptions {
  /** Host name of the PostgreSQL server, which its certificate is for. */
  readonly host: string;

  /**
   * Its port.
   *
   * @default 5432
   */
  readonly port?: number;

  /**
   * Its security groups, in which the server is let in.
   *
   * @default - its network lets the server in already, and the server may connect to any address on that port
   */
  readonly securityGroups?: ec2.ISecurityGroup[];
}
