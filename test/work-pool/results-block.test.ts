import { CheckEvent, ResultsBlock, WorkPoolConfiguration } from '../../src/work-pool/configuration';
import { handler } from '../../src/work-pool/work-pool.lambda';
import { PrefectServer } from '../support/prefect-server';
import { configuration, event } from '../support/work-pool-events';

const RESULTS: ResultsBlock = { block: 'results-of-stack-worker', bucket: 'results-1', folder: 'prefect-results/Stack-Worker' };
const DATA = { bucket_name: 'results-1', bucket_folder: 'prefect-results/Stack-Worker' };

let server: PrefectServer;
let wanted: (overrides?: Parameters<typeof configuration>[1]) => WorkPoolConfiguration;
let check: (repair?: boolean) => Promise<string[]>;
const block = () => server.blocks.get(RESULTS.block);
const put = (configured = wanted()) => handler(event('Create', configured));

beforeEach(async () => {
  jest.spyOn(console, 'warn').mockImplementation();
  jest.spyOn(console, 'log').mockImplementation();
  server = await PrefectServer.start();
  wanted = overrides => configuration(`${server.origin}/api`, { results: RESULTS, ...overrides });
  check = async repair => (await handler({ check: wanted(), owner: 'me', worker: 'Worker', repair } satisfies CheckEvent)).Data!.Differences;
});
afterEach(() => {
  jest.restoreAllMocks();
  return server.stop();
});

describe('the block of a worker\'s results', () => {
  test('is there before the template that names it', async () => {
    await put();
    expect(block()).toMatchObject({ data: DATA });
    const writes = server.calls.filter(call => /^POST .*\/(block_documents|work_pools)\/$/.test(call));
    expect(writes).toEqual(['POST /api/block_documents/', 'POST /api/work_pools/']);
  });

  test('follows the bucket, and keeps what users have added to it', async () => {
    await put();
    block()!.data.credentials = { region_name: 'us-east-1' };
    const moved = wanted({ results: { ...RESULTS, bucket: 'results-2' } });
    await handler(event('Update', moved, wanted()));
    expect(block()!.data).toEqual({ ...DATA, bucket_name: 'results-2', credentials: { region_name: 'us-east-1' } });
  });

  test('is there where the answer to its creation is lost', async () => {
    let lost = true;
    server.instead = ({ method, path, body }) => {
      if (method !== 'POST' || !path.endsWith('/block_documents/') || !lost) return undefined;
      lost = false;
      server.blocks.set(body.name, { id: `id-of-${body.name}`, ...body });
      return { status: 503 };
    };
    await put();
    expect(block()).toMatchObject({ data: DATA });
  });

  test('stays when results are no longer kept: runs that have begun still ask for it', async () => {
    await put();
    await handler(event('Update', wanted({ results: undefined }), wanted()));
    expect(block()).toBeDefined();
  });

  test('is deleted with the pool\'s resource', async () => {
    await put();
    await handler(event('Delete', wanted()));
    expect(block()).toBeUndefined();
    expect(server.pools.has('etl')).toBe(true);
  });

  test('stays where another resource has taken the pool over', async () => {
    await put();
    for (const automation of server.automations.values()) automation.description = automation.description.replace(/: .*/, ': someone of elsewhere');
    await handler(event('Delete', wanted()));
    expect(block()).toBeDefined();
  });

  test('fails the deployment where the server knows no such blocks, with what to do', async () => {
    server.instead = ({ path }) => /block_types\/slug\/s3-bucket$/.test(path) ? { status: 404, body: { detail: 'Block type not found' } } : undefined;
    await expect(put()).rejects.toThrow('The Prefect API knows no blocks of the type s3-bucket, which say where results are: register them with '
      + '"prefect block register -m prefect_aws", or remove the prop results.');
    expect(server.pools.has('etl')).toBe(false);
  });

  test('fails the deployment where the key\'s role doesn\'t allow it, in Prefect\'s words', async () => {
    server.instead = ({ method, path }) => method === 'POST' && path.endsWith('/block_documents/') ? { status: 403, body: { detail: 'Missing scope manage_blocks' } } : undefined;
    await expect(put()).rejects.toThrow(/403 to POST .*Missing scope manage_blocks.*the role Developer/);
  });

  test('is not asked for where no results are kept', async () => {
    await put(wanted({ results: undefined }));
    expect(server.calls.filter(call => call.includes('block'))).toEqual([]);
  });
});

describe('the hourly look', () => {
  beforeEach(() => put());

  test('finds nothing where all is as it was', async () => {
    expect(await check()).toEqual([]);
  });

  test('finds a block that somebody has deleted, and repairs it', async () => {
    server.blocks.clear();
    expect(await check(true)).toEqual(['the block s3-bucket/results-of-stack-worker is missing, without which flow runs crash']);
    expect(await check()).toEqual([]);
  });

  test('finds one that leads elsewhere', async () => {
    block()!.data.bucket_name = 'other';
    expect(await check()).toEqual(['bucket_name of the block s3-bucket/results-of-stack-worker is "other", and should be "results-1"']);
  });
});
