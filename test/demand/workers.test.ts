import type { Standby } from '../../src/demand/configuration';
import { Fleet, Need, workersFor } from '../../src/demand/workers';

const need = ({ demand = 0, ...values }: Partial<Need> = {}): Need =>
  ({ demand, slots: demand, busyWorkers: 0, room: Infinity, oldestLateSeconds: 0, onlineWorkers: 0, ...values });
const fleet = (desired: number, running = desired): Fleet => ({ desired, running });
const numbers = (...values: Parameters<typeof workersFor>) => {
  const workers = workersFor(...values)!;
  return [workers.RequiredWorkers, workers.MissingWorkers, workers.SurplusWorkers];
};

describe('the workers that are needed', () => {
  test.each([
    [0, 0, [0, 0, 0]],
    [1, 0, [1, 1, 0]],
    [7, 0, [1, 1, 0]],
    [8, 0, [2, 2, 0]],
    [60, 4, [9, 5, 0]],
    [60, 9, [9, 0, 0]],
    [7, 9, [1, 0, 8]],
    [0, 2, [0, 0, 2]],
  ])('for a demand of %d with %d workers are %j', (demand, desired, expected) => {
    expect(numbers(need({ demand }), fleet(desired), { flowRunLimit: 7 })).toEqual(expected);
  });

  test('are a few where they hold any number of flow runs, and none without any', () => {
    expect(numbers(need({ demand: 60 }), fleet(0), { workers: 2 })).toEqual([2, 2, 0]);
    expect(numbers(need({ demand: 1 }), fleet(2), { workers: 2 })).toEqual([1, 0, 1]);
    expect(numbers(need(), fleet(2), { workers: 2 })).toEqual([0, 0, 2]);
  });

  test.each([
    ['none', 0, 0, Infinity, 0],
    ['one for a spare run', 0, 1, Infinity, 1],
    ['one for as many as it has slots', 0, 7, Infinity, 1],
    ['two for one more', 0, 8, Infinity, 2],
    ['those of the demand where the last has a slot left', 6, 1, Infinity, 1],
    ['one more where the demand fills the last', 7, 1, Infinity, 2],
    ['no more than limits in Prefect leave room for', 6, 20, 3, 2],
    ['none where limits or a pause leave none', 0, 20, 0, 0],
  ])('with room beyond the demand are %s: demand %d, spare %d, room %d', (_, demand, spareFlowRuns, room, required) => {
    expect(numbers(need({ demand, room }), fleet(required), { flowRunLimit: 7, spareFlowRuns })).toEqual([required, 0, 0]);
  });

  test.each([
    ['all of them', { slots: 15, scheduledSlots: 0 }, 3],
    ['one where scheduled runs take the others', { slots: 15, scheduledSlots: 14 }, 1],
    ['none where those of scheduled runs have slots left', { slots: 14, scheduledSlots: 8 }, 0],
  ])('are told by whom only unscheduled runs need, where some may wait for these: %s', (_, slots, unscheduled) => {
    expect(workersFor(need(slots), fleet(0), { flowRunLimit: 7 })).toMatchObject({ UnscheduledWorkers: unscheduled });
    expect(workersFor(need({ ...slots, scheduledSlots: undefined }), fleet(0), { flowRunLimit: 7 })).not.toHaveProperty('UnscheduledWorkers');
  });

  test('are not asked for where their number is fixed', () => {
    expect(workersFor(need({ demand: 60 }), fleet(2), {})).toBeUndefined();
  });
});

describe('a standby', () => {
  const standby: Standby = { afterSeconds: 300 };

  test('has no workers while runs are not late for long, whatever the demand', () => {
    expect(numbers(need({ demand: 60, oldestLateSeconds: 299, onlineWorkers: 4 }), fleet(0), { flowRunLimit: 7, standby })).toEqual([0, 0, 0]);
    expect(numbers(need({ demand: 60, oldestLateSeconds: 299 }), fleet(0), { flowRunLimit: 7, standby })).toEqual([0, 0, 0]);
  });

  test('takes over when runs have been late for long, also beside another that can not cope', () => {
    expect(numbers(need({ demand: 60, oldestLateSeconds: 300 }), fleet(0), { flowRunLimit: 7, standby })).toEqual([9, 9, 0]);
    expect(numbers(need({ demand: 60, oldestLateSeconds: 300, onlineWorkers: 10 }), fleet(0), { flowRunLimit: 7, standby })).toEqual([9, 9, 0]);
  });

  test('goes on when the runs are no longer late, because that is its own doing', () => {
    expect(numbers(need({ demand: 30, onlineWorkers: 9 }), fleet(9), { flowRunLimit: 7, standby })).toEqual([5, 0, 4]);
    expect(numbers(need({ demand: 30, onlineWorkers: 2 }), fleet(9, 5), { flowRunLimit: 7, standby })).toEqual([5, 0, 4]);
    expect(numbers(need({ demand: 3, onlineWorkers: 1 }), fleet(1), { flowRunLimit: 7, standby })).toEqual([1, 0, 0]);
  });

  test('keeps room for spare runs while it serves the pool, and none before', () => {
    expect(numbers(need({ demand: 7, oldestLateSeconds: 300 }), fleet(0), { flowRunLimit: 7, spareFlowRuns: 3, standby })).toEqual([2, 2, 0]);
    expect(numbers(need({ onlineWorkers: 4 }), fleet(0), { flowRunLimit: 7, spareFlowRuns: 3, standby })).toEqual([0, 0, 0]);
  });

  test('hands back when others are online again', () => {
    expect(numbers(need({ demand: 30, onlineWorkers: 10 }), fleet(9), { flowRunLimit: 7, standby })).toEqual([0, 0, 9]);
  });

  test('has no workers when nothing is left to do', () => {
    expect(numbers(need({ onlineWorkers: 9 }), fleet(9), { flowRunLimit: 7, standby })).toEqual([0, 0, 9]);
  });

  test('takes over with a few workers where they hold any number of flow runs', () => {
    expect(numbers(need({ demand: 60, oldestLateSeconds: 300 }), fleet(0), { workers: 2, standby })).toEqual([2, 2, 0]);
    expect(numbers(need({ demand: 1, oldestLateSeconds: 300 }), fleet(0), { workers: 2, standby })).toEqual([1, 1, 0]);
    expect(numbers(need({ demand: 60, onlineWorkers: 4 }), fleet(0), { workers: 2, standby })).toEqual([0, 0, 0]);
  });
});
