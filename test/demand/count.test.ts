import { DeploymentLimit, DueRun, DueRuns, isLate, applyLimits, Queue, PoolState } from '../../src/demand/count';

const NOW = Date.UTC(2026, 0, 1);
const times = <T>(count: number, value: T) => Array<T>(count).fill(value);
const queue = (name: string, limits: Partial<Queue> = {}): Queue => ({ name, active: 0, ...limits });
const limit = (deployment: string, values: Partial<DeploymentLimit> = {}): DeploymentLimit =>
  ({ deployment, id: `of ${deployment}`, limit: 1, active: 0, cancelsNew: false, ...values });
/** Runs in a queue that are due in some seconds, or were due some seconds ago. */
const runs = (count: number, of: Partial<DueRun & { seconds: number }> = {}): DueRun[] =>
  times(count, { queue: 'default', sentBack: false, at: NOW + (of.seconds ?? 60) * 1000, ...of });
const due = (soonest: DueRun[]): DueRuns => ({ count: soonest.length, late: soonest.filter(({ at }) => at <= NOW - 15_000).length, soonest });
const judged = (situation: Partial<PoolState> & Pick<PoolState, 'due'>) =>
  applyLimits({ pool: {}, queues: [queue('default')], limits: [], taken: { active: 0, justEnded: 0 }, now: NOW, ...situation });
const startable = (situation: Parameters<typeof judged>[0]) => judged(situation).startable;

describe('due runs that can start are', () => {
  test('all without limits, also those that no page shows', () => {
    expect(startable({ due: { ...due(runs(200)), count: 10_000 } })).toBe(10_000);
  });

  test('as many as the pool has free slots', () => {
    expect(startable({ pool: { limit: 20 }, due: due(runs(50)), taken: { active: 5, justEnded: 0 } })).toBe(15);
  });

  test('none where others fill the pool, whose queues this worker does not serve', () => {
    expect(startable({ pool: { limit: 20, active: 20 }, due: due(runs(50)), taken: { active: 5, justEnded: 0 } })).toBe(0);
  });

  test('none, and not fewer, where a limit was lowered below what runs', () => {
    const queues = [queue('default', { limit: 2, active: 5 })];
    expect(startable({ pool: { limit: 3, active: 5 }, queues, limits: [limit('etl', { limit: 1, active: 5 })], due: due(runs(50, { deployment: 'etl' })) })).toBe(0);
  });

  test('as many in a queue as its limit leaves, beside all of the other queues', () => {
    const queues = [queue('default'), queue('slow', { limit: 5, active: 2 })];
    expect(startable({ queues, due: due([...runs(40, { queue: 'slow' }), ...runs(7)]) })).toBe(3 + 7);
  });

  test('those of the pool\'s limit where the queues\' limits allow more', () => {
    const queues = [queue('a', { limit: 5 }), queue('b', { limit: 5 })];
    expect(startable({ pool: { limit: 4 }, queues, due: due([...runs(9, { queue: 'a' }), ...runs(9, { queue: 'b' })]) })).toBe(4);
  });

  test('as many of a deployment as its limit leaves, beside all of the others', () => {
    const limits = [limit('one at a time', { active: 1 }), limit('three', { limit: 3, active: 1 })];
    const soonest = [...runs(20, { deployment: 'one at a time' }), ...runs(9, { deployment: 'three' }), ...runs(4, { deployment: 'free' }), ...runs(1)];
    expect(startable({ limits, due: due(soonest) })).toBe(0 + 2 + 4 + 1);
  });

  test('as many of all deployments together as a limit leaves that they share', () => {
    const limits = ['a', 'b'].map(deployment => limit(deployment, { id: 'warehouse', limit: 5, active: 2 }));
    expect(startable({ limits, due: due([...runs(9, { deployment: 'a' }), ...runs(9, { deployment: 'b' })]) })).toBe(3);
  });

  test('those that a queue\'s and a deployment\'s limit let through, each where it binds', () => {
    const queues = [queue('default'), queue('slow', { limit: 1 })];
    const soonest = [...runs(10, { queue: 'slow', deployment: 'free' }), ...runs(10, { deployment: 'etl' })];
    expect(startable({ queues, limits: [limit('etl')], due: due(soonest) })).toBe(1 + 1);
  });

  test('none where a limit is 0, which Prefect never lets start', () => {
    for (const cancelsNew of [false, true]) expect(startable({ limits: [limit('etl', { limit: 0, cancelsNew })], due: due(runs(9, { deployment: 'etl' })) })).toBe(0);
  });

  test('one over a limit whose new runs Prefect cancels, because a worker has to take them for that', () => {
    expect(startable({ limits: [limit('etl', { limit: 3, active: 3, cancelsNew: true })], due: due(runs(9, { deployment: 'etl' })) })).toBe(1);
    expect(startable({ limits: [limit('etl', { limit: 3, active: 1, cancelsNew: true })], due: due(runs(9, { deployment: 'etl' })) })).toBe(2);
    expect(startable({ limits: [limit('etl', { limit: 1, active: 1, cancelsNew: true })], due: due(runs(9, { deployment: 'etl' })) })).toBe(1);
  });

  describe('of a line that is longer than a page', () => {
    const queues = [queue('default'), queue('backfill', { limit: 5, active: 5 })];
    const shown = runs(200, { queue: 'backfill', deployment: 'etl' });

    test('not those that wait behind the limit of a queue', () => {
      expect(startable({ queues, due: { ...due(shown), count: 5_030, inLimitedQueues: 5_000 } })).toBe(30);
    });

    test('those that may be in a queue with a limit which the page does not show', () => {
      const more = [...queues, queue('hidden', { limit: 3 })];
      expect(startable({ queues: more, due: { ...due(shown), count: 5_000, inLimitedQueues: 5_000 } })).toBe(3);
      expect(startable({ queues: more, due: { ...due(shown), count: 201, inLimitedQueues: 201 } })).toBe(1);
    });

    test('not those that wait behind the limit of a deployment', () => {
      expect(startable({ limits: [limit('etl', { active: 1 })], due: { ...due(shown), count: 5_030, ofLimitedDeployments: 5_000 } })).toBe(30);
    });

    test('no more than the narrower of both kinds of limits lets through', () => {
      const both = { ...due(shown), count: 5_030, inLimitedQueues: 5_000, ofLimitedDeployments: 5_020 };
      expect(startable({ queues, limits: [limit('etl', { active: 1 })], due: both })).toBe(10);
    });

    test('no more than the pool has free slots', () => {
      expect(startable({ pool: { limit: 250, active: 20 }, due: { ...due(runs(200)), count: 5_000 } })).toBe(230);
    });
  });
});

describe('room for more runs than those that start is', () => {
  const room = (situation: Partial<PoolState> = {}) => judged({ due: due([]), ...situation }).room;

  test('endless without limits, also of a long line', () => {
    expect(room()).toBe(Infinity);
    expect(room({ due: { ...due(runs(200)), count: 10_000 } })).toBe(Infinity);
  });

  test('what the pool\'s limit leaves beside those that run and those that start', () => {
    expect(room({ pool: { limit: 20 }, taken: { active: 5, justEnded: 0 } })).toBe(15);
    expect(room({ pool: { limit: 20 }, due: due(runs(12)), taken: { active: 5, justEnded: 0 } })).toBe(3);
    expect(room({ pool: { limit: 20, active: 18 }, taken: { active: 5, justEnded: 0 } })).toBe(2);
    expect(room({ pool: { limit: 300 }, due: { ...due(runs(200)), count: 260 } })).toBe(40);
  });

  test('what the limits of all queues leave, unless one has none', () => {
    const queues = [queue('a', { limit: 5, active: 2 }), queue('b', { limit: 3 })];
    expect(room({ queues })).toBe(6);
    expect(room({ queues, due: due(runs(4, { queue: 'a' })) })).toBe(3);
    expect(room({ queues: [...queues, queue('free')] })).toBe(Infinity);
  });

  test('none where all queues are paused, and no less than none where a limit was lowered', () => {
    expect(room({ queues: [] })).toBe(0);
    expect(room({ pool: { limit: 3, active: 5 } })).toBe(0);
  });
});

test('a run is late from 15 seconds after its time, as Prefect has it', () => {
  expect([14.999, 15].map(seconds => isLate({ at: NOW - seconds * 1000 }, NOW))).toEqual([false, true]);
});

describe('late runs', () => {
  const late = (situation: Parameters<typeof judged>[0]) => {
    const { late: lacking, blocked, oldestLate } = judged(situation);
    return [lacking, blocked, oldestLate === undefined ? undefined : (NOW - oldestLate) / 1000];
  };
  const line = [...runs(1, { seconds: -600 }), ...runs(19, { seconds: -60 }), ...runs(5)];

  test('without a limit lack a worker', () => {
    expect(late({ due: due(line) })).toEqual([20, 0, 600]);
  });

  test('that a limit holds back are blocked, and no worker is lacking', () => {
    expect(late({ pool: { limit: 7, active: 7 }, due: due(line) })).toEqual([0, 20, undefined]);
    expect(late({ queues: [queue('default', { limit: 7, active: 7 })], due: due(line) })).toEqual([0, 20, undefined]);
  });

  test('that have a slot and don\'t start lack a worker, the others beside them are blocked', () => {
    expect(late({ pool: { limit: 7, active: 4 }, due: due(line) })).toEqual([3, 17, 600]);
  });

  test('whose slot another run has just left are not late yet', () => {
    expect(late({ pool: { limit: 7, active: 4 }, due: due(line), taken: { active: 4, justEnded: 2 } })).toEqual([1, 19, 60]);
    expect(late({ pool: { limit: 7, active: 4 }, due: due(line), taken: { active: 4, justEnded: 5 } })).toEqual([0, 20, undefined]);
  });

  test('without a limit in their way lack a worker whatever has just ended', () => {
    expect(late({ due: due(line), taken: { active: 4, justEnded: 50 } })).toEqual([20, 0, 600]);
    const queues = [queue('default'), queue('slow', { limit: 1, active: 1 })];
    expect(late({ queues, due: due([...runs(3, { queue: 'slow', seconds: -900 }), ...line]), taken: { active: 4, justEnded: 50 } })).toEqual([20, 3, 600]);
  });

  test('that Prefect has sent back are blocked although they are due later now', () => {
    const soonest = runs(20, { deployment: 'etl', sentBack: true, seconds: 20 });
    expect(late({ limits: [limit('etl', { active: 1 })], due: due(soonest) })).toEqual([0, 20, undefined]);
    expect(late({ limits: [limit('etl')], due: due(soonest) })).toEqual([0, 19, undefined]);
  });

  test('further back than a page count as far as limits let them start', () => {
    const shown = runs(200, { queue: 'backfill', seconds: -90 });
    const queues = [queue('default'), queue('backfill', { limit: 5, active: 5 })];
    const further = (count: number, lateOnes: number) => late({ queues, due: { ...due(shown), count, late: lateOnes, inLimitedQueues: 5_000 } });
    expect(further(5_030, 5_030)).toEqual([30, 5_000, 90]);
    // The ten that are not late may all be among the thirty that can start.
    expect(further(5_030, 5_020)).toEqual([20, 5_000, 90]);
    // Of those further back nobody knows since when: at most since the last one that is known.
    const older = [...runs(199, { queue: 'backfill', seconds: -300 }), ...runs(1, { queue: 'backfill', seconds: -200 })];
    expect(late({ queues, due: { ...due(older), count: 5_030, late: 5_030, inLimitedQueues: 5_000 } })).toEqual([30, 5_000, 200]);
    expect(further(5_030, 210)).toEqual([0, 210, undefined]);
    expect(late({ due: { ...due(shown), count: 5_030, late: 210 } })).toEqual([210, 0, 90]);
  });
});
