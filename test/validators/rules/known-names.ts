import { aws_config as config, aws_ec2 as ec2 } from 'aws-cdk-lib';
import { LOGGED, NAMESPACE, UNITS } from '../../../src/demand/metrics';

/** The last parts of the names of endpoint services (`ecr.api`), as the CDK lists them. */
export const ENDPOINT_SERVICES = new Set([
  ...Object.values(ec2.InterfaceVpcEndpointAwsService).map((service) => service?.shortName),
  ...Object.values(ec2.GatewayVpcEndpointAwsService).map((service) => service?.name?.split('.').pop()),
].filter((name) => name !== undefined));

/** What follows the region in an endpoint service's name. */
export function lastPart(name: string): string {
  return name.replace(/^(cn\.)?(com\.amazonaws|aws(\.[a-z]+)?)\.[a-z]{2}(-[a-z]+)+-\d\./, '');
}

/** Ids of AWS Config's managed rules, as the CDK lists them. */
export const CONFIG_RULES = new Set(Object.values(config.ManagedRuleIdentifiers).filter((value): value is string => typeof value === 'string'));

/** Rule groups that AWS manages for WAF: https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-list.html */
export const WAF_GROUPS = new Set([
  'AWSManagedRulesCommonRuleSet', 'AWSManagedRulesAdminProtectionRuleSet', 'AWSManagedRulesKnownBadInputsRuleSet', 'AWSManagedRulesSQLiRuleSet',
  'AWSManagedRulesLinuxRuleSet', 'AWSManagedRulesUnixRuleSet', 'AWSManagedRulesWindowsRuleSet', 'AWSManagedRulesPHPRuleSet', 'AWSManagedRulesWordPressRuleSet',
  'AWSManagedRulesAmazonIpReputationList', 'AWSManagedRulesAnonymousIpList', 'AWSManagedRulesBotControlRuleSet', 'AWSManagedRulesATPRuleSet',
  'AWSManagedRulesACFPRuleSet', 'AWSManagedRulesAntiDDoSRuleSet',
]);

/** AWS managed policies that the library and the CDK's own resources may use. */
export const MANAGED_POLICIES = new Set([
  'service-role/AWSLambdaBasicExecutionRole',
  'service-role/AWSLambdaVPCAccessExecutionRole',
  'service-role/AWSLambdaENIManagementAccess',
  'service-role/AmazonECSTaskExecutionRolePolicy',
  'service-role/AWS_ConfigRole',
  'AWSXRayDaemonWriteAccess',
  'AWSXrayWriteOnlyAccess',
  'CloudWatchLambdaInsightsExecutionRolePolicy',
]);

/** Metrics by namespace. */
export const METRICS: Record<string, string[]> = {
  'AWS/ECS': ['CPUUtilization', 'MemoryUtilization', 'EphemeralStorageUtilized', 'EphemeralStorageReserved'],
  'ECS/ContainerInsights': [
    'RunningTaskCount', 'PendingTaskCount', 'DesiredTaskCount', 'DeploymentCount', 'TaskSetCount', 'TaskCount', 'ServiceCount', 'RestartCount',
    'TaskCpuUtilization', 'TaskMemoryUtilization', 'CpuUtilized', 'CpuReserved', 'MemoryUtilized', 'MemoryReserved', 'EphemeralStorageUtilized',
    'EphemeralStorageReserved', 'NetworkRxBytes', 'NetworkTxBytes', 'StorageReadBytes', 'StorageWriteBytes', 'UnHealthyContainerHealthStatus',
  ],
  'AWS/SQS': [
    'ApproximateAgeOfOldestMessage', 'ApproximateNumberOfMessagesDelayed', 'ApproximateNumberOfMessagesNotVisible', 'ApproximateNumberOfMessagesVisible',
    'NumberOfEmptyReceives', 'NumberOfMessagesDeleted', 'NumberOfMessagesReceived', 'NumberOfMessagesSent', 'SentMessageSize',
  ],
  'AWS/Events': ['DeadLetterInvocations', 'Events', 'FailedInvocations', 'Invocations', 'InvocationsFailedToBeSentToDlq', 'InvocationsSentToDlq', 'MatchedEvents', 'ThrottledRules', 'TriggeredRules'],
  'AWS/Lambda': ['ConcurrentExecutions', 'DeadLetterErrors', 'Duration', 'Errors', 'Invocations', 'IteratorAge', 'Throttles', 'AsyncEventAge', 'AsyncEventsDropped'],
  'AWS/ApplicationELB': [
    'ActiveConnectionCount', 'HealthyHostCount', 'HTTPCode_ELB_4XX_Count', 'HTTPCode_ELB_5XX_Count', 'HTTPCode_Target_2XX_Count', 'HTTPCode_Target_4XX_Count',
    'HTTPCode_Target_5XX_Count', 'NewConnectionCount', 'RejectedConnectionCount', 'RequestCount', 'TargetConnectionErrorCount', 'TargetResponseTime', 'UnHealthyHostCount',
  ],
  'AWS/NATGateway': ['ActiveConnectionCount', 'BytesInFromDestination', 'BytesInFromSource', 'BytesOutToDestination', 'BytesOutToSource', 'ErrorPortAllocation', 'IdleTimeoutCount', 'PacketsDropCount'],
  'AWS/PrivateLinkEndpoints': ['ActiveConnections', 'BytesProcessed', 'NewConnections', 'PacketsDropped', 'RstPacketsReceived'],
  'AWS/Scheduler': ['InvocationAttemptCount', 'InvocationDroppedCount', 'InvocationThrottleCount', 'TargetErrorCount', 'InvocationsSentToDeadLetterCount'],
  'AWS/Logs': ['IncomingBytes', 'IncomingLogEvents', 'ForwardedBytes', 'ForwardedLogEvents', 'DeliveryErrors', 'DeliveryThrottling'],
  'AWS/WAFV2': ['AllowedRequests', 'BlockedRequests', 'CountedRequests'],
  // https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-metrics.html, of PostgreSQL, and of Aurora
  'AWS/RDS': [
    'CPUUtilization', 'CPUCreditBalance', 'DatabaseConnections', 'FreeableMemory', 'FreeStorageSpace', 'DiskQueueDepth', 'ReadIOPS', 'WriteIOPS', 'ReadLatency', 'WriteLatency',
    'MaximumUsedTransactionIDs', 'ServerlessDatabaseCapacity', 'ACUUtilization', 'VolumeBytesUsed', 'AuroraReplicaLag', 'Deadlocks',
  ],
  'AWS/ElastiCache': ['BytesUsedForCache', 'DatabaseMemoryUsagePercentage', 'EngineCPUUtilization', 'CurrConnections', 'Evictions', 'ReplicationLag'],
  'AWS/CertificateManager': ['DaysToExpiry'],
  // What the library's own code publishes.
  [NAMESPACE]: [...Object.keys(UNITS), ...LOGGED],
};

/** The sets of dimensions under which a namespace's metrics are kept: with others there is nothing to be found. */
export const DIMENSIONS: Record<string, string[][] | undefined> = {
  'AWS/ECS': [['ClusterName'], ['ClusterName', 'ServiceName']],
  'ECS/ContainerInsights': [['ClusterName'], ['ClusterName', 'ServiceName'], ['ClusterName', 'TaskDefinitionFamily']],
  'AWS/SQS': [['QueueName']],
  'AWS/Events': [['RuleName']],
  'AWS/Lambda': [['FunctionName'], ['FunctionName', 'Resource'], []],
  'AWS/NATGateway': [['NatGatewayId']],
  'AWS/PrivateLinkEndpoints': [['Endpoint Type', 'Service Name', 'VPC Endpoint Id', 'VPC Id'], ['Endpoint Type', 'Service Name', 'Subnet Id', 'VPC Endpoint Id', 'VPC Id']],
  'AWS/RDS': [['DBInstanceIdentifier'], ['DBClusterIdentifier'], ['DBClusterIdentifier', 'Role']],
  'AWS/ApplicationELB': [['LoadBalancer'], ['LoadBalancer', 'TargetGroup']],
  'AWS/WAFV2': [['Region', 'Rule', 'WebACL']],
  // https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheMetrics.html: of nodes, and none of a replication group
  'AWS/ElastiCache': [['CacheClusterId', 'CacheNodeId']],
  'AWS/CertificateManager': [['CertificateArn']],
  'AWS/Logs': [['LogGroupName'], ['DestinationType', 'FilterName', 'LogGroupName'], []],
  [NAMESPACE]: [['WorkPool', 'Worker']],
};

/** Memory in MiB that Fargate offers for each number of CPU units. */
export const FARGATE_SIZES: Record<string, number[]> = {
  256: [512, 1024, 2048],
  512: gib(1, 4),
  1024: gib(2, 8),
  2048: gib(4, 16),
  4096: gib(8, 30),
  8192: gib(16, 60, 4),
  16384: gib(32, 120, 8),
};

function gib(from: number, to: number, step = 1): number[] {
  return Array.from({ length: (to - from) / step + 1 }, (_, index) => (from + index * step) * 1024);
}
