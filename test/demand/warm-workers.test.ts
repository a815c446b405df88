import type { Bounds, Found } from '../../src/demand/new-desired-count';
import { Minute, warmWorkers } from '../../src/demand/warm-workers';

const DAY = 24 * 60;
const NOW = 30_000_000;
const PATIENCE = 2;

/** A day of which every minute is known, with the workers that were needed so many minutes ago. */
const day = (ago: Readonly<Record<number, number>>, minutes = DAY): Minute[] =>
  Array.from({ length: minutes }, (_, index) => ({ minute: NOW - minutes + index, workers: ago[minutes - index] ?? 0 }));
/** Needed in a minute again and again, the last time so many minutes ago. */
const every = (minutes: number, last: number, workers = 1) =>
  Object.fromEntries(Array.from({ length: Math.ceil((DAY - last) / minutes) }, (_, index) => [last + index * minutes, workers]));

const kept = (
  unscheduled: readonly Minute[], warmTaskHours: number,
  { warm = [], ...found }: Partial<Found> & { warm?: readonly Minute[] } = {}, bounds: Bounds = { min: 0, max: 10 }, scaleInMinutes = PATIENCE,
) => warmWorkers(
  { required: 0, unscheduled: 0, room: Infinity, busy: 0, desired: 10, minute: NOW, ...found },
  { required: [], unscheduled, warm }, { flowRunLimit: 7, warmTaskHours, scaleInMinutes }, bounds);

describe('a worker is kept for unscheduled runs', () => {
  test('as long as the last day\'s runs came again, and not for longer', () => {
    expect(kept(day(every(30, 5)), 24)).toBe(1);
    expect(kept(day(every(30, 29)), 24)).toBe(1);
    expect(kept(day(every(30, 60)), 24)).toBe(0);
  });

  test('a little longer than the waits of the last day, since the next one is rarely the same to the minute', () => {
    expect(kept(day(every(60, 62)), 24)).toBe(1);
    expect(kept(day(every(60, 68)), 24)).toBe(0);
  });

  test('not where the last day would have taken more hours than are allowed', () => {
    // 48 times half an hour, less the minutes that it waits in any case.
    expect(kept(day(every(30, 5)), 22.5)).toBe(1);
    expect(kept(day(every(30, 5)), 21)).toBe(0);
  });

  test('after short waits where there are not hours enough for the long ones too', () => {
    // Three runs ten minutes apart, then four hours without.
    const past = day(Object.fromEntries([0, 1, 2, 3, 4, 5].flatMap(group => [0, 10, 20].map(run => [run + group * 260 + 5, 1]))));
    expect(kept(past, 4)).toBe(1);
    const later = day(Object.fromEntries([0, 1, 2, 3, 4].flatMap(group => [0, 10, 20].map(run => [run + group * 260 + 60, 1]))));
    expect(kept(later, 4)).toBe(0);
    expect(kept(later, 24)).toBe(1);
  });

  test('and a second one only where two were needed', () => {
    expect(kept(day({ ...every(30, 5), ...every(120, 5, 2) }), 24)).toBe(1);
    expect(kept(day({ ...every(30, 5), ...every(120, 5, 2) }), 48)).toBe(2);
    expect(kept(day({ ...every(10, 5, 2) }), 48)).toBe(2);
  });

  test('after the waits that are worth most, whichever worker waited', () => {
    // The first waited ten minutes twenty times, the second an hour and a half twice: the hours are enough for one of them.
    const first = (last: number) => Object.fromEntries(Array.from({ length: 20 }, (_, index) => [last + 10 * index, 1]));
    const past = (last: number) => day({ ...first(last), [last]: 2, [last + 90]: 2, [last + 180]: 2 });
    expect(kept(past(5), 3.5)).toBe(1);
    expect(kept(past(15), 3.5)).toBe(0);
  });

  test('where the wait that goes on now leaves enough of the hours', () => {
    // An hour's wait, and forty minutes by now.
    expect(kept(day({ 40: 1, 100: 1 }), 1.5)).toBe(0);
    expect(kept(day({ 40: 1, 100: 1 }), 1.6)).toBe(1);
  });

  test('not without any in the last day, nor after a single one, whatever is allowed', () => {
    expect(kept(day({}), 240)).toBe(0);
    expect(kept([], 240)).toBe(0);
    expect(kept(day({ 5: 9 }), 240)).toBe(0);
  });

  test('for as much of the hours as belongs to what is known, on the first day', () => {
    const past = day({ 10: 1, 40: 1, 70: 1 }, 90);
    expect(kept(past, 24)).toBe(1);
    // 70 of the 90 minutes are waits.
    expect(kept(past, 12)).toBe(0);
  });

  test('for no more than the hours of a day, whatever comes', () => {
    const warm = (workers: number) => Array.from({ length: 120 }, (_, index) => ({ minute: NOW - 120 + index, workers }));
    expect(kept(day(every(30, 5)), 24, { warm: warm(11) })).toBe(1);
    expect(kept(day(every(30, 5)), 24, { warm: warm(12) })).toBe(0);
  });

  test('beside those that are needed for others, and counted once where unscheduled runs need it now', () => {
    expect(kept(day(every(30, 5)), 24, { required: 3 })).toBe(4);
    expect(kept(day(every(30, 5)), 24, { required: 3, unscheduled: 1 })).toBe(3);
    expect(kept(day(every(30, 5, 2)), 48, { required: 3, unscheduled: 1 })).toBe(4);
  });

  test('where limits in Prefect let a run start, and not while the pool is paused', () => {
    const past = day(every(30, 5, 3));
    expect(kept(past, 72)).toBe(3);
    expect(kept(past, 72, { room: 8 })).toBe(2);
    expect(kept(past, 72, { room: 0 })).toBe(0);
  });

  test('at no expense of the hours where it is there in any case', () => {
    const past = day(every(30, 5, 3));
    expect(kept(past, 24, {}, { min: 2, max: 10 })).toBe(3);
    expect(kept(past, 12, {}, { min: 2, max: 10 })).toBe(0);
    expect(kept(past, 240, {}, { min: 0, max: 2 })).toBe(2);
    expect(kept(day(every(30, 5)), 24, { required: 5 }, { min: 2, max: 10 })).toBe(5);
    expect(kept(day(every(10, 5)), 1, {}, { min: 0, max: 10 }, 15)).toBe(0);
  });
});
