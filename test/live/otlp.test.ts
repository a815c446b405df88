import { deploy } from './support/cdk';
import { tracedImages } from './support/collector';
import { createSecret, FLOWS, Live, startLive } from './support/environment';
import { eventually, leaks } from './support/evidence';
import { Tracing } from '../../src';
import { OtlpReceiver, startOtlpReceiver } from '../support/otlp-receiver';
import { container, templateOf } from '../support/worker';

jest.setTimeout(300_000);

const COLLECTOR: string = container(templateOf({ observability: { tracing: Tracing.xray() } }), 'collector').Image;
/** With what YAML, JSON and shells have a meaning for. */
const KEY = 'key: {0123456789} #"quoted" $a\\b';

let live: Live;
let receiver: OtlpReceiver;

beforeAll(async () => {
  receiver = await startOtlpReceiver({ name: 'X-Api-Key', value: KEY });
  live = await startLive({ api: 'self-hosted', app: 'test/live/support/otlp-app.ts', images: await tracedImages(COLLECTOR) });
  const environment = { ...live.deployment.environment, RECEIVER_URL: receiver.url, KEY_ARN: await createSecret(live.standIn, KEY) };
  await deploy(live.standIn, { ...live.deployment, environment });
}, 600_000);
afterAll(async () => {
  await live?.stop();
  await receiver?.stop();
});

describe.each([['PROCESS', 'traced processes'], ['ECS', 'traced tasks']])('the spans of a flow run of a %s worker', (_, workPool) => {
  test('arrive at the receiver, with the header', async () => {
    const deployment = await live.prefect.deploy(workPool, { workPool, entrypoint: 'flows.py:hello', directory: FLOWS });
    const id = await live.prefect.start(deployment, { name: workPool });
    expect((await live.prefect.waitFor(id, ['COMPLETED', 'FAILED', 'CRASHED'], 120)).state.type).toBe('COMPLETED');

    const arrived = await eventually(30, async () => receiver.received.find(({ text }) => text.includes(id) && text.includes('greet')));
    expect(arrived).toMatchObject({ path: '/v1/traces', headers: { 'x-api-key': KEY, 'content-type': 'application/x-protobuf' } });
    expect(arrived!.text).toContain(workPool);
  });
});

test('no request lacked the header, and its value stands nowhere in clear', async () => {
  expect(receiver.refused).toEqual([]);
  expect(receiver.received.length).toBeGreaterThanOrEqual(2);
  expect(await leaks({ ...live, credentials: [...live.credentials, KEY] })).toEqual([]);
});
