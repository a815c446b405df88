import { CrashCursor } from '../../src/demand/crash-cursor';
import { PrefectServer } from '../support/prefect-server';

const NOW = new Date('2026-01-01T12:00:00Z');
const before = (seconds: number) => new Date(NOW.getTime() - seconds * 1000);

let server: PrefectServer;
let log: { timestamp: number; message: string }[];

beforeEach(async () => {
  server = await PrefectServer.start();
  log = [];
  server.instead = ({ headers, body }) => {
    expect(headers['x-amz-target']).toBe('Logs_20140328.FilterLogEvents');
    const pattern = body.filterPattern.slice(1, -1);
    return { status: 200, body: { events: log.filter(({ timestamp, message }) => timestamp >= body.startTime && message.includes(pattern)) } };
  };
  server.standInForAws();
  process.env.AWS_LAMBDA_LOG_GROUP_NAME = 'publisher';
});

afterEach(async () => {
  jest.restoreAllMocks();
  await server.stop();
});

/** An instance of the function whose words arrive in the log. */
function instance(): CrashCursor {
  const position = new CrashCursor();
  return Object.assign(position, {
    advance: (worker: string, until: Date) => {
      jest.spyOn(console, 'log').mockImplementationOnce(message => log.push({ timestamp: until.getTime(), message }));
      CrashCursor.prototype.advance.call(position, worker, until);
    },
  });
}

test('where nothing was counted before, there is no position', async () => {
  expect(await instance().read('Worker', NOW, 25)).toBeUndefined();
});

test('from poll to poll an instance remembers, and reads nothing', async () => {
  const position = instance();
  position.advance('Worker', before(20));
  expect(await position.read('Worker', NOW, 25)).toEqual(before(20));
  expect(server.requests).toHaveLength(0);
});

test('an instance that starts afresh goes on where the last one was, also after hours without a poll', async () => {
  instance().advance('Worker', before(4 * 3600));
  instance().advance('Worker', before(3 * 3600));
  expect(await instance().read('Worker', NOW, 25)).toEqual(before(3 * 3600));
});

test('an instance that skipped a poll goes on where the one was that stepped in', async () => {
  const [first, second] = [instance(), instance()];
  first.advance('Worker', before(70));
  second.advance('Worker', before(20));
  expect(await first.read('Worker', NOW, 25)).toEqual(before(20));
});

test('an instance whose last words are not in the log yet goes on where it was itself', async () => {
  const [first, second] = [instance(), instance()];
  second.advance('Worker', before(80));
  first.advance('Worker', before(70));
  log.pop();
  expect(await first.read('Worker', NOW, 25)).toEqual(before(70));
});

test('of one worker is none of another\'s, though the same instance of the function serves both', async () => {
  const both = instance();
  both.advance('One', before(20));
  both.advance('OneAndAHalf', before(10));
  expect(await both.read('One', NOW, 25)).toEqual(before(20));
  expect(await instance().read('One', NOW, 25)).toEqual(before(20));
  expect(await both.read('Two', NOW, 25)).toBeUndefined();
});
