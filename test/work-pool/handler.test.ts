import { WorkPoolConfiguration } from '../../src/work-pool/configuration';
import { handler } from '../../src/work-pool/work-pool.lambda';
import { OFFERED, PrefectServer } from '../support/prefect-server';
import { configuration, event } from '../support/work-pool-events';

let server: PrefectServer;
let wanted: (overrides?: Parameters<typeof configuration>[1]) => WorkPoolConfiguration;

beforeEach(async () => {
  server = await PrefectServer.start();
  wanted = overrides => configuration(`${server.origin}/api`, overrides);
});

afterEach(() => server.stop());

const create = (configured: WorkPoolConfiguration) => handler(event('Create', configured));
const update = (configured: WorkPoolConfiguration, before = configured) => handler(event('Update', configured, before));
const remove = (configured: WorkPoolConfiguration) => handler(event('Delete', configured));
const pool = () => server.pools.get('etl')!;

describe('creating a pool', () => {
  test('makes it with the type\'s template from the server, its limit and its name as the resource\'s id', async () => {
    const answer = await create(wanted({ concurrencyLimit: 5 }));
    expect(pool()).toMatchObject({ name: 'etl', type: 'process', concurrency_limit: 5, base_job_template: OFFERED.process });
    expect(answer).toEqual({ PhysicalResourceId: 'etl', Data: { Id: 'id-of-etl', Notices: 'none', Fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) } });
  });

  test('fills the template of an ECS pool', async () => {
    await create(wanted({ type: 'ecs', template: { variables: { cpu: 512 }, environment: { LEVEL: 'x' }, taskDefinition: {} } }));
    expect(pool().base_job_template.variables.properties).toMatchObject({ cpu: { title: 'CPU', default: 512 }, env: { default: { LEVEL: 'x' } } });
  });

  test('takes a name with spaces and quotes', async () => {
    await create(wanted({ name: 'on premises "etl"?' }));
    expect(server.pools.has('on premises "etl"?')).toBe(true);
    expect(server.calls).toContain('GET /api/work_pools/on%20premises%20%22etl%22%3F');
  });

  test('reads the templates where Prefect Cloud keeps them', async () => {
    await create(configuration(`${server.origin}/api/accounts/a/workspaces/w`, { api: { isCloud: true } }));
    expect(server.calls[0]).toBe('GET /api/accounts/a/workspaces/w/collections/work_pool_types');
    expect(server.pools.has('etl')).toBe(true);
  });

  test('reads the templates where a server keeps them', async () => {
    await create(wanted());
    expect(server.calls[0]).toBe('GET /api/collections/views/aggregate-worker-metadata');
  });

  test('fails with the types that do not match where a pool of another type has the name', async () => {
    server.pools.set('etl', { type: 'kubernetes', base_job_template: OFFERED.process });
    await expect(create(wanted())).rejects.toThrow('The work pool "etl" exists with the type "kubernetes", and this worker\'s type is "process".');
    expect(server.calls.filter(call => !call.startsWith('GET'))).toEqual([]);
  });

  test('fails where the server knows no such type', async () => {
    await expect(create(wanted({ type: 'nomad' }))).rejects.toThrow(`The Prefect API at ${server.origin}/api knows no work pools of the type "nomad".`);
  });

  test.each([['/work_pools/'], ['/work_pools/etl/queues']])('goes on where the answer to POST %s is lost, or another region was first', async path => {
    const lost = new Set([`/api${path}`]);
    server.instead = request => {
      if (request.method !== 'POST' || !lost.delete(request.path)) return undefined;
      if (path === '/work_pools/') server.pools.set('etl', { id: 'first', ...request.body });
      else server.queues.set('etl/urgent', request.body);
      return { status: 409, body: { detail: 'already exists' } };
    };
    await create(wanted({ queues: [{ name: 'urgent', priority: 1 }] }));
    expect(lost.size).toBe(0);
    expect(pool()).toMatchObject({ type: 'process' });
    expect(server.queues.get('etl/urgent')).toMatchObject({ priority: 1 });
  });

  test('takes over a pool that exists, with what its users set', async () => {
    server.pools.set('etl', {
      id: 'theirs',
      type: 'process',
      description: 'ours',
      is_paused: true,
      concurrency_limit: 3,
      base_job_template: { ...OFFERED.process, job_configuration: { ...OFFERED.process.job_configuration, stream_output: false } },
    });
    await expect(create(wanted())).resolves.toMatchObject({ Data: { Id: 'theirs' } });
    expect(pool()).toMatchObject({ description: 'ours', is_paused: true, concurrency_limit: 3, base_job_template: { job_configuration: { stream_output: false } } });
  });
});

describe('the version of the server', () => {
  const told = async () => (await create(wanted())).Data!.Notices;

  test.each(['3.6.13', '3.4.25', '2.20.3', '3.6.9.dev3'])('that is too low is told, and the deployment goes on: %s', async version => {
    jest.spyOn(console, 'warn').mockImplementation();
    server.version = version;
    expect(await told()).toMatch(new RegExp(`^The Prefect server has version ${version}, and the lowest that is supported is 3\\.6\\.14: upgrade it`));
    expect(console.warn).toHaveBeenCalledWith(expect.stringContaining(version));
    expect(pool()).toBeDefined();
  });

  test.each(['3.6.14', '3.9.1', '3.10.0', '4.0', undefined])('that is high enough, or not told, is fine: %s', async version => {
    server.version = version;
    expect(await told()).toBe('none');
  });

  test('is not asked of Prefect Cloud', async () => {
    await create(configuration(`${server.origin}/api/accounts/a/workspaces/w`, { api: { isCloud: true } }));
    expect(server.calls.filter(call => call.includes('version'))).toEqual([]);
  });
});

describe('updating a pool', () => {
  test('sends only the template, so that description, pause and limit stay as the users set them', async () => {
    await create(wanted());
    Object.assign(pool(), { description: 'ours', is_paused: true, concurrency_limit: 7 });
    await update(wanted());
    expect(Object.keys(server.sent('PATCH', '/api/work_pools/etl'))).toEqual(['base_job_template']);
    expect(pool()).toMatchObject({ description: 'ours', is_paused: true, concurrency_limit: 7 });
  });

  test('sets a limit that is given', async () => {
    await create(wanted({ concurrencyLimit: 5 }));
    await update(wanted({ concurrencyLimit: 6 }), wanted({ concurrencyLimit: 5 }));
    expect(pool().concurrency_limit).toBe(6);
  });

  test('takes a limit away that is given no more', async () => {
    await create(wanted({ concurrencyLimit: 5 }));
    await update(wanted(), wanted({ concurrencyLimit: 5 }));
    expect(pool().concurrency_limit).toBeNull();
  });

  test('leaves a limit that was changed in the UI since', async () => {
    await create(wanted({ concurrencyLimit: 5 }));
    pool().concurrency_limit = 9;
    await update(wanted(), wanted({ concurrencyLimit: 5 }));
    expect(pool().concurrency_limit).toBe(9);
  });

  test('leaves the limit of a pool that another name leads to', async () => {
    server.pools.set('other', { type: 'process', base_job_template: OFFERED.process, concurrency_limit: 5 });
    await update(wanted({ name: 'other' }), wanted({ concurrencyLimit: 5 }));
    expect(server.pools.get('other')!.concurrency_limit).toBe(5);
  });

  test('makes a pool that was deleted by hand again', async () => {
    await update(wanted());
    expect(pool()).toMatchObject({ type: 'process' });
  });

  test('changes nothing the second time', async () => {
    const configured = wanted({ type: 'ecs', concurrencyLimit: 4, queues: [{ name: 'urgent', priority: 1 }], template: { variables: { cpu: 512 }, environment: { A: 'b' }, taskDefinition: {} } });
    await create(configured);
    const [before, queue] = [structuredClone(pool()), structuredClone(server.queues.get('etl/urgent'))];
    await update(configured);
    expect(pool()).toEqual(before);
    expect(server.queues.get('etl/urgent')).toEqual(queue);
  });

  test('under another name gives the resource another id, so that CloudFormation asks to remove the old pool', async () => {
    await expect(update(wanted({ name: 'new' }), wanted())).resolves.toMatchObject({ PhysicalResourceId: 'new' });
  });
});

describe('work queues', () => {
  test('are made with their priority and limit', async () => {
    await create(wanted({ queues: [{ name: 'urgent', priority: 1, concurrencyLimit: 5 }, { name: 'rest of it' }] }));
    expect(server.queues.get('etl/urgent')).toMatchObject({ priority: 1, concurrency_limit: 5 });
    expect(server.queues.has('etl/rest of it')).toBe(true);
  });

  test('that exist get the priority and limit that are given, and keep the rest', async () => {
    await create(wanted());
    server.queues.set('etl/urgent', { name: 'urgent', priority: 3, concurrency_limit: 8, description: 'ours' });
    await update(wanted({ queues: [{ name: 'urgent', priority: 1 }] }));
    expect(server.queues.get('etl/urgent')).toEqual({ name: 'urgent', priority: 1, concurrency_limit: 8, description: 'ours' });
  });

  test('that exist and get nothing are not touched', async () => {
    await create(wanted());
    server.queues.set('etl/urgent', { name: 'urgent' });
    await update(wanted({ queues: [{ name: 'urgent' }] }));
    expect(server.calls).not.toContain('PATCH /api/work_pools/etl/queues/urgent');
  });

  test('that are named no more stay, with the flow runs in them', async () => {
    await create(wanted({ queues: [{ name: 'urgent' }] }));
    await update(wanted(), wanted({ queues: [{ name: 'urgent' }] }));
    expect(server.queues.has('etl/urgent')).toBe(true);
  });

  test('lose a limit that is given no more', async () => {
    const limited = wanted({ queues: [{ name: 'urgent', concurrencyLimit: 5 }] });
    await create(limited);
    await update(wanted({ queues: [{ name: 'urgent' }] }), limited);
    expect(server.queues.get('etl/urgent')!.concurrency_limit).toBeNull();
  });
});

describe('removing the construct', () => {
  test('leaves the pool', async () => {
    await create(wanted());
    await expect(remove(wanted())).resolves.toEqual({ PhysicalResourceId: 'etl' });
    expect(pool()).toBeDefined();
  });

  test('leaves the pool where the server is gone', async () => {
    const warn = jest.spyOn(console, 'warn').mockImplementation();
    await expect(remove(configuration('http://127.0.0.1:1/api'))).resolves.toEqual({ PhysicalResourceId: 'etl' });
    warn.mockRestore();
  });

  test('removes the pool where asked to', async () => {
    await create(wanted());
    await remove(wanted({ deleteOnRemoval: true }));
    expect(server.pools.size).toBe(0);
  });

  test('passes where the pool is gone already', async () => {
    await expect(remove(wanted({ deleteOnRemoval: true }))).resolves.toEqual({ PhysicalResourceId: 'etl' });
    expect(server.pools.size).toBe(0);
  });

  test('passes where somebody else removes the pool at the same time', async () => {
    await create(wanted());
    server.instead = ({ method }) => method === 'DELETE' ? { status: 404, body: { detail: 'not found' } } : undefined;
    await expect(remove(wanted({ deleteOnRemoval: true }))).resolves.toEqual({ PhysicalResourceId: 'etl' });
  });

  test('fails with the server\'s answer where it refuses', async () => {
    await create(wanted());
    server.instead = ({ method }) => method === 'DELETE' ? { status: 403, body: { detail: 'You may not.' } } : undefined;
    await expect(remove(wanted({ deleteOnRemoval: true }))).rejects.toThrow(/answered 403 to DELETE .*You may not\./);
  });
});
