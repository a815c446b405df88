import { world } from './world';

describe('of a PROCESS worker', () => {
  const ofWorker = (worker: string) => ({ infrastructure: 'ip-10-0-0-1:77', worker });

  test('a run is known by its worker\'s task, and lost with it', async () => {
    const lost = await world.run(ofWorker('us-east-1:live:dead'));
    const well = await world.run(ofWorker('us-east-1:live:alive'));
    const gone = await world.run(ofWorker('us-east-1:live:forgotten'));
    world.task('dead', { stopCode: 'EssentialContainerExited' });
    world.task('alive', { lastStatus: 'RUNNING' });
    await world.look('process');
    expect(await world.typesOf([lost, well, gone])).toEqual(['SCHEDULED', 'RUNNING', 'SCHEDULED']);
    expect(world.targets()).toEqual(['DescribeTasks']);
  });

  test.each([['a-laptop'], ['eu-west-1:live:dead'], ['us-east-1:other:dead']])('the runs of a worker named %s elsewhere are left alone', async name => {
    const id = await world.run(ofWorker(name));
    await world.look('process');
    expect((await world.stateOf(id)).type).toBe('RUNNING');
  });

  test('a run that counts as crashed because its heartbeats did not get through is started again when its task has ended', async () => {
    const crashed = { ...ofWorker('us-east-1:live:dead'), state: 'CRASHED', begun: true } as const;
    const silent = await world.run({ ...crashed, message: 'No heartbeat for 900 seconds.' });
    const broken = await world.run({ ...crashed, message: 'Flow run process exited with non-zero status code 1.' });
    world.task('dead', { stopCode: 'ServiceSchedulerInitiated' });
    await world.look('process');
    expect(await world.typesOf([silent, broken])).toEqual(['SCHEDULED', 'CRASHED']);
  });
});
