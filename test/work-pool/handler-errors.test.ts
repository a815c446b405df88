import { createServer, Server } from 'node:net';
import { WorkPoolConfiguration } from '../../src/work-pool/configuration';
import { handler } from '../../src/work-pool/work-pool.lambda';
import { Answer, PrefectServer } from '../support/prefect-server';
import { configuration, event } from '../support/work-pool-events';

const SECRET = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:prefect-AbCdEf';

let server: PrefectServer;
let wanted: (overrides?: Parameters<typeof configuration>[1]) => WorkPoolConfiguration;
const withSecrets = (secrets: Record<string, string>) => wanted({ api: { secrets } });
const create = (configured: WorkPoolConfiguration) => handler(event('Create', configured));
const headers = () => server.requests[0].headers;

/** What the handler says when it fails. */
async function failure(configured: WorkPoolConfiguration): Promise<string> {
  return create(configured).then(() => 'none', (error: Error) => `${error.message}`);
}

beforeEach(async () => {
  server = await PrefectServer.start();
  wanted = overrides => configuration(`${server.origin}/api`, overrides);
  server.standInForAws();
});

afterEach(async () => {
  await server.stop();
});

describe('the credentials', () => {
  test('are an API key as a bearer token', async () => {
    server.secrets.set(SECRET, 'pnu_secret\n');
    await create(withSecrets({ PREFECT_API_KEY: SECRET }));
    expect(headers().authorization).toBe('Bearer pnu_secret');
  });

  test('are an authentication string as Basic authentication', async () => {
    server.secrets.set(SECRET, 'admin:hunter2');
    await create(withSecrets({ PREFECT_API_AUTH_STRING: SECRET }));
    expect(headers().authorization).toBe(`Basic ${Buffer.from('admin:hunter2').toString('base64')}`);
  });

  test('come from a field of a JSON secret', async () => {
    server.secrets.set(SECRET, JSON.stringify({ key: 'pnu_field', other: 'x' }));
    await create(withSecrets({ PREFECT_API_KEY: `${SECRET}:key::` }));
    expect(headers().authorization).toBe('Bearer pnu_field');
  });

  test('come from an SSM parameter', async () => {
    const parameter = 'arn:aws:ssm:us-east-1:123456789012:parameter/prefect/api-key';
    server.secrets.set(parameter, 'pnu_parameter\n');
    await create(withSecrets({ PREFECT_API_KEY: parameter }));
    expect(headers().authorization).toBe('Bearer pnu_parameter');
  });

  test.each([
    ['secret', 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:prefect-AbCdEf'], ['parameter', 'arn:aws:ssm:eu-west-1:123456789012:parameter/key'],
  ])('come from the region in the ARN of the %s', async (_, arn) => {
    server.secrets.set(arn, 'pnu_west');
    await create(withSecrets({ PREFECT_API_KEY: arn }));
    expect(headers().authorization).toBe('Bearer pnu_west');
  });

  test.each([
    ['stage', `${SECRET}:key:AWSPREVIOUS:`, `${SECRET}@AWSPREVIOUS`], ['id', `${SECRET}:key::11111111-2222`, `${SECRET}@11111111-2222`],
  ])('come from the version that is named by its %s', async (_, valueFrom, version) => {
    server.secrets.set(SECRET, JSON.stringify({ key: 'pnu_newest' })).set(version, JSON.stringify({ key: 'pnu_that' }));
    await create(withSecrets({ PREFECT_API_KEY: valueFrom }));
    expect(headers().authorization).toBe('Bearer pnu_that');
  });

  test('are custom headers beside them, on every request', async () => {
    server.secrets.set(SECRET, JSON.stringify({ 'X-Proxy-Token': 'open' })).set(`${SECRET}2`, 'admin:x');
    await create(withSecrets({ PREFECT_CLIENT_CUSTOM_HEADERS: SECRET, PREFECT_API_AUTH_STRING: `${SECRET}2` }));
    for (const request of server.requests) expect(request.headers).toMatchObject({ 'x-proxy-token': 'open', 'authorization': expect.stringMatching(/^Basic /) });
  });

  test('are none where the server asks for none', async () => {
    await create(wanted());
    expect(headers().authorization).toBeUndefined();
  });

  test('that are in no field of this name fail with its name', async () => {
    server.secrets.set(SECRET, JSON.stringify({ key: 'pnu_field' }));
    expect(await failure(withSecrets({ PREFECT_API_KEY: `${SECRET}:token::` }))).toBe(`The secret ${SECRET} has no field "token".`);
  });

  test('that are not there fail with what Secrets Manager says', async () => {
    expect(await failure(withSecrets({ PREFECT_API_KEY: SECRET }))).toMatch(/can't find the specified secret/);
  });

  test('are not shown where the secret is no JSON but a field is asked for', async () => {
    server.secrets.set(SECRET, 'pnu_0123456789');
    const message = await failure(withSecrets({ PREFECT_API_KEY: `${SECRET}:key::` }));
    expect(message).toContain(SECRET);
    expect(message).not.toContain('pnu_');
  });

  test('are not shown where the custom headers are no JSON', async () => {
    server.secrets.set(SECRET, 'X-Token: hunter2');
    const message = await failure(withSecrets({ PREFECT_CLIENT_CUSTOM_HEADERS: SECRET }));
    expect(message).toContain('PREFECT_CLIENT_CUSTOM_HEADERS');
    expect(message).not.toContain('X-Tok');
  });
});

describe('a wrong key', () => {
  test('fails at once with the server\'s own words', async () => {
    server.authorization = 'Bearer right';
    server.secrets.set(SECRET, 'wrong');
    const message = await failure(withSecrets({ PREFECT_API_KEY: SECRET }));
    expect(message).toMatch(/^The Prefect API answered 401 to GET .*\/api\/collections\/.*: .*Unauthorized/);
    expect(message).not.toContain('wrong');
    expect(server.calls).toHaveLength(1);
  });
});

describe('a key that may not', () => {
  test('manage work pools fails at once, with what the API said and what it means', async () => {
    server.instead = ({ method, path }) => method === 'POST' && path.endsWith('/work_pools/') ? { status: 403, body: { detail: 'Forbidden' } } : undefined;
    expect(await failure(wanted())).toMatch(/^The Prefect API answered 403 to POST .*\/work_pools\/: .*Forbidden.* – The key's role doesn't allow it .*Developer.*plan Hobby/);
    expect(server.calls.filter(call => call.startsWith('POST'))).toHaveLength(1);
  });

  test('because of the account\'s plan fails with that', async () => {
    server.instead = ({ method, path }) => method === 'POST' && path.endsWith('/work_pools/') ? { status: 402, body: { detail: 'Payment Required' } } : undefined;
    expect(await failure(wanted())).toMatch(/answered 402 to POST .*Payment Required.* – The account's plan doesn't offer it: .*hybrid work pools/);
  });
});

describe('a wrong URL', () => {
  const everything = (answer: Answer) => {
    server.instead = () => answer;
  };

  test('of a server that knows no such path fails with the path', async () => {
    everything({ status: 404, body: { detail: 'Not Found' } });
    expect(await failure(wanted())).toMatch(/answered 404 to GET http:\/\/127\.0\.0\.1:\d+\/api\/collections\/views\/aggregate-worker-metadata: .*Not Found/);
  });

  test('of a page for people fails and says that it is no Prefect API', async () => {
    everything({ status: 200, body: '<!doctype html><title>Welcome</title>', headers: { 'content-type': 'text/html' } });
    expect(await failure(wanted())).toMatch(/no JSON but "<!doctype html>.*is this the URL of a Prefect API\?/);
  });

  test('that redirects fails and says where to', async () => {
    everything({ status: 302, headers: { location: 'https://login.example.com/' } });
    expect(await failure(wanted())).toContain('a redirect to https://login.example.com/');
    expect(server.calls).toHaveLength(1);
  });

  test.failing.each([[302, undefined], [200, '<html></html>']])('is told with the status that the server gave: %d', async (status, body) => {
    everything({ status, body, headers: { location: 'https://login.example.com/' } });
    expect(await failure(wanted())).toContain(`answered ${status} to GET`);
  });
});

test('a proxy is asked for the API, and AWS is not asked through it', async () => {
  server.secrets.set(SECRET, 'admin:x');
  await create(configuration('http://prefect.example.com/api', { api: { proxyUrl: server.origin, secrets: { PREFECT_API_AUTH_STRING: SECRET } } }));
  expect(server.pools.has('etl')).toBe(true);
  for (const { path, headers: { host } } of server.requests) expect([path, host]).toEqual([expect.stringMatching(/^http:\/\/prefect\.example\.com\/api\//), 'prefect.example.com']);
});

describe('a server that is not up to it', () => {
  test.each([429, 503])('is asked again after %d', async status => {
    let refusals = 1;
    server.instead = () => refusals-- > 0 ? { status, body: { detail: 'later' } } : undefined;
    await create(wanted());
    expect(server.calls.slice(0, 2)).toEqual(['GET /api/collections/views/aggregate-worker-metadata', 'GET /api/collections/views/aggregate-worker-metadata']);
    expect(server.pools.has('etl')).toBe(true);
  });

  test('is not asked again after a refusal of what was sent, whose reason fails the deployment', async () => {
    server.instead = ({ method }) => method === 'POST' ? { status: 422, body: { detail: 'base_job_template is not valid' } } : undefined;
    expect(await failure(wanted())).toMatch(/answered 422 to POST .*base_job_template is not valid/);
    expect(server.calls.filter(call => call.startsWith('POST'))).toHaveLength(1);
  });

  test('may have made the pool before it failed', async () => {
    let refusals = 1;
    server.instead = ({ method, body }) => {
      if (method !== 'POST' || refusals-- <= 0) return undefined;
      server.pools.set(body.name, { id: 'made', ...body });
      return { status: 503 };
    };
    await expect(create(wanted())).resolves.toMatchObject({ Data: { Id: 'made' } });
  });
});

describe('a server that can not be reached', () => {
  // The handler tries for half a minute; the clock of the test goes faster than that.
  let fasterBy = 0;
  beforeEach(() => {
    const start = Date.now();
    jest.spyOn(Date, 'now').mockImplementation(() => start + (fasterBy += 12_000));
  });
  afterEach(() => {
    jest.restoreAllMocks();
    fasterBy = 0;
  });

  test('fails with its address and the reason', async () => {
    const free: Server = await new Promise(resolve => {
      const listener = createServer().listen(0, '127.0.0.1', () => resolve(listener));
    });
    const { port } = free.address() as { port: number };
    await new Promise(resolve => free.close(resolve));
    expect(await failure(configuration(`http://127.0.0.1:${port}/api`)))
      .toMatch(new RegExp(`^The Prefect API at http://127\\.0\\.0\\.1:${port}/api can't be reached \\(connect ECONNREFUSED`));
  });

  test('and is down for good fails with its last answer', async () => {
    server.instead = () => ({ status: 503, body: { detail: 'maintenance' } });
    expect(await failure(wanted())).toMatch(/answered 503 .*maintenance/);
  });

  test('and is slow is given up while there is time to say so: the deployment fails within a minute', async () => {
    // A second of the real clock.
    jest.restoreAllMocks();
    process.env.WORK_POOL_SECONDS = '1';
    let busy = true;
    server.instead = () => busy ? { status: 503, body: {} } : undefined;
    const said = await failure(wanted());
    busy = false;
    expect(said).toBe('The Prefect API had not answered all requests after 1 seconds.');
  });
});
