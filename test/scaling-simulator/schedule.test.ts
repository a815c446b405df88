import { rateSeconds, timesOf } from '../../bench/scaling/aws/schedule';

const MONDAY = Date.UTC(2026, 0, 5);
const DAY = 86_400_000;
const times = (expression: string, days = 1, timeZone?: string) =>
  timesOf({ expression, timeZone }, MONDAY, MONDAY + days * DAY).map(time => new Date(time).toISOString().slice(0, 16));

test.each([
  ['cron(0 7 * * ? *)', ['2026-01-05T07:00']],
  ['cron(30 7,19 * * ? *)', ['2026-01-05T07:30', '2026-01-05T19:30']],
  ['cron(0/30 22-23 ? * MON-FRI *)', ['2026-01-05T22:00', '2026-01-05T22:30', '2026-01-05T23:00', '2026-01-05T23:30']],
  ['cron(0 7 ? * SUN *)', []],
  ['cron(0 7 5 JAN ? 2026)', ['2026-01-05T07:00']],
  ['at(2026-01-05T10:15:00)', ['2026-01-05T10:15']],
  ['rate(12 hours)', ['2026-01-05T00:00', '2026-01-05T12:00']],
])('%s', (expression, expected) => {
  expect(times(expression)).toEqual(expected);
});

test('a time zone moves the times, summer time included', () => {
  expect(times('cron(0 7 * * ? *)', 1, 'America/New_York')).toEqual(['2026-01-05T12:00']);
  const july = Date.UTC(2026, 6, 6);
  expect(timesOf({ expression: 'cron(0 7 * * ? *)', timeZone: 'America/New_York' }, july, july + DAY)).toEqual([july + 11 * 3_600_000]);
});

test('a rate in seconds, and an error for what is none', () => {
  expect([rateSeconds('rate(1 minute)'), rateSeconds('rate(5 minutes)'), rateSeconds('rate(1 day)')]).toEqual([60, 300, 86_400]);
  expect(() => rateSeconds('every minute')).toThrow('every minute is no rate expression.');
  expect(() => times('cron(0 7 * * ?)')).toThrow('six fields');
});
