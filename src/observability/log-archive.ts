import { aws_iam as iam, aws_kinesisfirehose as firehose, aws_kms as kms, aws_logs as logs, aws_s3 as s3, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { LogArchiveOptions } from './log-archive-options';
import { subscribe } from './log-destination';
import { privateBucket } from '../private/bucket';
import { denyGrants } from '../private/encryption';
import { invalid } from '../private/validation';

/** The day from which an archived log is rather kept than read. */
const GLACIER_AFTER_DAYS = 30;

export interface LogArchiveProps {
  readonly logGroup: logs.ILogGroup;
  readonly options: LogArchiveOptions;
  readonly encryptionKey: kms.IKey;
  readonly logRetention: logs.RetentionDays;
}

/** Keeps logs in a bucket: a subscription hands them to Firehose, which writes them in batches, by day. */
export class LogArchive extends Construct {
  constructor(scope: Construct, id: string, private readonly props: LogArchiveProps) {
    super(scope, id);
    const { logGroup, options } = props;
    if (options.bucket && options.expiration) {
      throw invalid('observability.logArchive.expiration', options.expiration.toString(), 'it is the life cycle of a bucket that is created; remove it, or remove bucket.');
    }

    const bucket = options.bucket ?? this.bucket();
    const errors = new logs.LogGroup(this, 'Logs', { encryptionKey: props.encryptionKey, retention: props.logRetention, removalPolicy: RemovalPolicy.DESTROY });
    const errorStream = new logs.LogStream(this, 'LogStream', { logGroup: errors, removalPolicy: RemovalPolicy.DESTROY });
    const writer = this.writer(bucket, errors);
    // Not the L2, whose role may delete from the bucket.
    const stream = new firehose.CfnDeliveryStream(this, 'Stream', {
      deliveryStreamType: 'DirectPut',
      deliveryStreamEncryptionConfigurationInput: { keyType: 'CUSTOMER_MANAGED_CMK', keyArn: props.encryptionKey.keyArn },
      extendedS3DestinationConfiguration: {
        bucketArn: bucket.bucketArn,
        roleArn: writer.roleArn,
        // CloudWatch Logs sends what it has compressed already.
        compressionFormat: 'UNCOMPRESSED',
        prefix: 'logs/!{timestamp:yyyy/MM/dd}/',
        errorOutputPrefix: 'errors/!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd}/',
        cloudWatchLoggingOptions: { enabled: true, logGroupName: errors.logGroupName, logStreamName: errorStream.logStreamName },
      },
    });
    stream.node.addDependency(writer);
    const sender = this.sender(stream);
    // CloudWatch Logs sends a test message when it is subscribed.
    subscribe(this, 'Subscription', logGroup, stream.attrArn, sender).node.addDependency(sender);
  }

  /** @see https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html#using-iam-s3 */
  private writer(bucket: s3.IBucket, errors: logs.LogGroup): iam.Role {
    const writer = new iam.Role(this, 'WriterRole', {
      description: 'Writes logs to their archive',
      assumedBy: new iam.ServicePrincipal('firehose.amazonaws.com', { conditions: { StringEquals: { 'sts:ExternalId': Stack.of(this).account } } }),
    });
    writer.addToPolicy(new iam.PolicyStatement({
      sid: 'Objects',
      actions: ['s3:PutObject', 's3:GetObject', 's3:AbortMultipartUpload'],
      resources: [bucket.arnForObjects('*')],
    }));
    writer.addToPolicy(new iam.PolicyStatement({
      sid: 'Bucket',
      actions: ['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads'],
      resources: [bucket.bucketArn],
    }));
    for (const key of [this.props.encryptionKey, bucket.encryptionKey]) key?.grant(writer, 'kms:Decrypt', 'kms:GenerateDataKey');
    errors.grantWrite(writer);
    return writer;
  }

  private bucket(): s3.Bucket {
    const expiration = this.props.options.expiration ?? Duration.days(365);
    if (!expiration.isUnresolved() && expiration.toDays() <= GLACIER_AFTER_DAYS) {
      throw invalid('observability.logArchive.expiration', expiration.toString(), `give more than ${GLACIER_AFTER_DAYS} days; for less, logRetention is enough.`);
    }
    // Not the worker's key, which goes with the worker: the archive stays.
    const encryptionKey = new kms.Key(this, 'Key', {
      description: `Archived logs of the Prefect worker ${this.node.scope!.node.scope!.node.path}`,
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    denyGrants(encryptionKey);
    return privateBucket(this, encryptionKey, {
      transitions: [{ storageClass: s3.StorageClass.GLACIER_INSTANT_RETRIEVAL, transitionAfter: Duration.days(GLACIER_AFTER_DAYS) }],
      expiration,
    });
  }

  /** @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html#FirehoseExample */
  private sender(stream: firehose.CfnDeliveryStream): iam.Role {
    const { partition, region, account } = Stack.of(this);
    const sender = new iam.Role(this, 'SenderRole', {
      description: 'Hands logs to their archive',
      assumedBy: new iam.ServicePrincipal('logs.amazonaws.com', {
        conditions: { StringLike: { 'aws:SourceArn': `arn:${partition}:logs:${region}:${account}:*` } },
      }),
    });
    sender.addToPolicy(new iam.PolicyStatement({
      sid: 'Stream',
      actions: ['firehose:PutRecord', 'firehose:PutRecordBatch'],
      resources: [stream.attrArn],
    }));
    return sender;
  }
}
