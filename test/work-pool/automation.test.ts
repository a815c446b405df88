import { WorkPoolConfiguration } from '../../src/work-pool/configuration';
import { handler } from '../../src/work-pool/work-pool.lambda';
import { PrefectServer } from '../support/prefect-server';
import { configuration, event } from '../support/work-pool-events';

let server: PrefectServer;
let wanted: (overrides?: Parameters<typeof configuration>[1]) => WorkPoolConfiguration;

beforeEach(async () => {
  jest.spyOn(console, 'warn').mockImplementation();
  server = await PrefectServer.start();
  wanted = overrides => configuration(`${server.origin}/api`, overrides);
});

afterEach(async () => {
  jest.restoreAllMocks();
  await server.stop();
});

const create = (configured: WorkPoolConfiguration) => handler(event('Create', configured));
const update = (configured: WorkPoolConfiguration) => handler(event('Update', configured, configured));
const remove = (configured: WorkPoolConfiguration) => handler(event('Delete', configured));
const automations = () => [...server.automations.values()];

test('comes with the pool, and watches the heartbeats of the runs of this pool only', async () => {
  await create(wanted());
  expect(automations()).toHaveLength(1);
  expect(automations()[0]).toMatchObject({
    name: 'Flow runs without heartbeats in etl',
    enabled: true,
    trigger: {
      posture: 'Proactive',
      match_related: { 'prefect.resource.role': 'work-pool', 'prefect.resource.id': 'prefect.work-pool.id-of-etl' },
      after: ['prefect.flow-run.heartbeat'],
      expect: ['prefect.flow-run.*', 'cdk-prefect-fargate-worker.flow-run.still-waiting'],
      for_each: ['prefect.resource.id'],
      within: 900,
    },
    actions: [{ type: 'change-flow-run-state', state: 'CRASHED' }],
  });
});

test('is updated in its place, and stays off where users switched it off', async () => {
  await create(wanted());
  automations()[0].enabled = false;
  await update(wanted({ lostAfterSeconds: 600 }));
  expect(automations()).toHaveLength(1);
  expect(automations()[0]).toMatchObject({ id: 'id-of-0', enabled: false, trigger: { within: 600 } });
});

test('is one, also where two deployments raced', async () => {
  await create(wanted());
  server.automations.set('9', { ...automations()[0], id: 'id-of-9' });
  await update(wanted());
  expect(automations()).toHaveLength(1);
});

test.each([[false], [true]])('goes with the construct (deleteOnRemoval: %s), and leaves those of other pools', async deleteOnRemoval => {
  await create(wanted({ name: 'other' }));
  await create(wanted({ deleteOnRemoval }));
  await remove(wanted({ deleteOnRemoval }));
  expect(automations().map(({ name }) => name)).toEqual(['Flow runs without heartbeats in other']);
  expect(server.pools.has('etl')).toBe(!deleteOnRemoval);
});

test('says which resource manages it', async () => {
  await create(wanted());
  expect(automations()[0].description).toMatch(/ Managed by cdk-prefect-fargate-worker: WorkPool of arn:aws:cloudformation:us-east-1:123456789012:stack\/etl\/1$/);
});

test.each([[false], [true]])('stays with the pool where a resource of another name has taken it over (deleteOnRemoval: %s)', async deleteOnRemoval => {
  const configured = wanted({ deleteOnRemoval });
  await create(configured);
  await handler(event('Create', configured, undefined, 'Renamed'));
  await remove(configured);
  expect(automations()).toHaveLength(1);
  expect(server.pools.has('etl')).toBe(true);
  await handler(event('Delete', configured, undefined, 'Renamed'));
  expect(automations()).toHaveLength(0);
});

test.each([
  [402, /plan/], [403, /role Developer/], [404, /not here/], [405, /not here/],
])('is left out where the API answers %d to it, and the deployment says so', async (status, reason) => {
  server.instead = ({ path }) => path.includes('/automations/') ? { status, body: { detail: 'not here' } } : undefined;
  const { Data } = await create(wanted());
  expect(server.pools.has('etl')).toBe(true);
  expect(Data!.Notices).toMatch(new RegExp(`^No automation watches the heartbeats of flow runs, .* answered ${status} to POST .*/automations/filter: .*not here`));
  expect(Data!.Notices).toMatch(reason);
  expect(console.warn).toHaveBeenCalledWith(Data!.Notices);
  await expect(remove(wanted())).resolves.toBeDefined();
});

test('is said in no more than an output of CloudFormation holds', async () => {
  server.instead = ({ path }) => path.includes('/automations/') ? { status: 403, body: { detail: 'x'.repeat(5000) } } : undefined;
  expect((await create(wanted())).Data!.Notices).toHaveLength(1024);
});

test('fails the deployment where the API refuses its content', async () => {
  server.instead = ({ path, method }) => path.endsWith('/automations/') && method === 'POST' ? { status: 422, body: { detail: 'within: too short' } } : undefined;
  await expect(create(wanted())).rejects.toThrow('within: too short');
});

test('does not hold up the removal of a stack whose API is gone', async () => {
  await create(wanted());
  server.instead = () => ({ status: 401, body: { detail: 'Unauthorized' } });
  await expect(remove(wanted())).resolves.toBeDefined();
  await expect(remove(wanted({ deleteOnRemoval: true }))).rejects.toThrow('Unauthorized');
});
