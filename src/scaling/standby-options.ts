import { Duration } from 'aws-cdk-lib';

/**
 * A worker that stands by: it has no workers while another worker of the same pool serves it, takes over when flow runs have been
 * late for a time, and hands back when workers of another are online again. For a second region:
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
 *   scaling: { standby: { after: Duration.minutes(5) } },
 * });
 * ```
 *
 * The pool's base job template names the network and the roles of the region that manages it. A standby ECS worker
 * needs a pool whose flow runs can start in either region; PROCESS workers have no such tie.
 */
export interface StandbyOptions {
  /**
   * How long flow runs have to be late before it takes over. Throws for less than a minute: a run that starts a moment late is no
   * reason for a second region.
   *
   * @default Duration.minutes(5)
   */
  readonly after?: Duration;
}
