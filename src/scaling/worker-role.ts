/** Whether a worker serves its work pool at all times, or only when no other does. */
export enum WorkerRole {
  /** It serves the pool. */
  ACTIVE = 'active',

  /**
   * It has no workers while another worker of the same pool serves it, takes over when runs have been late for
   * `scaling.standbyAfter`, and hands back when workers of another are online again. For a second region:
   *
   * ```ts
   * declare const primary: Stack;
   * declare const secondary: Stack;
   * declare const apis: PrefectApi[];
   *
   * new PrefectFargateWorker(primary, 'Worker', { api: apis[0], workPool: WorkPool.managed('etl') });
   * new PrefectFargateWorker(secondary, 'Worker', {
   *   api: apis[1],
   *   workPool: WorkPool.existing('etl'),
   *   scaling: { role: WorkerRole.STANDBY },
   * });
   * ```
   *
   * The pool's base job template names the network and the roles of the region that manages it. A standby ECS worker
   * needs a pool whose flow runs can start in either region; PROCESS workers have no such tie.
   */
  STANDBY = 'standby',
}
