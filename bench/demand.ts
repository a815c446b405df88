import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { poll } from '../src/demand/poll';
import { PrefectClient } from '../src/private/prefect-client';
import { Prefect } from '../test/live/support/prefect';
import { pythonEnvironment } from '../test/python/environment';
import { startPrefectServer } from '../test/stand-in/prefect-server';

/**
 * How long one poll of the demand publisher takes, and how many requests, with many scheduled runs in a real Prefect server
 * on SQLite: `npx tsx bench/demand.ts [--runs 10000] [--json]`
 */
const option = (name: string, otherwise: number) => Number(process.argv[process.argv.indexOf(name) + 1]) || otherwise;
const RUNS = option('--runs', 10_000);
const POLLS = 20;

/** Copies a flow run of the server's database as often as that, half of them due and half of them later. */
const COPY = `
import sqlite3, sys, uuid
path, run, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
database = sqlite3.connect(path, timeout=60)
columns = [row[1] for row in database.execute("pragma table_info(flow_run)")]
database.row_factory = sqlite3.Row
state = database.execute("select state_id from flow_run where id = ?", (run,)).fetchone()[0]
states = [row[1] for row in database.execute("pragma table_info(flow_run_state)")]
def copy(table, names, key, **changes):
    wanted = ", ".join(":" + name if name in changes else name for name in names)
    database.execute(f"insert into {table} ({', '.join(names)}) select {wanted} from {table} where id = :key", {"key": key, **changes})
for index in range(count):
    fresh, of_state = str(uuid.uuid4()), str(uuid.uuid4())
    copy("flow_run", columns, run, id=fresh, name=f"copy-{index}", idempotency_key=None, state_id=None)
    copy("flow_run_state", states, state, id=of_state, flow_run_id=fresh)
    database.execute("update flow_run set state_id = ? where id = ?", (of_state, fresh))
    if index % 2:
        database.execute("update flow_run set next_scheduled_start_time = datetime(next_scheduled_start_time, '+10 days'), expected_start_time = datetime(expected_start_time, '+10 days') where id = ?", (fresh,))
database.commit()
`;

async function main(): Promise<void> {
  const { python } = await pythonEnvironment();
  const server = await startPrefectServer();
  try {
    const prefect = new Prefect(server.apiUrl);
    await prefect.call('POST', '/work_pools/', { name: 'bench', type: 'process', base_job_template: {} });
    await prefect.call('POST', '/work_pools/bench/queues', { name: 'limited', concurrency_limit: 5 });
    const results = [];
    for (const queue of ['default', 'limited']) {
      const deployment = await prefect.deploy(queue, { workPool: 'bench', workQueue: queue, entrypoint: 'flows.py:hello', directory: '.' });
      const state = { type: 'SCHEDULED', state_details: { scheduled_time: new Date(Date.now() - 60_000).toISOString() } };
      const { id } = await prefect.call<{ id: string }>('POST', `/deployments/${deployment}/create_flow_run`, { state });
      execFileSync(python, ['-c', COPY, join(server.directory, 'prefect.db'), id, String(RUNS)], { stdio: 'inherit' });
      results.push(await measure(server.apiUrl, queue));
    }
    if (process.argv.includes('--json')) console.log(JSON.stringify(results, undefined, 2));
    else console.table(results);
  } finally {
    await server.stop();
  }
}

/** Polls of the queue without a limit, then of one whose limit makes the publisher look at the runs themselves. */
async function measure(url: string, queue: string) {
  let requests = 0;
  const client = new (class extends PrefectClient {
    public async request<T>(method: string, path: string, body?: unknown): Promise<T> {
      requests++;
      return super.request(method, path, body);
    }
  })({ url, headers: {} });
  const times: number[] = [];
  let values;
  for (let index = 0; index < POLLS; index++) {
    requests = 0;
    const now = new Date();
    ({ values } = await poll(client, {
      workPool: 'bench',
      workQueues: [queue],
      worker: 'Worker',
      leadTimeSeconds: 180,
      pollSeconds: 60,
      cluster: '',
      service: '',
    }, now, { since: new Date(now.getTime() - 60_000), until: now }));
    times.push(Date.now() - now.getTime());
  }
  times.sort((a, b) => a - b);
  return {
    queue,
    scheduled: RUNS + 1,
    due: values!.DueRuns,
    demand: values!.Demand,
    requests,
    medianMs: times[Math.floor(POLLS / 2)],
    slowestMs: times[POLLS - 1],
  };
}

main().catch(error => {
  console.error(error);
  process.exitCode = 1;
});
