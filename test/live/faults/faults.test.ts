import { Arena } from './arena';
import { measure, Outcome } from './fault';
import { FAULTS } from './faults';
import { line } from './table';
import { WorkerType } from '../../../src';

/** The rows that a change breaks first, with few runs; `npm run faults` measures all of them with many. */
const CHOSEN: Record<string, string[]> = {
  [WorkerType.PROCESS]: ['stop', 'worker killed', 'deployment'],
  [WorkerType.ECS]: ['Spot interruption of 20 tasks', 'worker killed, task killed'],
};
const RUNS = 6;

jest.setTimeout(300_000);

describe.each(Object.entries(CHOSEN))('no flow run of a worker of the type %s is lost by', (workerType, names) => {
  let arena: Arena;
  beforeAll(async () => { arena = await Arena.start({ workerType: workerType as WorkerType, measures: true, runs: RUNS }); });
  afterAll(() => arena?.stop());

  test.each(names)('%s', async name => {
    const fault = FAULTS.find(candidate => candidate.name === name && candidate.workerType === workerType)!;
    const outcome: Outcome = await measure(arena, fault);
    console.log(line(outcome));
    expect(outcome).toMatchObject({ runs: RUNS, stuck: 0, lost: 0, finishedStartedAgain: 0, doubled: 0, endedWrongly: 0 });
  });
});
