export const VERIFICATION = 'Custom::PrefectVerification';

/** What the construct tells the function that verifies a worker. */
export interface VerificationConfiguration {
  readonly workPool: string;
  /** One that the workers serve, where these are not all of the pool's. */
  readonly workQueue?: string;
  /** The construct's unique name. */
  readonly worker: string;
  /** ARN of the cluster, and the name of the workers' service in it. */
  readonly cluster: string;
  readonly serviceName: string;
}
