import { handler } from '../../src/work-pool/relay.lambda';
import { PrefectServer } from '../support/prefect-server';
import { configuration, event } from '../support/work-pool-events';

const FUNCTION = 'arn:aws:lambda:us-east-1:123456789012:function:pools';

let server: PrefectServer;
beforeEach(async () => {
  server = await PrefectServer.start();
  server.standInForAws();
});
afterEach(() => server.stop());

const asked = () => {
  const { ResourceProperties, ...request } = event('Create', configuration('https://prefect.example.com/api'));
  return { ...request, ResourceProperties: { ...ResourceProperties, Function: FUNCTION } } as Parameters<typeof handler>[0];
};

test('what CloudFormation asks reaches the function that the resource names, and its answer comes back', async () => {
  server.instead = () => ({ status: 200, body: { PhysicalResourceId: 'etl', Data: { Id: '1' } } });
  expect(await handler(asked())).toEqual({ PhysicalResourceId: 'etl', Data: { Id: '1' } });
  const [{ path, body }, ...others] = server.requests;
  expect(others).toEqual([]);
  expect(decodeURIComponent(path)).toBe(`/2015-03-31/functions/${FUNCTION}/invocations`);
  expect(body).toEqual(JSON.parse(JSON.stringify(asked())));
});

test('the reason for which the function fails is that of the deployment', async () => {
  server.instead = () => ({ status: 200, headers: { 'x-amz-function-error': 'Unhandled' }, body: { errorType: 'Error', errorMessage: 'The Prefect API answered 401 to GET /work_pools/etl' } });
  await expect(handler(asked())).rejects.toThrow('The Prefect API answered 401 to GET /work_pools/etl');
});
