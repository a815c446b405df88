import { Duration, aws_s3 as s3 } from 'aws-cdk-lib';

/** Where logs are kept when CloudWatch Logs no longer has them. */
export interface LogArchiveOptions {
  /**
   * Bucket for the archive. You set its encryption and its life cycle.
   *
   * @default - a bucket is created: encrypted, without public access, kept when the stack is deleted; objects move to Glacier
   * Instant Retrieval after 30 days
   */
  readonly bucket?: s3.IBucket;

  /**
   * How long the created bucket keeps the logs, more than 30 days. Throws beside `bucket`.
   *
   * @default Duration.days(365)
   */
  readonly expiration?: Duration;
}
