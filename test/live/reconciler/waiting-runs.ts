import { seconds, world } from './world';

describe('a run that has begun and waits', () => {
  test.each([['PAUSED', 'Suspended'], ['SCHEDULED', 'AwaitingRetry']] as const)('is announced as waiting where it is %s (%s), lest its last heartbeat, handled late, have it count as crashed', async (state, stateName) => {
    const id = await world.run({ state, stateName, begun: true });
    await world.look();
    const [{ body: [event] }] = world.requests.filter(({ path }) => path === '/api/events');
    expect(event).toMatchObject({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      event: 'cdk-prefect-fargate-worker.flow-run.still-waiting',
      resource: { 'prefect.resource.id': `prefect.flow-run.${id}` },
      related: [{ 'prefect.resource.id': expect.stringMatching(/^prefect\.work-pool\.[0-9a-f-]{36}$/), 'prefect.resource.role': 'work-pool' }],
    });
    expect(world.changes()).toEqual(['POST /api/events']);
  });

  test('keeps no other from being helped where Prefect takes no events, and the look fails, so that the alarm tells', async () => {
    world.instead.push({ path: /\/events$/, status: 403 });
    await world.run({ state: 'PAUSED', stateName: 'Suspended', begun: true });
    const lost = await world.run();
    world.task(lost);
    await expect(world.look()).rejects.toThrow('403');
    expect((await world.stateOf(lost)).name).toBe('AwaitingRetry');
  });

  test('to be tried again in a process which is gone is given to the workers', async () => {
    const waiting = { state: 'SCHEDULED', stateName: 'AwaitingRetry', begun: true, due: 3600 } as const;
    const policy = { retries: 2, retry_delay: 0, retry_type: 'in_process' };
    const lost = await world.run({ ...waiting, policy });
    const well = await world.run({ ...waiting, policy });
    const due = await world.run({ ...waiting, policy: { ...policy, retry_type: 'reschedule' } });
    world.task(lost);
    world.task(well, { lastStatus: 'RUNNING' });
    await world.look();
    const runs = await Promise.all([lost, well, due].map(id => world.get(id)));
    expect(runs.map(({ empirical_policy: { retry_type: type } }) => type)).toEqual(['reschedule', 'in_process', 'reschedule']);
    // It stays due when it was: its flow may wait for an hour between two tries.
    expect(world.changes().filter(change => !change.includes('events'))).toEqual(['PATCH /api/flow_runs/id']);
    expect(seconds(runs[0].next_scheduled_start_time)).toBeGreaterThan(3500);
  });
});
