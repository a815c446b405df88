import { handler } from '../../src/rescue/reconciler.lambda';
import { PrefectServer } from '../support/prefect-server';

const settings = (workPool: string) => ({ workPool, worker: `Stack${workPool}`, type: 'process', interruptedRuns: 'restart' as const, cluster: 'arn:aws:ecs:us-east-1:123456789012:cluster/data', service: 'workers' });

let server: PrefectServer;
let lines: any[];
let said: jest.SpyInstance;

beforeEach(async () => {
  server = await PrefectServer.start();
  server.standInForAws();
  Object.assign(process.env, { API: JSON.stringify({ url: `${server.origin}/api`, isCloud: false, secrets: {} }), WORKER_SECRETS: '[]' });
  // Pools without runs; one of them is refused.
  server.instead = ({ path, body }) => (JSON.stringify(body ?? {}).includes('"refused"') ? { status: 403, body: { detail: 'no' } } : { status: 200, body: path.endsWith('/paginate') ? { count: 0, results: [] } : [] });
  lines = [];
  jest.spyOn(process.stdout, 'write').mockImplementation(line => lines.push(JSON.parse(`${line}`)) > 0);
  said = jest.spyOn(console, 'error').mockImplementation();
});
afterEach(async () => {
  jest.restoreAllMocks();
  await server.stop();
});

const published = () => lines.map(({ _aws, ...values }) => {
  const [{ Namespace, Dimensions, Metrics }] = _aws.CloudWatchMetrics;
  return [Namespace, Dimensions, Metrics, values];
});
const told = (workPool: string, ReconcilerErrors: number) => [
  'PrefectFargateWorker', [['WorkPool', 'Worker']], [{ Name: 'ReconcilerErrors', Unit: 'Count' }], { WorkPool: workPool, Worker: `Stack${workPool}`, ReconcilerErrors },
];

test('a turn that fails counts for its pool, and the next pool\'s turn in the same function does not', async () => {
  await expect(handler(settings('refused'))).rejects.toThrow('403');
  await handler(settings('etl'));
  expect(published()).toEqual([told('refused', 1), told('etl', 0)]);
});

test('what a turn logs names the pool and the worker', async () => {
  await expect(handler(settings('refused'))).rejects.toThrow();
  expect(said.mock.calls.length).toBeGreaterThan(0);
  for (const [first] of said.mock.calls) expect(first).toBe('[refused Stackrefused]');
  said.mockClear();
  console.error('of nobody');
  expect(said.mock.calls).toEqual([['of nobody']]);
});

test('a turn that takes too long counts as failed while there is time to say so', async () => {
  process.env.OVERDUE_SECONDS = '0.05';
  const answer = server.instead!;
  server.instead = request => {
    const end = Date.now() + 80;
    while (Date.now() < end);
    return answer(request);
  };
  await handler(settings('etl'));
  expect(published()[0]).toEqual(told('etl', 1));
});
