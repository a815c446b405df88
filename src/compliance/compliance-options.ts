/** What watches over the worker's resources after they are deployed. */
export interface ComplianceOptions {
  /**
   * Whether AWS Config watches the worker's resources: managed rules for the resources of this worker, limited to it by
   * the tag `cdk-prefect-fargate-worker`, each with the fix in its description. The account needs a configuration
   * recorder that records these types; without one the deployment fails.
   *
   * Not watched are your own resources that the worker uses, and the task definitions of flow runs, which the worker
   * registers when it runs.
   *
   * @see https://docs.aws.amazon.com/config/latest/developerguide/evaluate-config_use-managed-rules.html
   * @default false
   */
  readonly configRules?: boolean;
}
