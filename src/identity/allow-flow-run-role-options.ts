/** Options of `worker.allowFlowRunRole()`. */
export interface AllowFlowRunRoleOptions {
  /**
   * Whether deployments name the role as `execution_role_arn`, with which Amazon ECS starts their tasks: it then gets what the flow runs'
   * task definition needs, now and from what you add to it later. Grant images that deployments name yourself:
   * `repository.grantPull(role)`.
   *
   * @default false
   */
  readonly asExecutionRole?: boolean;
}
