import { aws_s3 as s3, Duration } from 'aws-cdk-lib';
import { requireDuration, requireObject } from './private/type-validation';
import { invalid } from './private/validation';

/** How the bucket of `Results.managed()` keeps results. */
export interface ManagedResultsOptions {
  /**
   * How long a result is kept: a whole number of days, and longer than a flow run may wait to be started again. Throws for others.
   *
   * @default Duration.days(30)
   */
  readonly expiration?: Duration;
}

/** Where the results of tasks and flows are kept: the prop `results` of `PrefectFargateWorker`. */
export class Results {
  /**
   * In a bucket that is created: encrypted with the worker's key, without public access, reached over TLS only. It is kept when the stack
   * is deleted, as Amazon S3 deletes only empty buckets, and its objects expire.
   *
   * @param options how long results are kept
   */
  public static managed(options: ManagedResultsOptions = {}): Results {
    const { expiration = Duration.days(30) } = options;
    requireDuration('expiration', expiration);
    const days = expiration.isUnresolved() ? 1 : expiration.toDays({ integral: false });
    if (!Number.isInteger(days) || days < 1) throw invalid('expiration', expiration.toString(), 'Amazon S3 counts in days; give a whole number of them, at least 1.');
    return new Results({ expiration });
  }

  /**
   * In a bucket of your own, below `prefect-results/`, where each worker has a folder. You set its encryption, its life cycle and its access; flow runs get permission to use its key, too. The worker throws for a bucket of another region.
   *
   * @param bucket the bucket, in the worker's region
   */
  public static bucket(bucket: s3.IBucket): Results {
    requireObject('bucket', bucket);
    if (!bucket) throw invalid('bucket', bucket, 'give a bucket, or Results.managed() to have one created.');
    return new Results({ bucket });
  }

  /** @internal */
  public readonly _bucket?: s3.IBucket;
  /** @internal */
  public readonly _expiration?: Duration;

  private constructor(choice: { readonly bucket?: s3.IBucket; readonly expiration?: Duration }) {
    this._bucket = choice.bucket;
    this._expiration = choice.expiration;
  }
}
