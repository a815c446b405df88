import { mostAtOnce, SlotsNeeded, slotsNeeded } from '../../src/demand/slots';

const NOW = 1_000_000;
const at = (seconds: number) => NOW + seconds * 1000;
const needed = (given: Partial<SlotsNeeded>) => slotsNeeded(
  { active: [], starting: [], others: 0, times: new Map([['short', 5], ['long', 600]]), children: new Map(), room: Infinity, now: NOW, until: at(210), ...given });
const each = (seconds: number, deployment?: string) =>
  Array.from({ length: Math.ceil(210 / seconds) }, (_, index) => ({ at: at(index * seconds), deployment }));

test('spans that overlap are held at once, one that begins as another ends is not, and what begins too late does not count', () => {
  expect(mostAtOnce([], 100)).toBe(0);
  expect(mostAtOnce([{ from: 0, until: 10 }, { from: 5, until: 15 }, { from: 10, until: 20 }], 100)).toBe(2);
  expect(mostAtOnce([{ from: 0 }, { from: 50 }, { from: 100 }], 100)).toBe(2);
});

describe('the slots that are needed are', () => {
  test('as many as there are runs where nothing is known of their times', () => {
    expect(needed({ starting: each(5), active: [{}, {}] })).toBe(44);
  });

  test('those at one time where short runs follow each other', () => {
    // Claimed ten seconds before, ten more to start, and five to run.
    expect(needed({ starting: each(5, 'short') })).toBe(5);
    expect(needed({ starting: each(30, 'short') })).toBe(1);
  });

  test('all where long runs follow each other, or short ones are due at once', () => {
    expect(needed({ starting: each(5, 'long') })).toBe(42);
    expect(needed({ starting: Array.from({ length: 20 }, () => ({ at: at(60), deployment: 'short' })) })).toBe(20);
  });

  test('no more than before for runs that are due when others have ended', () => {
    const active = [{ deployment: 'long', since: at(-590) }];
    expect(needed({ active, starting: [{ at: at(60), deployment: 'long' }] })).toBe(1);
    expect(needed({ active, starting: [{ at: at(15), deployment: 'long' }] })).toBe(2);
  });

  test('kept for a run that takes longer than its deployment\'s runs do', () => {
    expect(needed({ active: [{ deployment: 'short', since: at(-60) }], starting: [{ at: at(100), deployment: 'short' }] })).toBe(2);
  });

  test('one for each late run, and each of which no more is known than that it is there', () => {
    expect(needed({ starting: Array.from({ length: 9 }, () => ({ at: at(-100), deployment: 'short' })), others: 30 })).toBe(39);
  });

  describe('for the runs that a run creates', () => {
    const children = new Map([['long', { most: 30, afterSeconds: 20 }]]);

    test('there when the first is due, as long as it takes itself', () => {
      expect(needed({ children, starting: [{ at: at(60), deployment: 'long' }] })).toBe(31);
      expect(needed({ children, starting: [{ at: at(200), deployment: 'long' }] })).toBe(1);
      expect(needed({ children, active: [{ deployment: 'long', since: at(-10) }] })).toBe(31);
    });

    test('none once they are there, as runs like others', () => {
      expect(needed({ children, active: [{ deployment: 'long', since: at(-30) }] })).toBe(1);
    });

    test('no more than limits in Prefect let start', () => {
      expect(needed({ children, room: 12, starting: [{ at: at(60), deployment: 'long' }] })).toBe(13);
    });
  });
});
