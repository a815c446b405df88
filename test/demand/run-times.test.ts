import { ninetieth, RunTimes } from '../../src/demand/run-times';
import type { PrefectClient } from '../../src/private/prefect-client';

const NOW = Date.UTC(2026, 0, 5);
const after = (minutes: number) => new Date(NOW + minutes * 60_000);

/** An API that knows the times of some deployments' last runs, the newest first. */
function api(times: Record<string, number[]>) {
  const asked: string[][] = [];
  const client = {
    request: async (method: string, path: string, body: any) => {
      expect([method, path, body.sort, body.flow_runs.state]).toEqual(['POST', '/flow_runs/filter', 'END_TIME_DESC', { type: { any_: ['COMPLETED'] } }]);
      asked.push(body.flow_runs.deployment_id.any_);
      return Object.entries(times).filter(([id]) => body.flow_runs.deployment_id.any_.includes(id))
        .flatMap(([id, all]) => all.map(seconds => ({ deployment_id: id, total_run_time: seconds }))).slice(0, body.limit);
    },
  } as unknown as PrefectClient;
  return { client, asked };
}

test('nine of ten runs take no longer, and two say nothing', () => {
  expect(ninetieth([3, 1, 2, 10, 4, 5, 6, 7, 8, 9])).toBe(9);
  expect(ninetieth([60, 30, 90])).toBe(90);
  expect(ninetieth([60, 60])).toBeUndefined();
});

test('what is known is asked once for half an hour, whatever the number of polls', async () => {
  const { client, asked } = api({ a: [5, 5, 5], b: [60, 60, 90] });
  const times = new RunTimes();
  for (let minute = 0; minute < 30; minute++) {
    expect([...await times.of(client, 'etl', ['a', 'b', 'a'], after(minute))]).toEqual([['a', 5], ['b', 90], ['a', 5]].slice(0, 2));
  }
  expect(asked).toEqual([['a', 'b']]);
  await times.of(client, 'etl', ['a', 'b'], after(31));
  expect(asked).toHaveLength(2);
});

test('what is not known is asked every five minutes for each pool, and no more often', async () => {
  const { client, asked } = api({ a: [5] });
  const times = new RunTimes();
  for (let minute = 0; minute < 60; minute++) {
    expect([...await times.of(client, 'etl', ['a'], after(minute))]).toEqual([]);
    await times.of(client, 'other', ['a'], after(minute));
  }
  expect(asked).toHaveLength(24);
});

test('a deployment whose runs are behind many others\' is asked for by itself the next time', async () => {
  const { client, asked } = api({ busy: Array(200).fill(5), rare: [600, 600, 600] });
  const times = new RunTimes();
  expect([...await times.of(client, 'etl', ['busy', 'rare'], after(0))]).toEqual([['busy', 5]]);
  expect([...await times.of(client, 'etl', ['busy', 'rare'], after(5))]).toEqual([['busy', 5], ['rare', 600]]);
  expect(asked).toEqual([['busy', 'rare'], ['rare']]);
});

test('without an answer, and without a question, nothing is known', async () => {
  const warn = jest.spyOn(console, 'warn').mockImplementation();
  const times = new RunTimes();
  const refusing = { request: async () => { throw new Error('500'); } } as unknown as PrefectClient;
  expect((await times.of(refusing, 'etl', ['a'], after(0))).size).toBe(0);
  expect(warn).toHaveBeenCalledTimes(1);
  expect((await times.of(refusing, 'etl', [], after(10))).size).toBe(0);
});
