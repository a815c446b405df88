import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fault, Outcome, passed } from './fault';

const REPOSITORY = join(__dirname, '..', '..', '..');
/** Kept with the project, so that rows can be measured one at a time on any machine. */
const OUTCOMES = join(__dirname, 'outcomes.json');
const PAGE = join(REPOSITORY, 'docs', 'faults.md');

/** As many are measured before a release, beside the usual number. */
const MANY_RUNS = 100;
const many = ({ runs }: Outcome) => runs >= MANY_RUNS;

const key = (outcome: Outcome) => `${outcome.workerType} ${outcome.fault} ${outcome.measures} ${many(outcome)}`;

/** Keeps the newest outcome of each row. */
export function remember(outcome: Outcome): Outcome[] {
  const earlier: Outcome[] = existsSync(OUTCOMES) ? JSON.parse(readFileSync(OUTCOMES, 'utf8')) : [];
  const outcomes = [...earlier.filter(other => key(other) !== key(outcome)), outcome];
  writeFileSync(OUTCOMES, `${JSON.stringify(outcomes, undefined, 2)}\n`);
  return outcomes;
}

const REMAINS = `## What an interruption leaves, and what it doesn't

- **Retries**: Prefect counts how often a flow run has begun. Each interruption raises \`retries\` of the run by one, so that the flow has all of
  its own. An end of its task that nobody took it away for, as for lack of memory, is one of them.
- **Work that is done**: with [\`results\`](results.md), tasks that had finished are not repeated. Without, a run that is started again begins anew.
- **A deployment's concurrency limit**: an interrupted run gives its slot back, also the one that it keeps between two tries in one process, and
  needs one again when it goes on. Where another run has taken the slot by then, it waits with the strategy \`ENQUEUE\`; with
  \`CANCEL_NEW\` Prefect cancels it: "Deployment concurrency limit reached." Prefect also cancels a run whose task takes longer to
  start than the \`grace_period_seconds\` of the limit, 300 where nothing is said, and whose slot another run has taken in that time.
- **Two tasks of one run**, as where a worker stood still for minutes after it had claimed it: each makes sure that the run names it and that nobody executes it yet, before
  it starts the flow. What isn't its own it leaves, with exit code 0. Prefect itself lets both execute it; so it remains possible
  where a late task starts in the very seconds in which the right one loads the flow.
- **A task that a person stops** hands its run back, as at any SIGTERM, and the reconciler, which hears of the stop in the same seconds, has the run crash with the person's reason. So that no worker is
  faster, an interrupted run of an ECS worker is due 30 seconds after it was handed back; a worker takes it 10 seconds before that. Before Prefect 3.8.1, Prefect's own command
  hands the run back, due at once: there a worker can be faster.
- **Subflows** without a deployment of their own run in the process of their parent. They end as \`Crashed\` when that has crashed or been cancelled, and its task has
  ended; of a parent that is started again, Prefect takes them up.
- **Whose runs**: those of the work queues that the workers serve, and that a worker in the stack's cluster has claimed. Runs that are claimed
  by a worker elsewhere, or whose task is in another cluster, are left to whoever runs that.
- **Heartbeats**: a run whose state speaks of heartbeats was cut off, and is started again if its task was taken away. That is so for the pool's own automation, for that of
  [Prefect's guide](https://docs.prefect.io/v3/advanced/detect-zombie-flows), and for Prefect Cloud's own detection after 9 minutes, as far as its message, which is not documented, has the word in it.`.split('\n');

/** What is written by hand at the page's end. */
function ofServers(): string[] {
  const [, section] = readFileSync(PAGE, 'utf8').split(/^(?=## A server of your own$)/m);
  return section ? ['', section.trimEnd()] : [];
}

/** docs/faults.md: each fault with the measures, and the same without them beside it. */
export function writePage(faults: readonly Fault[], outcomes: readonly Outcome[]): void {
  const rows = faults.map(({ name, workerType, what }) => {
    const own = outcomes.filter(outcome => outcome.fault === name && outcome.workerType === workerType);
    const of = (on: boolean) => own.find(outcome => outcome.measures === on && !many(outcome));
    return `| ${workerType.toUpperCase()} | ${name} | ${what} | ${cell(of(true))} | ${cell(of(false))} |`;
  });
  const rowsOfMany = faults.flatMap(({ name, workerType }) => outcomes
    .filter(outcome => outcome.fault === name && outcome.workerType === workerType && outcome.measures && many(outcome))
    .map(outcome => `| ${workerType.toUpperCase()} | ${name} | ${cell(outcome)} |`));
  writeFileSync(PAGE, [
    '# Faults, and what becomes of flow runs',
    '',
    'Made by `npm run faults` with a real Prefect server, real workers and real flow runs on the local AWS of [test/stand-in](../test/stand-in/README.md).',
    'AWS\'s own times pass four times as fast where nothing else is said, and so do the limits of the function that looks for lost runs;',
    'Prefect\'s own times are as they are, but for polls and heartbeats of workers. "without" is the same worker without the measures of this',
    'library: Prefect\'s own command in the same service, and Prefect\'s own settings of flow runs.',
    'A run is *stuck* when it is Running, Pending or Cancelling with no process behind it that moves, and *lost* when nobody will ever start it.',
    'A run whose code comes to its end in the very moment of an interruption, before Prefect has heard of that, is executed again: no scheduler can',
    'know better, and a flow should bear it.',
    '',
    '| worker | fault | what happens | with | without |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    '',
    ...(rowsOfMany.length > 0 ? [
      '## With 100 runs in flight',
      '',
      'All on two cores. AWS\'s times pass at their own pace where these need longer to end and start 100 processes at once than shortened times last.',
      '',
      '| worker | fault | with |',
      '| --- | --- | --- |',
      ...rowsOfMany,
      '',
    ] : []),
    ...REMAINS,
    ...ofServers(),
    '',
  ].join('\n'));
}

function cell(outcome: Outcome | undefined): string {
  if (!outcome) return '';
  const { runs, states, startedAgain, cleanedUp, stuck, lost, finishedStartedAgain, doubled, endedWrongly, tasksRepeated, realtime } = outcome;
  const faults = Object.entries({
    stuck, lost, 'finished and started again': finishedStartedAgain, 'executed twice at a time': doubled, 'ended in the wrong state': endedWrongly,
  }).filter(([, count]) => count > 0);
  const numbers = [
    ...Object.entries(states).map(([state, count]) => `${count} ${state}`),
    ...(startedAgain > 0 ? [`${startedAgain} of them started again`] : []),
    ...(cleanedUp > 0 ? [`${cleanedUp} cleaned up when interrupted`] : []),
    ...(tasksRepeated === undefined ? [] : [`${tasksRepeated} finished tasks repeated`]),
    ...faults.map(([what, count]) => `**${count} ${what}**`),
    ...(realtime ? ['AWS\'s times at their own pace'] : []),
  ];
  return `${passed(outcome) ? 'ok' : '**no**'}: ${runs} runs, ${numbers.join(', ')}`;
}

export function line(outcome: Outcome): string {
  return `${passed(outcome) ? 'ok  ' : 'FAIL'} ${outcome.workerType.padEnd(8)}${outcome.measures ? 'with   ' : 'without'} ${outcome.fault.padEnd(32)}${cell(outcome).replaceAll('**', '')} (${outcome.seconds} s)`;
}
