import { ECS_FAULTS } from './ecs-faults';
import { Fault } from './fault';
import { PROCESS_FAULTS } from './process-faults';

/** Every fault of the table, for both types of workers. */
export const FAULTS: readonly Fault[] = [...PROCESS_FAULTS, ...ECS_FAULTS];
