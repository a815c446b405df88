import { childRuns, KnownChildRuns } from '../../src/demand/child-runs';
import { RunTimes } from '../../src/demand/run-times';
import type { PrefectClient } from '../../src/private/prefect-client';

const NOW = Date.UTC(2026, 0, 5);
const after = (minutes: number) => new Date(NOW + minutes * 60_000);
const iso = (seconds: number) => new Date(NOW + seconds * 1000).toISOString();

/** Children of a parent that are due together, `at` seconds after NOW. */
const children = (parent: string, count: number, at: number, seconds = 60) =>
  Array.from({ length: count }, () => ({ parent, expected: NOW + at * 1000, seconds }));

describe('what runs create is', () => {
  const parents = [{ id: 'new', started: NOW + 7200_000 }, { id: 'old', started: NOW }];

  test('as many as each had at a time, as soon as the soonest', () => {
    expect(childRuns(parents, [...children('new', 30, 7220), ...children('old', 20, 10)])).toEqual({ most: 20, afterSeconds: 10 });
  });

  test('one where they follow each other', () => {
    const each = (parent: string, start: number) => [0, 60, 120].flatMap(at => children(parent, 1, start + at));
    expect(childRuns(parents, [...each('new', 7200), ...each('old', 0)])).toEqual({ most: 1, afterSeconds: 0 });
  });

  test('not known where one of them created none, or there is none', () => {
    expect(childRuns(parents, children('new', 30, 7220))).toBeUndefined();
    expect(childRuns([], [])).toBeUndefined();
  });
});

/** An API that knows three completed runs of each deployment, `<deployment>-1` to 3, and what they created. */
function api(deployments: readonly string[], creates: Record<string, number>) {
  const asked: string[] = [];
  const created = (run: string) => creates[run.split('-')[0]] ?? 0;
  const client = {
    request: async (_: string, path: string, { flow_runs: runs, task_runs: tasks }: any) => {
      if (path === '/task_runs/filter') {
        asked.push('parents');
        return tasks.id.any_.map((id: string) => ({ id, flow_run_id: id.replace('task of ', '') }));
      }
      if (runs.parent_flow_run_id === undefined) {
        asked.push('times');
        return deployments.flatMap(deployment_id => [3, 2, 1].map(number => (
          { id: `${deployment_id}-${number}`, deployment_id, start_time: iso(number * 3600), total_run_time: 60 })));
      }
      asked.push('children');
      return runs.parent_flow_run_id.any_.flatMap((run: string) => Array.from({ length: created(run) }, () => (
        { parent_task_run_id: `task of ${run}`, expected_start_time: iso(Number(run.split('-')[1]) * 3600 + 5), total_run_time: 60 }))).slice(0, 200);
    },
  } as unknown as PrefectClient;
  const [times, known] = [new RunTimes(), new KnownChildRuns()];
  /** What a poll knows, as the publisher asks. */
  const poll = async (minute: number) => {
    const [before, now] = [asked.length, after(minute)];
    await times.of(client, 'etl', deployments, now);
    const found = await known.of(client, 'etl', deployments, times, now);
    return { asked: asked.slice(before), found: [...found] };
  };
  return { poll };
}

test('it takes one request in a poll, after that for run times, and another one where there are children', async () => {
  const { poll } = api(['fan', 'plain'], { fan: 30 });
  expect(await poll(0)).toEqual({ asked: ['times'], found: [] });
  expect(await poll(1)).toEqual({ asked: ['children'], found: [] });
  const learned = [['fan', { most: 30, afterSeconds: 5 }]];
  expect(await poll(2)).toEqual({ asked: ['parents'], found: learned });
  for (let minute = 3; minute < 30; minute++) expect(await poll(minute)).toEqual({ asked: [], found: learned });
  for (let minute = 31; minute < 360; minute++) expect((await poll(minute)).asked).not.toContain('children');
});

test('where no run creates another, it is asked once for hours', async () => {
  const { poll } = api(['plain'], {});
  await poll(0);
  expect((await poll(1)).asked).toEqual(['children']);
  for (let minute = 2; minute < 360; minute++) expect((await poll(minute)).asked).not.toContain('children');
});

test('of more children than Prefect gives at a time, those of the newest runs count', async () => {
  const { poll } = api(['wide'], { wide: 150 });
  await poll(0);
  await poll(1);
  expect((await poll(2)).found).toEqual([['wide', { most: 150, afterSeconds: 5 }]]);
});

test('without an answer nothing is known, and the question comes again after five minutes', async () => {
  const warn = jest.spyOn(console, 'warn').mockImplementation();
  const past = { hasAsked: () => false, lastRuns: () => [{ id: 'a-1', started: NOW }] } as unknown as RunTimes;
  const request = jest.fn().mockRejectedValue(new Error('500'));
  const known = new KnownChildRuns();
  for (let minute = 0; minute < 6; minute++) expect((await known.of({ request } as unknown as PrefectClient, 'etl', ['a'], past, after(minute))).size).toBe(0);
  expect(request).toHaveBeenCalledTimes(2);
  expect(warn).toHaveBeenCalledTimes(2);
  warn.mockRestore();
});
