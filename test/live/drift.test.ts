import { Prefect } from './support/prefect';
import { Tracing, WorkPool } from '../../src';
import { BaseJobTemplate } from '../../src/work-pool/base-job-template';
import { CheckEvent, WorkPoolConfiguration } from '../../src/work-pool/configuration';
import { handler } from '../../src/work-pool/work-pool.lambda';
import { PrefectServer, startPrefectServer } from '../stand-in/prefect-server';
import { event } from '../support/work-pool-events';
import { configurationOf, templateOf } from '../support/worker';

/** What people change in Prefect's UI between deployments, and what the hourly check says of it, with a real server. */
let server: PrefectServer;
let prefect: Prefect;
let wanted: WorkPoolConfiguration;
let warn: jest.SpyInstance;

jest.setTimeout(60_000);

beforeAll(async () => {
  server = await startPrefectServer();
  prefect = new Prefect(server.apiUrl);
}, 300_000);
afterAll(() => server?.stop());

beforeEach(async () => {
  warn = jest.spyOn(console, 'warn').mockImplementation(() => {});
  wanted = {
    ...configurationOf(templateOf({
      workPool: WorkPool.managed('etl', {
        concurrencyLimit: 5,
        workQueues: [{ name: 'urgent', priority: 1, concurrencyLimit: 2 }, { name: 'rest' }],
        flowRunDefaults: { environment: { LEVEL: 'debug' } },
      }),
      observability: { tracing: Tracing.xray() },
    })),
    api: { url: server.apiUrl, isCloud: false, secrets: {} },
  };
  await handler(event('Create', wanted));
  warn.mockClear();
});
afterEach(async () => {
  warn.mockRestore();
  for (const { name } of await prefect.call<{ name: string }[]>('POST', '/work_pools/filter', {})) await prefect.call('DELETE', `/work_pools/${name}`);
  for (const { id } of await prefect.call<{ id: string }[]>('POST', '/automations/filter', {})) await prefect.call('DELETE', `/automations/${id}`);
});

/** What the check finds; it says the same in one line of its log, or nothing. */
async function check(options: Partial<CheckEvent> = {}): Promise<string[]> {
  const { Data } = await handler({ check: wanted, owner: 'WorkPool of stack', worker: 'Worker', ...options });
  const found: string[] = Data!.Differences;
  expect(warn.mock.calls).toEqual(found.length === 0 ? [] : [[`WorkPoolChanged: The work pool "etl" is not as its stack wants it: ${found.join('; ')}`]]);
  warn.mockClear();
  return found;
}

async function edit(change: (template: BaseJobTemplate) => void): Promise<void> {
  const { base_job_template: template } = await prefect.call<{ base_job_template: BaseJobTemplate }>('GET', '/work_pools/etl');
  change(template);
  await prefect.call('PATCH', '/work_pools/etl', { base_job_template: template });
}

const automation = async () => (await prefect.call<any[]>('POST', '/automations/filter', {}))[0];

test('a pool as the deployment left it is not spoken of', async () => {
  expect(await check()).toEqual([]);
});

test('what users add, pause, switch off and limit themselves is theirs', async () => {
  await prefect.call('PATCH', '/work_pools/etl', { is_paused: true, description: 'ours' });
  await prefect.call('PATCH', '/work_pools/etl/queues/rest', { concurrency_limit: 7, priority: 3, is_paused: true });
  await prefect.call('POST', '/work_pools/etl/queues', { name: 'theirs' });
  await prefect.call('PATCH', `/automations/${(await automation()).id}`, { enabled: false });
  await edit(({ variables: { properties }, job_configuration: job }) => {
    properties.env.default.THEIRS = 'x';
    properties.stream_output = { type: 'boolean', default: true };
    job.task_definition.tags = [{ key: 'team', value: 'etl' }];
    job.task_definition.containerDefinitions.push({ name: 'log_router', image: 'router' });
  });
  expect(await check()).toEqual([]);
});

test.each<[string, (template: BaseJobTemplate) => void, ...string[]]>([
  ['a variable', ({ variables }) => { variables.properties.cluster.default = 'other'; },
    'variables.properties.cluster.default is "other", and should be "{WorkerCluster'],
  ['a variable that is deleted, with its place', ({ job_configuration: job, variables }) => {
    delete job.prefect_api_key_secret_arn;
    delete variables.properties.prefect_api_key_secret_arn;
  }, 'job_configuration.prefect_api_key_secret_arn is missing, and should be "{{ prefect_api_key_secret_arn }}"', 'variables.properties.prefect_api_key_secret_arn is missing, and should be {'],
  ['the place of a variable', ({ job_configuration: job }) => { delete job.task_run_request; }, 'job_configuration.task_run_request is missing, and should be {'],
  ['the place of the environment', ({ job_configuration: job }) => { delete job.env; }, 'job_configuration.env is missing, and should be "{{ env }}"'],
  ['a variable of the environment, whose value may be a secret', ({ variables }) => { variables.properties.env.default.LEVEL = 'pnu_secret'; },
    'variables.properties.env.default.LEVEL has another value, and should be "debug"'],
  ['a field of the flow run\'s container', ({ job_configuration: job }) => { job.task_definition.containerDefinitions[0].stopTimeout = 30; },
    'job_configuration.task_definition.containerDefinitions[{{ container_name }}].stopTimeout is 30, and should be 120'],
  ['a sidecar', ({ job_configuration: job }) => { job.task_definition.containerDefinitions.pop(); },
    'job_configuration.task_definition.containerDefinitions[collector] is missing, and should be {'],
  ['the containers, so that the worker takes another one for the flow run\'s', ({ job_configuration: job }) => {
    job.task_definition.containerDefinitions.unshift({ name: 'log_router', image: 'router' });
  }, 'variables.properties.container_name.default is missing, and should be "prefect"'],
  ['the network, given where the worker asks EC2 for it', ({ job_configuration: job }) => { job.network_configuration = '{{ network_configuration }}'; },
    'job_configuration.network_configuration is "{{ network_configuration }}", and should not be there'],
])('a change of %s is named, with what it is and what it should be', async (_, change, ...said) => {
  await edit(change);
  expect((await check()).map((found, index) => found.slice(0, said[index]?.length))).toEqual(said);
});

test('limits and queues are named', async () => {
  await prefect.call('PATCH', '/work_pools/etl', { concurrency_limit: 50 });
  await prefect.call('PATCH', '/work_pools/etl/queues/urgent', { priority: 9, concurrency_limit: null });
  await prefect.call('DELETE', '/work_pools/etl/queues/rest');
  expect(await check()).toEqual([
    'concurrency_limit is 50, and should be 5',
    expect.stringMatching(/^priority of the work queue "urgent" is \d+, and should be 1$/),
    'concurrency_limit of the work queue "urgent" is null, and should be 2',
    'the work queue "rest" is missing',
  ]);
});

test('an automation that is deleted, or watches otherwise, is named', async () => {
  const { id, created: _, updated: __, ...others } = await automation();
  await prefect.call('PUT', `/automations/${id}`, { ...others, trigger: { ...others.trigger, within: 60 } });
  expect(await check()).toEqual(['automation.trigger.within is 60, and should be 900']);
  await prefect.call('DELETE', `/automations/${id}`);
  expect(await check()).toEqual(['the automation "Flow runs without heartbeats in etl" is missing']);
});

test('a pool that is deleted is missing, and one of another type or made anew is not the stack\'s', async () => {
  await prefect.call('DELETE', '/work_pools/etl');
  expect(await check()).toEqual(['it is missing, and its workers can\'t start']);
  await prefect.call('POST', '/work_pools/', { name: 'etl', type: 'process' });
  expect(await check()).toEqual(['its type is process, and should be ecs']);
  await prefect.call('DELETE', '/work_pools/etl');
  await prefect.call('POST', '/work_pools/', { name: 'etl', type: 'ecs' });
  expect(await check()).toEqual(expect.arrayContaining([
    expect.stringMatching(/^variables\.properties\.cluster /),
    expect.stringMatching(/^automation\.trigger\.match_related\.prefect\.resource\.id is "prefect\.work-pool\.[-\w]+", and should be "prefect\.work-pool\.[-\w]+"$/),
  ]));
});

test('nothing is repaired without a word: where it is asked for, all of it is', async () => {
  await edit(({ variables }) => { variables.properties.cluster.default = 'other'; });
  await prefect.call('DELETE', '/work_pools/etl/queues/rest');
  expect(await check()).toHaveLength(2);
  expect(await check()).toHaveLength(2);
  expect(await check({ repair: true })).toHaveLength(2);
  expect(await check()).toEqual([]);

  await prefect.call('DELETE', '/work_pools/etl');
  await check({ repair: true });
  expect(await check()).toEqual([]);
});
