import { parseArgs } from 'node:util';
import { Arena } from './arena';
import { measure, Outcome, passed } from './fault';
import { FAULTS } from './faults';
import { line, remember, writePage } from './table';
import { WorkerType } from '../../../src';

/**
 * `npm run faults`: every fault with the measures and without them, as a table in docs/faults.md.
 * `--type process|ecs`, `--fault <name>` (again and again) and `--measures on|off` choose rows; the others keep their last numbers.
 * `--runs 100` is for releases. Where so many need the machine for longer than AWS's shortened times last, `--realtime` lets them pass at their own pace.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      type: { type: 'string' },
      fault: { type: 'string', multiple: true },
      measures: { type: 'string' },
      runs: { type: 'string', default: '20' },
      realtime: { type: 'boolean' },
      verbose: { type: 'boolean', default: false },
    },
  });
  const ofType = FAULTS.filter(({ workerType }) => !values.type || workerType === values.type);
  const chosen = ofType.filter(({ name }) => !values.fault || values.fault.includes(name));
  if (chosen.length === 0) throw new Error(`No fault is called so; there are: ${FAULTS.map(({ name, workerType }) => `${name} (${workerType})`).join(', ')}.`);

  const outcomes: Outcome[] = [];
  for (const workerType of [WorkerType.PROCESS, WorkerType.ECS]) {
    for (const measures of [true, false].filter(on => !values.measures || on === (values.measures === 'on'))) {
      const faults = chosen.filter(fault => fault.workerType === workerType);
      if (faults.length === 0) continue;
      const arena = await Arena.start({
        workerType, measures, runs: Number(values.runs), realtime: values.realtime, onProgress: values.verbose ? console.log : undefined,
      });
      try {
        for (const fault of faults) {
          try {
            const outcome = await measure(arena, fault);
            console.log(line(outcome));
            outcomes.push(outcome);
            writePage(FAULTS, remember(outcome));
          } catch (error) {
            // The next fault starts from a clean state.
            console.error(`${fault.name}:`, error);
            process.exitCode = 1;
          }
        }
      } finally {
        await arena.stop();
      }
    }
  }
  if (!outcomes.filter(({ measures }) => measures).every(passed)) process.exitCode = 1;
}

main().catch(error => {
  console.error(error);
  process.exitCode = 1;
});
