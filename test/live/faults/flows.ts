import type { ArenaOptions } from './arena';
import { WorkerType } from '../../../src';

/** The flows of flows.py. */
export type FlowName = 'plain' | 'spot' | 'retrying' | 'patient' | 'suspending' | 'sleeping' | 'computing' | 'stepwise' | 'forgetful';

/** Flows whose heartbeats are as frequent as Prefect lets them be, so that a test needn't wait a quarter of an hour for them to stop. */
const FREQUENT: readonly FlowName[] = ['sleeping', 'computing'];
const FREQUENT_HEARTBEATS = { PREFECT_FLOWS_HEARTBEAT_FREQUENCY: '30' };

/** As flow runs are without `results`. */
const WITHOUT_RESULTS = { PREFECT_TASKS_DEFAULT_PERSIST_RESULT: 'false' };

/** Prefect's defaults for flow runs, where the library's work pool has others. */
const PREFECTS_OWN = { PREFECT_CLIENT_MAX_RETRIES: '5', PREFECT_FLOW_RUN_EXECUTE_SIGTERM_BEHAVIOR: 'crash' };

/** What the deployment of a flow sets for its runs. */
export function jobVariables(flow: FlowName, { measures, workerType }: Pick<ArenaOptions, 'measures' | 'workerType'>): Record<string, unknown> {
  return {
    ...(flow === 'spot' && { launch_type: 'FARGATE_SPOT' }),
    env: { ...(FREQUENT.includes(flow) && FREQUENT_HEARTBEATS), ...(flow === 'forgetful' && WITHOUT_RESULTS), ...(!measures && PREFECTS_OWN) },
    ...(!measures && workerType === WorkerType.ECS && { command: 'prefect flow-run execute' }),
  };
}
