import { Finding, industries } from '../private/acknowledged-findings';

const DATABASE = 'Prefect signs in with a password, which Amazon RDS rotates, and security groups close the port. Backups are Amazon RDS\'s own, with restore to any second; '
  + 'enhanced monitoring and a standby cost money, and are yours to add.';

/** What cdk-nag finds in a server and is right as it is. */
export const SERVER_FINDINGS: readonly Finding[] = [
  {
    type: 'AWS::S3::Bucket',
    path: /\/Access\/AccessLogs\/Resource$/,
    rules: ['AwsSolutions-S1', ...industries('S3BucketLoggingEnabled', 'S3BucketReplicationEnabled', 'S3DefaultEncryptionKMS')],
    reason: 'This is the bucket of the access logs: logs of its own and a second region are your decisions, and load balancers write with the encryption of Amazon S3 alone.',
  },
  {
    type: 'AWS::ElasticLoadBalancingV2::LoadBalancer',
    rules: industries('ELBDeletionProtectionEnabled'),
    reason: 'What has to survive is the database, which is protected; a protected load balancer would only keep a stack from being deleted.',
  },
  {
    type: 'AWS::EC2::SecurityGroup',
    path: /\/Access\/SecurityGroup\/Resource$/,
    rules: ['AwsSolutions-EC23'],
    reason: 'Its owner made the server public: HTTPS alone, behind the web ACL.',
  },
  {
    type: 'AWS::SecretsManager::Secret',
    path: /\/(Password|AuthString|Redis\/AuthToken)\/Resource$/,
    rules: ['AwsSolutions-SMG4', ...industries('SecretsManagerRotationEnabled')],
    reason: 'Server and clients have to change it at one moment, which no rotation does: write a new value, and server and workers follow within a minute.',
  },
  ...['AWS::RDS::DBInstance', 'AWS::RDS::DBCluster'].map(type => ({
    type,
    rules: ['AwsSolutions-RDS3', 'AwsSolutions-RDS6', 'AwsSolutions-RDS11', ...industries('RDSEnhancedMonitoringEnabled', 'RDSInBackupPlan', 'RDSMultiAZSupport')],
    reason: DATABASE,
  })),
  {
    type: 'AWS::ElastiCache::ReplicationGroup',
    rules: industries('ElastiCacheRedisClusterAutomaticBackup'),
    reason: 'Messages and leases are of the last minutes; a server goes on with an empty cache.',
  },
];
