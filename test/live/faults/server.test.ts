import { setTimeout as sleep } from 'node:timers/promises';
import { ECSClient, UpdateServiceCommand } from '@aws-sdk/client-ecs';
import { clientConfiguration } from '../../stand-in/stand-in';
import { CommandFailed, deploy } from '../support/cdk';
import { awsLogs, eventually, physicalIds } from '../support/evidence';
import { Prefect } from '../support/prefect';
import { LoadResult, startLoad } from '../support/server-load';
import { IMAGE, IMAGE_BEFORE, ServerWorld, startServerWorld } from '../support/server-world';

jest.setTimeout(400_000);

const API = /ServerServicesApi/;
const SERVICES = /ServerServicesService/;
const figures: string[] = [];
/** What has to come, or the test has failed. */
async function until(seconds: number, look: () => Promise<unknown>): Promise<void> {
  if (await eventually(seconds, async () => await look() || undefined) === undefined) throw new Error(`After ${seconds} seconds it is not yet so: ${look}`);
}
afterAll(() => process.stdout.write(`\n${figures.join('\n')}\n`));

describe('a highly available server with 50 clients, of which no call fails that its client\'s own patience doesn\'t cure, and no run is lost, while', () => {
  let world: ServerWorld;
  let prefect: Prefect;

  beforeAll(async () => {
    world = await startServerWorld({ workers: false });
    await deploy(world.standIn, world.deployment);
    prefect = await world.hand();
    await until(60, async () => world.name.targets().length >= 2);
  }, 600_000);
  afterAll(() => world?.stop());

  async function under(fault: () => Promise<void>): Promise<LoadResult> {
    const load = await startLoad({ prefect, authString: await world.authString(), clients: 50, pauseSeconds: 8 });
    await sleep(15_000);
    await fault();
    await sleep(10_000);
    return load.stop();
  }

  async function lost({ runs }: LoadResult): Promise<number> {
    const found = await prefect.flowRuns(runs);
    return runs.length - found.filter(({ state }) => state.type === 'COMPLETED').length;
  }

  /** The service has as many tasks that are not `gone` as before. */
  const replaced = (service: RegExp, gone: string, count: number) =>
    until(120, async () => (await world.running(service)).filter(task => task !== gone).length >= count);

  const tasks = async () => [...await world.running(API), ...await world.running(SERVICES)];
  const allReplaced = (before: string[]) => until(180, async () => {
    const now = await tasks();
    return now.length === before.length && now.every(task => !before.includes(task));
  });

  test.each<[string, () => Promise<void>]>([
    ['a task of the API is killed', async () => {
      const [task] = await world.running(API);
      await world.standIn.killTask(task);
      await replaced(API, task, 2);
    }],
    ['a task of the background services is killed', async () => {
      const [task] = await world.running(SERVICES);
      await world.standIn.killTask(task);
      await replaced(SERVICES, task, 2);
    }],
    ['the database is away for a minute', async () => {
      await world.database.shut();
      await sleep(60_000);
      await world.database.open();
    }],
    ['Redis fails over to an empty one', async () => {
      await world.redis.shut();
      await world.redis.command('FLUSHALL');
      await sleep(10_000);
      await world.redis.open();
    }],
    ['the password of the database is rotated', async () => {
      const before = await tasks();
      await world.rotatePassword();
      await allReplaced(before);
      expect(await world.takesFirstPassword()).toBe(false);
    }],
    ['all tasks are replaced by a deployment', async () => {
      const before = await tasks();
      const { all } = await physicalIds(world.standIn, 'Live');
      const ecs = new ECSClient(clientConfiguration(world.standIn));
      const [cluster] = all('AWS::ECS::Cluster');
      for (const service of all('AWS::ECS::Service')) await ecs.send(new UpdateServiceCommand({ cluster, service: service.split('/').pop(), forceNewDeployment: true }));
      await allReplaced(before);
    }],
  ])('%s', async (title, fault) => {
    const result = await under(fault);
    figures.push(`${title}: ${result.calls} calls, ${result.failed.length} failed, slowest ${result.slowest} s, ${result.runs.length} runs`);
    expect(result.failed).toEqual([]);
    expect(result.runs.length).toBeGreaterThan(20);
    expect(await lost(result)).toBe(0);
  });

  test('no background service fetches messages, which pile up in Redis, where its memory shows them, until one does', async () => {
    const used = async () => Number(/used_memory:(\d+)/.exec(await world.redis.command('INFO', 'memory'))![1]);
    const servicesTasks = async (desiredCount: number) => {
      const { all } = await physicalIds(world.standIn, 'Live');
      const service = all('AWS::ECS::Service').find(arn => SERVICES.test(arn))!.split('/').pop();
      await new ECSClient(clientConfiguration(world.standIn)).send(new UpdateServiceCommand({ cluster: all('AWS::ECS::Cluster')[0], service, desiredCount }));
      await until(120, async () => (await world.running(SERVICES)).length === desiredCount);
    };
    await servicesTasks(0);
    const before = await used();
    const load = await startLoad({ prefect, authString: await world.authString(), clients: 20, pauseSeconds: 1 });
    await sleep(30_000);
    const { runs } = await load.stop();
    // The API sends events a while after what they tell of.
    await until(60, async () => await used() - before > runs.length * 1000);
    const left = await used() - before;
    figures.push(`${runs.length} runs of four state changes left ${left} bytes in Redis`);
    await servicesTasks(2);
    const fetched = Date.now();
    await until(180, async () => await used() - before < left / 2);
    figures.push(`fetched after ${Math.round((Date.now() - fetched) / 1000)} s`);
  });
});

describe('a small server:', () => {
  let world: ServerWorld;
  let prefect: Prefect;
  const variables = () => prefect.call<{ name: string }[]>('POST', '/variables/filter', {});
  const version = () => prefect.call<string>('GET', '/admin/version');
  const deployed = (image: string) => deploy(world.standIn, { ...world.deployment, environment: { ...world.deployment.environment, IMAGE: image } });

  beforeAll(async () => {
    world = await startServerWorld({ redis: false, image: IMAGE_BEFORE });
    await deployed(IMAGE_BEFORE);
    prefect = await world.hand();
    await prefect.call('POST', '/variables/', { name: 'kept', value: 'of before' });
  }, 600_000);
  afterAll(() => world?.stop());

  describe('an upgrade', () => {
    test('to this version keeps what the one before had', async () => {
      expect(await version()).toBe('3.6.14');
      await deployed(IMAGE);
      expect(await eventually(60, async () => await version().catch(() => undefined) === '3.9.1' || undefined)).toBe(true);
      expect((await variables()).map(({ name }) => name)).toEqual(['kept']);
      await prefect.call('POST', '/variables/', { name: 'newer', value: 'of this version' });
    });

    test('is rolled back, with what was written since', async () => {
      await deployed(IMAGE_BEFORE);
      expect(await awsLogs(world.standIn, 'migration/')).toContain('Can\'t locate revision');
      expect(await eventually(60, async () => await version().catch(() => undefined) === '3.6.14' || undefined)).toBe(true);
      expect((await variables()).map(({ name }) => name).sort()).toEqual(['kept', 'newer']);
    });

    test('whose migration fails fails with its last words, and the server goes on as before', async () => {
      await world.database.shut();
      const failure = await deployed(IMAGE).then(() => undefined, (error: CommandFailed) => error.output);
      await world.database.open();
      expect(failure).toMatch(/The migration of the database failed \(exit code 1 of the container prefect, task arn:[^)]+\), so the services are as before\. Its last words: /);
      expect(failure).toMatch(/Connect|connection/i);
      // The rollback has not failed with it.
      await deployed(IMAGE_BEFORE);
      expect(await eventually(60, async () => await version().catch(() => undefined) === '3.6.14' || undefined)).toBe(true);
    });
  });

  test('is brought back by a deployment with a database that was restored from a snapshot, and has what that had', async () => {
    const names = async () => (await variables()).map(({ name }) => name);
    await prefect.call('POST', '/variables/', { name: 'sooner', value: 'than the snapshot' });
    const port = await world.restoreDatabase();
    await prefect.call('POST', '/variables/', { name: 'later', value: 'than the snapshot' });
    const [before] = await world.running(API);
    world.deployment.environment.POSTGRES_PORT = String(port);
    await deployed(IMAGE_BEFORE);
    await until(60, async () => (await world.running(API)).some(task => task !== before));
    const restored = await eventually(60, () => names().catch(() => undefined));
    expect(restored).toContain('sooner');
    expect(restored).not.toContain('later');
    await prefect.call('POST', '/variables/', { name: 'after', value: 'the restore' });
    expect(await names()).toContain('after');
  });
});
