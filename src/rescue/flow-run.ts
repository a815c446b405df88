/** A flow run, as far as it matters here. */
export interface FlowRun {
  readonly id: string;
  readonly stateId: string;
  readonly state: 'SCHEDULED' | 'PAUSED' | 'PENDING' | 'RUNNING' | 'CANCELLING' | 'CANCELLED' | 'CRASHED' | 'COMPLETED' | 'FAILED';
  readonly stateName: string;
  readonly message: string;
  readonly since: Date;
  /** When the worker claimed it for the attempt that is Pending, where that had to be asked. */
  readonly claimed?: Date;
  /** Those of its deployment among them. */
  readonly tags: readonly string[];
  /** How often it has begun to execute. */
  readonly runCount: number;
  /** How often its flow may be tried again, and after how many seconds. Known once it has begun. */
  readonly retries: number;
  readonly retryDelay: number;
  /** Whether it waits to be tried again in the process that has tried it before. No worker is given such a run. */
  readonly waitsInProcess: boolean;
  /** `launch_type` and `memory` among its own job variables. */
  readonly launchType?: string;
  readonly memory?: number;
}
