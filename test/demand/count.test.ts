import { DueRuns, Pool, Queue, startable } from '../../src/demand/count';

const pool = (limits: Partial<Pool> = {}): Pool => ({ paused: false, ...limits });
const queue = (name: string, limits: Partial<Queue> = {}): Queue => ({ name, paused: false, active: 0, ...limits });
const due = (queues: string[]): DueRuns => ({ count: queues.length, soonest: queues.map(name => ({ queue: name })) });
const times = (count: number, name: string) => Array<string>(count).fill(name);

describe('due runs that may start are', () => {
  test('all without limits, also those that no page shows', () => {
    expect(startable(pool(), [queue('default')], { count: 10_000, soonest: [{ queue: 'default' }] }, 0)).toBe(10_000);
  });

  test('as many as the pool has free slots', () => {
    expect(startable(pool({ limit: 20 }), [queue('default')], due(times(50, 'default')), 5)).toBe(15);
  });

  test('none where others fill the pool, whose queues this worker does not serve', () => {
    expect(startable(pool({ limit: 20, active: 20 }), [queue('default')], due(times(50, 'default')), 5)).toBe(0);
  });

  test('none, and not fewer, where a limit was lowered below what runs', () => {
    expect(startable(pool({ limit: 3, active: 5 }), [queue('default', { limit: 2, active: 5 })], due(times(50, 'default')), 5)).toBe(0);
  });

  test('as many in a queue as its limit leaves, beside all of the other queues', () => {
    const queues = [queue('default'), queue('slow', { limit: 5, active: 2 })];
    expect(startable(pool(), queues, due([...times(40, 'slow'), ...times(7, 'default')]), 2)).toBe(3 + 7);
  });

  test('those of the pool\'s limit where the queues\' limits allow more', () => {
    expect(startable(pool({ limit: 4 }), [queue('a', { limit: 5 }), queue('b', { limit: 5 })], due([...times(9, 'a'), ...times(9, 'b')]), 0)).toBe(4);
  });

  test('not those that wait behind the limit of a queue whose line fills the page', () => {
    const queues = [queue('default'), queue('backfill', { limit: 5, active: 5 })];
    expect(startable(pool(), queues, { count: 5_030, soonest: due(times(200, 'backfill')).soonest, unlimited: 30 }, 5)).toBe(30);
  });

  test('those that may be in a queue with a limit which the page does not show', () => {
    const queues = [queue('backfill', { limit: 5, active: 5 }), queue('hidden', { limit: 3 })];
    expect(startable(pool(), queues, { count: 5_000, soonest: due(times(200, 'backfill')).soonest, unlimited: 0 }, 5)).toBe(3);
    expect(startable(pool(), queues, { count: 201, soonest: due(times(200, 'backfill')).soonest, unlimited: 0 }, 5)).toBe(1);
  });
});
