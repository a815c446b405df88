import { seconds, world } from './world';

describe('a run for which Spot has no capacity', () => {
  const SPOT = { capacityProviderName: 'FARGATE_SPOT' };
  const onDemand = async (id: string) => {
    const { state, job_variables: variables, next_scheduled_start_time: due } = await world.get(id);
    expect({ state: state.name, variables }).toEqual({ state: 'AwaitingRetry', variables: { image: 'ours', launch_type: 'FARGATE' } });
    return seconds(due);
  };
  const jobVariables = { image: 'ours' };

  test('because its task finds no place has it stopped, and starts on demand', async () => {
    const id = await world.run({ state: 'PENDING', jobVariables });
    world.task(id, { lastStatus: 'PROVISIONING', ...SPOT });
    await world.look();
    expect(world.targets()).toContain('StopTask');
    await onDemand(id);
  });

  test('because its task fails to start starts on demand, whether it is Pending or counts as crashed', async () => {
    const failed = { stopCode: 'TaskFailedToStart', stoppedReason: 'Capacity is unavailable at this time. Please try again later or in a different availability zone', ...SPOT };
    const pending = await world.run({ state: 'PENDING', jobVariables });
    const crashed = await world.run({ state: 'CRASHED', message: 'ECS task failed to start: Capacity is unavailable at this time.. The capacity provider could not place the task.', jobVariables });
    for (const id of [pending, crashed]) world.task(id, failed);
    await world.look();
    await onDemand(pending);
    await onDemand(crashed);
  });

  test('because its task fails to start starts on demand, also where the observer hears of that before it hears that the task waits for a place', async () => {
    const failed = { stopCode: 'TaskFailedToStart', stoppedReason: 'Capacity is unavailable at this time. Please try again later or in a different availability zone', ...SPOT };
    const id = await world.run({ state: 'PENDING', jobVariables });
    world.task(id, failed);
    await world.set(id, { type: 'CRASHED', message: 'ECS task failed to start: Capacity is unavailable at this time.' });
    await world.set(id, { type: 'PENDING', name: 'InfrastructurePending' });
    await world.look('ecs', { claimed: 300 });
    await onDemand(id);
  });

  test('because ECS refuses its task starts on demand', async () => {
    const message = 'Failed to submit flow run to infrastructure: ClientError: An error occurred (ClientException) when calling the RunTask operation: Capacity is unavailable at this time. Please try again later or in a different availability zone';
    const id = await world.run({ state: 'CRASHED', message, infrastructure: null, jobVariables });
    await world.look();
    await onDemand(id);
  });

  test.each(['run', 'deployment', 'pool'] as const)('and whose %s brings a capacity provider strategy, which wins over a launch type, starts on demand', async who => {
    const strategy = { capacity_provider_strategy: [{ capacityProvider: 'FARGATE_SPOT', base: 0, weight: 1 }] };
    if (who === 'pool') await world.changePool(strategy);
    if (who === 'deployment') await world.changeDeployment(strategy);
    const id = await world.run({ state: 'PENDING', jobVariables: who === 'run' ? strategy : {} });
    world.task(id, { lastStatus: 'PROVISIONING', ...SPOT });
    await world.look();
    expect((await world.get(id)).job_variables).toEqual({ launch_type: 'FARGATE', capacity_provider_strategy: [{ capacityProvider: 'FARGATE', base: 0, weight: 1 }] });
  });

  test('is not due before the next look, which writes what this one could not', async () => {
    const id = await world.run({ state: 'PENDING', jobVariables });
    world.task(id, { lastStatus: 'PROVISIONING', ...SPOT });
    world.instead.push({ method: 'PATCH', path: /flow_runs/, status: 403 });
    await expect(world.look()).rejects.toThrow('403');
    const { state, job_variables: variables, next_scheduled_start_time: due } = await world.get(id);
    expect({ state: state.name, variables }).toEqual({ state: 'AwaitingRetry', variables: jobVariables });
    expect(seconds(due)).toBeGreaterThan(70);

    world.instead = [];
    await world.look();
    expect(await onDemand(id)).toBeGreaterThan(60);
    expect(world.changes()).toEqual(['PATCH /api/flow_runs/id']);
    await world.look();
    expect(world.changes()).toEqual([]);
  });
});

describe('a run whose image can\'t be pulled for now', () => {
  const TOO_MANY = { stopCode: 'TaskFailedToStart', stoppedReason: 'CannotPullContainerError: 429 Too Many Requests - Server message: toomanyrequests' };
  const OBSERVED = 'The following containers stopped with a non-zero exit code: [\'prefect\']';

  /** What a worker and Prefect's observer make of the next attempt. */
  const refuse = async (id: string) => {
    await world.set(id, { type: 'PENDING' });
    await world.set(id, { type: 'CRASHED', message: OBSERVED });
    world.task(id, TOO_MANY);
  };

  test('is due again after a minute, two, four and so on; Prefect\'s history of its states keeps count', async () => {
    const id = await world.run({ state: 'CRASHED', message: OBSERVED });
    world.task(id, TOO_MANY);
    for (const delay of [60, 120, 240]) {
      await world.look();
      const { state, next_scheduled_start_time: due } = await world.get(id);
      expect(state).toMatchObject({ name: 'AwaitingRetry', message: `Its task could not be started: ${TOO_MANY.stoppedReason}` });
      expect(Math.round(seconds(due, new Date(state.timestamp).getTime()))).toBe(delay);
      await refuse(id);
    }
  });

  test('stays crashed with the reason in the end, until a person starts it again', async () => {
    const id = await world.run({ state: 'CRASHED', message: OBSERVED });
    world.task(id, TOO_MANY);
    for (let attempt = 0; attempt < 12; attempt++) {
      await world.look();
      await refuse(id);
    }
    await world.look();
    const given = await world.stateOf(id);
    expect(given).toMatchObject({ type: 'CRASHED', message: `Given up after 13 attempts. Its task could not be started: ${TOO_MANY.stoppedReason}` });
    await world.look();
    expect(world.changes()).toEqual([]);
    await world.set(id, { type: 'SCHEDULED', name: 'AwaitingRetry', message: 'Retried by a person' });
    await refuse(id);
    await world.look();
    expect((await world.stateOf(id)).name).toBe('AwaitingRetry');
  });

  test('stays crashed where the image is not there', async () => {
    const id = await world.run({ state: 'CRASHED', message: OBSERVED });
    world.task(id, { ...TOO_MANY, stoppedReason: 'CannotPullContainerError: docker.io/acme/typo: not found' });
    await world.look();
    expect(await world.stateOf(id)).toMatchObject({ type: 'CRASHED', message: OBSERVED });
  });
});
