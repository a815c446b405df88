import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PythonEnvironment, pythonEnvironment } from '../python/environment';
import { loopbackCertificate } from '../stand-in/certificate';
import { Redis, startRedis } from '../stand-in/redis';

/** The programs of the server's containers, with the Python of its image and a real Redis. */
jest.setTimeout(180_000);

const PROGRAMS = join(__dirname, '..', '..', 'src', 'server');
const PASSWORD = 'p@ss:w/rd%';
let python: PythonEnvironment;
let redis: Redis;
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'programs-'));
  python = await pythonEnvironment(undefined, 'server');
  const { authority, ...tls } = await loopbackCertificate();
  writeFileSync(join(directory, 'ca.pem'), authority);
  redis = await startRedis({ password: PASSWORD, ...tls });
});
afterAll(async () => {
  await redis?.stop();
  rmSync(directory, { recursive: true, force: true });
});

const run = (program: string, args: string[], environment: Record<string, string> = {}) => execute([join(PROGRAMS, program), ...args], environment);

/** Not synchronously: this process is what stands before Redis. */
async function execute(args: string[], environment: Record<string, string> = {}): Promise<{ code: number | null; said: string }> {
  const child = spawn(python.python, args, {
    env: {
      PATH: process.env.PATH,
      SSL_CERT_FILE: join(directory, 'ca.pem'),
      PREFECT_REDIS_MESSAGING_HOST: '127.0.0.1',
      PREFECT_REDIS_MESSAGING_PORT: String(redis.port),
      PREFECT_REDIS_MESSAGING_PASSWORD: PASSWORD,
      ...environment,
    },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => { said += chunk; });
  const code = await new Promise<number | null>(resolve => child.once('close', resolve));
  return { code, said };
}

describe('the health check of the background services', () => {
  /** In Redis' database of the queue, in which an entry is due so many seconds from now. */
  const due = async (seconds: number) => {
    await redis.command('FLUSHALL');
    const put = 'import sys, redis; redis.Redis(port=int(sys.argv[1]), password=sys.argv[2], db=1, ssl=True, host="127.0.0.1").zadd("prefect:queue", {"it": float(sys.argv[3])})';
    expect(await execute(['-c', put, String(redis.port), PASSWORD, String(Date.now() / 1000 + seconds)])).toEqual({ code: 0, said: '' });
  };

  test.each([['nothing waits', undefined, 0], ['what is due is soon done', 30, 0], ['a turn is late for a minute', -60, 0], ['nobody has done what was due three minutes ago', -180, 1]])(
    '%s', async (_, seconds, code) => {
      if (seconds === undefined) await redis.command('FLUSHALL');
      else await due(seconds);
      expect((await run('services_health.py', [])).code).toBe(code);
    });

  test('doesn\'t have tasks replaced while Redis is away', async () => {
    await redis.shut();
    const { code, said } = await run('services_health.py', []);
    await redis.open();
    expect(said).toContain('Redis: ');
    expect(code).toBe(0);
  });
});

describe('the launcher', () => {
  test('tells docket where Redis is, with a password of any characters', async () => {
    const connect = 'import os, redis; print(redis.Redis.from_url(os.environ["PREFECT_SERVER_DOCKET_URL"]).ping())';
    expect(await run('launcher.py', [python.python, '-c', connect])).toEqual({ code: 0, said: 'True\n' });
  });

  test('refuses an authentication string that is not ASCII, without saying it', async () => {
    const { code, said } = await run('launcher.py', ['true'], { PREFECT_SERVER_API_AUTH_STRING: 'admin:größe' });
    expect(code).toBe(1);
    expect(said).toMatch(/^The secret of authString holds characters that are not ASCII/);
    expect(said).not.toContain('gr');
  });
});
