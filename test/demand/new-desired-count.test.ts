import { Bounds, Found, newDesiredCount } from '../../src/demand/new-desired-count';

const bounds = { min: 0, max: 10 };
const count = ({ recent = [], ...found }: Partial<Found> & { recent?: number[] }, scaleInMinutes = 2, of: Bounds = bounds) =>
  newDesiredCount(
    { required: 0, unscheduled: 0, room: Infinity, busy: 0, desired: 0, minute: 0, ...found },
    { required: recent.map((workers, index) => ({ minute: index - recent.length, workers })), unscheduled: [], warm: [] },
    { scaleInMinutes }, of).count;

test('what is missing is added at once, up to the most that there may be', () => {
  expect(count({ required: 3, desired: 1 })).toBe(3);
  expect(count({ required: 30, desired: 1 })).toBe(10);
  expect(count({ required: 30, desired: 10 })).toBeUndefined();
});

test('what is too much goes after the minutes that are asked for, of which the newest may not be visible', () => {
  expect(count({ desired: 4, recent: [] })).toBeUndefined();
  expect(count({ desired: 4, recent: [0] })).toBe(0);
  expect(count({ desired: 4, recent: [0, 0, 0, 0, 0, 0, 0, 0] }, 10)).toBeUndefined();
  expect(count({ desired: 4, recent: [0, 0, 0, 0, 0, 0, 0, 0, 0] }, 10)).toBe(0);
});

test('it goes down to the most that any of these minutes needed', () => {
  expect(count({ required: 1, desired: 6, recent: [4, 2] })).toBe(4);
  expect(count({ required: 1, desired: 6, recent: [9, 2] })).toBeUndefined();
});

test('no fewer are kept than have flow runs, and busy ones add none', () => {
  expect(count({ required: 1, busy: 3, desired: 6, recent: [1, 1] })).toBe(3);
  expect(count({ required: 1, busy: 8, desired: 6, recent: [1, 1] })).toBeUndefined();
  expect(count({ required: 7, busy: 9, desired: 6 })).toBe(7);
});

test('bounds hold whatever is needed', () => {
  expect(count({ required: 0, desired: 4, recent: [0, 0] }, 2, { min: 2, max: 10 })).toBe(2);
  expect(count({ required: 0, desired: 0, recent: [] }, 2, { min: 2, max: 10 })).toBe(2);
});

test('what a person has suspended stays', () => {
  expect(count({ required: 3, desired: 1 }, 2, { ...bounds, outSuspended: true })).toBeUndefined();
  expect(count({ required: 3, desired: 1 }, 2, { ...bounds, inSuspended: true })).toBe(3);
  expect(count({ desired: 4, recent: [0, 0] }, 2, { ...bounds, inSuspended: true })).toBeUndefined();
});
