import { Aws, aws_iam as iam, aws_kms as kms, aws_s3 as s3, Fn, Names, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { privateBucket } from '../private/bucket';
import { invalid, isResolved } from '../private/validation';
import { Results } from '../results';

export interface ResultStorageProps {
  readonly results: Results;
  /** Task role of flow runs. */
  readonly role: iam.IRole;
  readonly encryptionKey: kms.IKey;
}

/**
 * Where results are kept, and what has Prefect keep them there: of a flow run that is started again, tasks that had finished are not
 * repeated, as Prefect finds their results by their inputs, their source and the flow run.
 *
 * @see https://docs.prefect.io/v3/advanced/results
 */
export class ResultStorage extends Construct {
  public readonly bucketName: string;
  /** Begins the names of a worker's objects. */
  public readonly folder: string;
  /** Name of the block by which Prefect knows the bucket; another one in each deployed stack. */
  public readonly block: string;
  /** Prefect's settings for flow runs. */
  public readonly environment: Record<string, string>;
  private readonly bucket: s3.IBucket;

  constructor(scope: Construct, id: string, { results, role, encryptionKey }: ResultStorageProps) {
    super(scope, id);
    this.bucket = results._bucket ?? privateBucket(this, encryptionKey, { expiration: results._expiration });
    requireSameRegion(scope, this.bucket);
    this.bucketName = this.bucket.bucketName;
    // Not the work pool's name, in which a policy may take characters for wildcards.
    const name = Names.uniqueResourceName(scope, { maxLength: 100, separator: '-' });
    this.folder = `prefect-results/${name}`;
    this.block = `results-of-${name.toLowerCase()}-${Fn.select(2, Fn.split('/', Aws.STACK_ID))}`;
    this.environment = { PREFECT_RESULTS_PERSIST_BY_DEFAULT: 'true', PREFECT_RESULTS_DEFAULT_STORAGE_BLOCK: `s3-bucket/${this.block}` };
    this.grant(role);
  }

  /** Not `grantReadWrite()`, which also lists and deletes, and lets the key be used for everything else that it encrypts. */
  public grant(role: iam.IRole): void {
    const { bucketArn, encryptionKey } = this.bucket;
    role.addToPrincipalPolicy(new iam.PolicyStatement({
      actions: ['s3:GetObject', 's3:PutObject', 's3:AbortMultipartUpload'],
      resources: [this.bucket.arnForObjects(`${this.folder}/*`)],
    }));
    if (!encryptionKey) return;
    role.addToPrincipalPolicy(new iam.PolicyStatement({
      actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
      resources: [encryptionKey.keyArn],
      conditions: {
        StringEquals: { 'kms:ViaService': `s3.${Stack.of(this).region}.${Aws.URL_SUFFIX}` },
        // The bucket with an S3 Bucket Key, the object without.
        StringLike: { 'kms:EncryptionContext:aws:s3:arn': [bucketArn, this.bucket.arnForObjects(`${this.folder}/*`)] },
      },
    }));
  }
}

function requireSameRegion(worker: Construct, bucket: s3.IBucket): void {
  const [ours, theirs] = [Stack.of(worker).region, bucket.env.region];
  if (!isResolved(ours) || !isResolved(theirs) || ours === theirs) return;
  throw invalid('results', isResolved(bucket.bucketName) ? bucket.bucketName : bucket.node.path,
    `the bucket is in ${theirs}, and the VPC's endpoint for Amazon S3 leads to buckets of ${ours} only; give one of ${ours}, or Results.managed().`);
}
