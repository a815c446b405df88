import { ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Tracing } from '../../src';
import { freePort } from '../stand-in/child';
import { goProgram } from '../support/go-program';
import { OtlpReceiver, startOtlpReceiver } from '../support/otlp-receiver';
import { container, newSecret, templateOf } from '../support/worker';

/** A real collector, with the configuration that the task definition gives it. */

jest.setTimeout(240_000);

let program: string;
let receiver: OtlpReceiver;
let collector: ChildProcess | undefined;

beforeAll(async () => {
  program = await goProgram(join(__dirname, '..', 'collector'));
}, 240_000);
beforeEach(async () => {
  receiver = await startOtlpReceiver();
});
afterEach(async () => {
  const ended = new Promise(resolve => collector?.on('close', resolve));
  collector?.kill('SIGKILL');
  await ended;
  await receiver.stop();
});

const SPAN = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', name: 'a span', startTimeUnixNano: '1', endTimeUnixNano: '2' };

/** What the receiver gets of a span, and all that the collector has said. */
async function sent(path: string, headers: Record<string, string>) {
  const template = templateOf(stack => ({
    observability: {
      tracing: Tracing.otlp({
        endpoint: `${receiver.url}${path}`,
        headers: Object.fromEntries(Object.keys(headers).map((name, index) => [name, newSecret(stack, `Header${index}`)])),
      }),
    },
  }));
  const { Environment, Secrets } = container(template, 'collector');
  // ECS puts the secrets' values into the environment; the ids of the test's secrets say which is whose.
  const values = Object.values(headers);
  // Its ports are the task's own there, and this machine's here.
  const [traces, health] = [await freePort(), await freePort()];
  const environment = Object.fromEntries([
    ...Environment.map(({ Name, Value }: any) => [Name, Value.replace('127.0.0.1:4318', `127.0.0.1:${traces}`).replace('127.0.0.1:13133', `127.0.0.1:${health}`)]),
    ...Secrets.map(({ Name, ValueFrom }: any) => [Name, values[Number(/^Header(\d)/.exec(ValueFrom.Ref)![1])]]),
  ]);
  let said = '';
  collector = spawn(program, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [collector.stdout!, collector.stderr!]) stream.on('data', chunk => { said += chunk; });
  const send = () => fetch(`http://127.0.0.1:${traces}/v1/traces`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [SPAN] }] }] }),
  }).then(({ ok }) => ok, () => false);
  for (let attempt = 0; attempt < 100 && !await send(); attempt += 1) await sleep(100);
  for (let attempt = 0; attempt < 100 && receiver.received.length === 0; attempt += 1) await sleep(100);
  return { received: receiver.received[0], said };
}

test.each(['plain', 'Basic YTpiOiN9IHs=', 'a: #b "c" \'d\' $e {f} [g] \\h', '12345', 'true', 'null'])('a header arrives as it is: %s', async value => {
  const { received, said } = await sent('', { 'Authorization': value, 'x-other': 'another value' });
  expect(received).toMatchObject({ path: '/v1/traces', headers: { 'authorization': value, 'x-other': 'another value' } });
  expect(received.text).toContain(SPAN.name);
  expect(said).not.toContain('another value');
});

test('a path of the endpoint stays before that of traces', async () => {
  expect((await sent('/otlp', { 'x-key': 'k' })).received.path).toBe('/otlp/v1/traces');
});
