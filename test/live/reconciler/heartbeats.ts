import { world } from './world';

describe('heartbeats', () => {
  const heartbeat = (id: string, ago: number) => world.prefect.call('POST', '/events', [{
    id: crypto.randomUUID(),
    event: 'prefect.flow-run.heartbeat',
    occurred: new Date(Date.now() - ago * 1000).toISOString(),
    resource: { 'prefect.resource.id': `prefect.flow-run.${id}` },
    related: [],
  }]);
  const heard = async (id: string) => {
    for (let tries = 0; tries < 50; tries++) {
      const { events } = await world.prefect.call<any>('POST', '/events/filter', { filter: { resource: { id: [`prefect.flow-run.${id}`] }, event: { name: ['prefect.flow-run.heartbeat'] } }, limit: 1 });
      if (events.length > 0) return;
      await new Promise(resolve => setTimeout(resolve, 200));
    }
    throw new Error('The server has not stored the event.');
  };

  test('that have stopped have a run count as crashed that names no task', async () => {
    const id = await world.run({ infrastructure: null });
    await heartbeat(id, 100);
    await heard(id);
    await world.look('ecs', { silent: 0 });
    expect(await world.stateOf(id)).toMatchObject({ type: 'CRASHED', message: expect.stringMatching(/^No heartbeat since 20.*Z\.$/) });
  });

  test('that go on, or never were, leave it alone', async () => {
    const going = await world.run({ infrastructure: 'a-laptop:1' });
    const never = await world.run({ infrastructure: 'a-laptop:2' });
    await heartbeat(going, 0);
    await heard(going);
    await world.look('process', { silent: 60 });
    expect(await world.typesOf([going, never])).toEqual(['RUNNING', 'RUNNING']);
  });

  test('are looked for last, as the API may be slow', async () => {
    for (let index = 0; index < 5; index++) await world.run({ infrastructure: 'ip-10-0-0-1:77' });
    const ours = await world.run();
    world.task(ours);
    await world.look();
    const [first] = world.requests.filter(({ path }) => /events|set_state/.test(path));
    expect(first.path).toContain(`${ours}/set_state`);
  });
});
