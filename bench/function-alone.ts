import { KnownChildRuns } from '../src/demand/child-runs';
import { PublisherConfiguration } from '../src/demand/configuration';
import { poll } from '../src/demand/poll';
import { RunTimes } from '../src/demand/run-times';
import { PrefectClient } from '../src/private/prefect-client';
import { ReconcilerConfiguration } from '../src/rescue/configuration';
import { handler } from '../src/rescue/reconciler.lambda';

/** Polls as the demand publisher, or looks as the reconciler, minute after minute in a process of its own; tells what that took. */
export interface Task {
  readonly url: string;
  readonly minutes: number;
  readonly poll?: PublisherConfiguration;
  readonly look?: ReconcilerConfiguration;
}

export interface ResourceUse {
  readonly milliseconds: readonly number[];
  /** Milliseconds of the CPU. */
  readonly cpu: readonly number[];
  /** The most memory of the process, with Node.js. */
  readonly mebibytes: number;
}

async function main({ url, minutes, poll: polled, look }: Task): Promise<void> {
  const [runTimes, childRuns] = [new RunTimes(), new KnownChildRuns()];
  const [milliseconds, cpu]: number[][] = [[], []];
  for (let minute = 0; minute < minutes; minute++) {
    const now = new Date();
    const before = process.cpuUsage();
    const lastMinute = { since: new Date(now.getTime() - 60_000), until: now };
    if (polled) await poll(new PrefectClient({ url, headers: {} }), polled, now, lastMinute, runTimes, childRuns);
    if (look) await handler(look);
    milliseconds.push(Date.now() - now.getTime());
    const { user, system } = process.cpuUsage(before);
    cpu.push((user + system) / 1000);
  }
  const use: ResourceUse = { milliseconds, cpu, mebibytes: process.resourceUsage().maxRSS / 1024 };
  process.stdout.write(JSON.stringify(use));
}

main(JSON.parse(process.argv[2])).catch(error => {
  console.error(error);
  process.exitCode = 1;
});
