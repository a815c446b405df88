import { aws_ec2 as ec2, aws_kms as kms, aws_rds as rds, aws_secretsmanager as secretsmanager, Duration, RemovalPolicy, SecretValue, Stack } from 'aws-cdk-lib';
import { Construct, IDependable } from 'constructs';
import { KeyedSecret } from './keyed-secret';
import { rdsCertificates } from './rds-certificates';
import { ServerDatabase } from './server-database';
import { ServerDatabaseBackups, ServerDatabaseCredentials } from './server-database-options';
import { ServerNetwork } from './server-network';
import { requireSameVpc } from '../private/same-vpc';

export interface DatabaseProps {
  readonly network: ServerNetwork;
  readonly database: ServerDatabase;
  /** Whether an instance has a standby where nothing is said. */
  readonly highlyAvailable: boolean;
  readonly encryptionKey: kms.IKey;
  readonly removalPolicy: RemovalPolicy;
}

const NAME = 'prefect';
const USER = 'prefect';
const PORT = 5432;

/** The PostgreSQL database, created or given, with what it takes to connect to it. */
export class Database extends Construct {
  public readonly host: string;
  public readonly port: number;
  public readonly databaseName: string;
  public readonly credentials: ServerDatabaseCredentials;
  public readonly connections: ec2.Connections;
  /** PEM of the authorities that sign its certificate. */
  public readonly certificate: string;
  /** What has to be there before anything connects. */
  public readonly available: IDependable[] = [];
  public readonly instance?: rds.DatabaseInstance;
  public readonly cluster?: rds.DatabaseCluster;

  constructor(scope: Construct, id: string, private readonly props: DatabaseProps) {
    super(scope, id);
    const { database: { _given: given, _aurora: aurora }, network } = props;
    this.certificate = given?.tlsCaCertificate ?? rdsCertificates(this);

    if (given) {
      const { source } = given;
      if (source?.vpc) requireSameVpc('database', source.path, source.vpc, network.vpc, 'give a database of the same VPC; one of a VPC that is connected with it by ServerDatabase.fromEndpoint().');
      ({ host: this.host, port: this.port, databaseName: this.databaseName, credentials: this.credentials, connections: this.connections } = given);
    } else {
      const secretArn = aurora ? this.createCluster() : this.createInstance();
      const created = (this.cluster ?? this.instance)!;
      this.host = this.cluster?.clusterEndpoint.hostname ?? this.instance!.dbInstanceEndpointAddress;
      this.port = PORT;
      this.databaseName = NAME;
      const secret = secretsmanager.Secret.fromSecretCompleteArn(this, 'Credentials', secretArn);
      this.credentials = { username: new KeyedSecret(secret, props.encryptionKey, 'username'), password: new KeyedSecret(secret, props.encryptionKey, 'password') };
      this.connections = new ec2.Connections({ securityGroups: created.connections.securityGroups, defaultPort: ec2.Port.tcp(PORT) });
      this.available.push(created);
    }
    // Rules of both sides are in this stack, whoever the database is of.
    network.connections.allowTo(this.connections, ec2.Port.tcp(this.port), 'the database');
  }

  private createInstance(): string {
    const { database: { _instance: options = {} }, highlyAvailable } = this.props;
    const { allocatedStorageGiB = 20 } = options;
    const instance = new rds.DatabaseInstance(this, 'Instance', {
      ...this.common(options),
      engine: rds.DatabaseInstanceEngine.postgres({ version: rds.PostgresEngineVersion.of('17', '17') }),
      instanceType: options.instanceType ?? ec2.InstanceType.of(ec2.InstanceClass.T4G, ec2.InstanceSize.MICRO),
      databaseName: NAME,
      multiAz: options.multiAz ?? highlyAvailable,
      allocatedStorage: allocatedStorageGiB,
      maxAllocatedStorage: 5 * allocatedStorageGiB,
      storageType: rds.StorageType.GP3,
      caCertificate: rds.CaCertificate.RDS_CA_RSA2048_G1,
      autoMinorVersionUpgrade: true,
      cloudwatchLogsExports: ['postgresql', 'upgrade'],
    });
    (this as { instance?: rds.DatabaseInstance }).instance = instance;
    const resource = instance.node.defaultChild as rds.CfnDBInstance;
    this.leavePasswordToRds(resource);
    return resource.attrMasterUserSecretSecretArn;
  }

  private createCluster(): string {
    const { minCapacity = 0.5, maxCapacity = 4, ...backups } = this.props.database._aurora!;
    const { storageEncryptionKey, backupRetention, ...common } = this.common(backups);
    const instance = { caCertificate: rds.CaCertificate.RDS_CA_RSA2048_G1, autoMinorVersionUpgrade: true };
    const cluster = new rds.DatabaseCluster(this, 'Cluster', {
      ...common,
      storageEncrypted: true,
      storageEncryptionKey,
      backup: { retention: backupRetention },
      engine: rds.DatabaseClusterEngine.auroraPostgres({ version: rds.AuroraPostgresEngineVersion.of('16.8', '16') }),
      defaultDatabaseName: NAME,
      serverlessV2MinCapacity: minCapacity,
      serverlessV2MaxCapacity: maxCapacity,
      writer: rds.ClusterInstance.serverlessV2('Writer', instance),
      readers: [rds.ClusterInstance.serverlessV2('Reader', { ...instance, scaleWithWriter: true })],
      cloudwatchLogsExports: ['postgresql'],
    });
    (this as { cluster?: rds.DatabaseCluster }).cluster = cluster;
    const resource = cluster.node.defaultChild as rds.CfnDBCluster;
    this.leavePasswordToRds(resource);
    return resource.attrMasterUserSecretSecretArn;
  }

  private common({ backupRetention = Duration.days(7), deletionProtection = true }: ServerDatabaseBackups) {
    const { network: { vpc, subnetSelection: vpcSubnets }, encryptionKey, removalPolicy } = this.props;
    return {
      vpc,
      vpcSubnets,
      securityGroups: [new ec2.SecurityGroup(this, 'SecurityGroup', {
        vpc, description: `Database of the Prefect server ${this.node.scope!.node.path}`, allowAllOutbound: false,
      })],
      // Overwritten below: Amazon RDS makes a password of its own.
      credentials: rds.Credentials.fromPassword(USER, SecretValue.unsafePlainText('never-used')),
      storageEncryptionKey: encryptionKey,
      backupRetention,
      deletionProtection,
      removalPolicy,
      copyTagsToSnapshot: true,
    };
  }

  /**
   * The password is in a secret of Amazon RDS, which rotates it each week, with no function and no way into the VPC. Older versions of the
   * CDK have no prop for it.
   *
   * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html
   */
  private leavePasswordToRds(resource: rds.CfnDBInstance | rds.CfnDBCluster): void {
    resource.masterUserPassword = undefined;
    resource.manageMasterUserPassword = true;
    resource.masterUserSecret = { kmsKeyId: Stack.of(this).resolve(this.props.encryptionKey.keyArn) };
  }
}
