import { aws_ec2 as ec2, aws_ecs as ecs, aws_rds as rds, aws_secretsmanager as secretsmanager } from 'aws-cdk-lib';
import { GivenDatabase } from './given-database';
import { ServerAuroraOptions, ServerDatabaseConnectionOptions, ServerDatabaseEndpointOptions, ServerInstanceOptions } from './server-database-options';
import { destination } from './server-network';
import { requireGivenSecret } from '../private/secrets';
import { invalid, isResolved, requireWholeNumber, ValidationError } from '../private/validation';

/**
 * The PostgreSQL database of a server: created for it, or yours.
 *
 * SQLite is not offered: the disk of a Fargate task is gone with it, and its write-ahead log works on no network file system.
 *
 * @see https://docs.prefect.io/v3/advanced/self-hosted
 */
export class ServerDatabase {
  /**
   * An instance of Amazon RDS is created: encrypted, with backups, in the private subnets. Amazon RDS keeps its password in AWS Secrets
   * Manager and rotates it each week; the server's tasks follow.
   *
   * Throws for a disk of less than 20 GiB.
   *
   * @param options class, standby, disk
   */
  public static instance(options: ServerInstanceOptions = {}): ServerDatabase {
    requireWholeNumber('allocatedStorageGiB', options.allocatedStorageGiB, 20);
    requireBackups(options);
    return new ServerDatabase(undefined, options, undefined);
  }

  /**
   * A cluster of Amazon Aurora Serverless v2 is created, with a writer and a reader in another zone that takes its place. The rest is as
   * with `instance()`.
   *
   * Throws for a capacity that Aurora doesn't take.
   *
   * @param options capacity
   */
  public static auroraServerless(options: ServerAuroraOptions = {}): ServerDatabase {
    const { minCapacity = 0.5, maxCapacity = 4 } = options;
    if (isResolved(minCapacity) && minCapacity < 0.5) throw invalid('minCapacity', minCapacity, 'give at least 0.5: a server always holds connections, so the database never pauses.');
    if (isResolved(maxCapacity) && (maxCapacity < 1 || maxCapacity > 256)) throw invalid('maxCapacity', maxCapacity, 'give 1 to 256 ACU.');
    requireBackups(options);
    return new ServerDatabase(undefined, undefined, options);
  }

  /**
   * Your own RDS instance, which may be imported. Throws where no credentials are known.
   *
   * @param instance in the server's VPC, or in one that is connected with it
   * @param options database name, credentials
   */
  public static fromInstance(instance: rds.IDatabaseInstance, options: ServerDatabaseConnectionOptions = {}): ServerDatabase {
    const { secret, vpc } = instance as Partial<rds.DatabaseInstance>;
    return ServerDatabase.given(instance.dbInstanceEndpointAddress, 5432, instance.connections, options, secret, { vpc, path: instance.node.path });
  }

  /**
   * Your own cluster, Aurora or RDS Multi-AZ, which may be imported. Throws where no credentials are known.
   *
   * @param cluster in the server's VPC, or in one that is connected with it
   * @param options database name, credentials
   */
  public static fromCluster(cluster: rds.IDatabaseCluster, options: ServerDatabaseConnectionOptions = {}): ServerDatabase {
    const { secret, vpc } = cluster as Partial<rds.DatabaseCluster>;
    return ServerDatabase.given(cluster.clusterEndpoint.hostname, 5432, cluster.connections, options, secret, { vpc, path: cluster.node.path });
  }

  /**
   * Any PostgreSQL from version 14 on. It has to take encrypted connections.
   *
   * Throws for a host with a scheme or a path, and where there are no credentials.
   *
   * @param options where it is, and its credentials
   */
  public static fromEndpoint(options: ServerDatabaseEndpointOptions): ServerDatabase {
    const { host, port = 5432, securityGroups } = options;
    if (!host || isResolved(host) && /[/:@?]/.test(host)) {
      throw invalid('host', host && /@/.test(host) ? '...' : host, 'give the host name alone, such as postgres.example.com; port, user and password have props of their own.');
    }
    return ServerDatabase.given(host, port, destination(port, securityGroups), options);
  }

  private static given(
    host: string, port: number, connections: ec2.Connections, options: ServerDatabaseConnectionOptions, secret?: secretsmanager.ISecret, source?: GivenDatabase['source'],
  ): ServerDatabase {
    const { databaseName = 'prefect', maxConnections, tlsCaCertificate } = options;
    const credentials = options.credentials ?? (secret && {
      username: ecs.Secret.fromSecretsManager(secret, 'username'),
      password: ecs.Secret.fromSecretsManager(secret, 'password'),
    });
    if (!credentials) {
      throw new ValidationError(`credentials is missing: the CDK doesn't know the secret of ${source?.path ?? 'the database'}; `
        + 'give { username, password }, such as ecs.Secret.fromSecretsManager(secret, \'username\') and ecs.Secret.fromSecretsManager(secret, \'password\').');
    }
    requireGivenSecret('credentials.username', credentials.username);
    requireGivenSecret('credentials.password', credentials.password);
    requireWholeNumber('maxConnections', maxConnections, 1);
    if (isResolved(tlsCaCertificate) && !tlsCaCertificate.startsWith('-----BEGIN CERTIFICATE-----')) {
      throw invalid('tlsCaCertificate', '...', 'give the certificate itself as PEM text, from -----BEGIN CERTIFICATE----- on.');
    }
    return new ServerDatabase({ host, port, databaseName, credentials, connections, maxConnections, tlsCaCertificate, source });
  }

  private constructor(
    /** @internal */
    public readonly _given?: GivenDatabase,
    /** @internal */
    public readonly _instance?: ServerInstanceOptions,
    /** @internal */
    public readonly _aurora?: ServerAuroraOptions,
  ) {}
}

function requireBackups({ backupRetention }: ServerInstanceOptions): void {
  if (!backupRetention || backupRetention.isUnresolved()) return;
  const days = backupRetention.toDays({ integral: false });
  if (days < 1 || days > 35) throw invalid('backupRetention', backupRetention.toString(), 'Amazon RDS keeps backups for 1 to 35 days.');
}
