import { USUAL } from '../../bench/scaling/conditions';
import { ECS, withEcsWorkers } from '../../bench/scaling/ecs';
import { traces, unannounced } from '../../bench/scaling/traces';

const play = (name: string, option: RegExp) => {
  const [, deployment, control] = ECS.find(([of]) => option.test(of))!;
  return withEcsWorkers(deployment, control, [...traces, ...unannounced].find(trace => trace.name === name)!, [1, 2], USUAL);
};

describe('ECS workers that are there while there is something to do', () => {
  test('start scheduled runs as early as two that wait, at a fraction of the hours', () => {
    const [waiting, fromZero] = [play('nightly', /two/), play('nightly', /minWorkers: 0/)];
    expect(waiting.taskHours).toBe(144);
    expect(fromZero.taskHours).toBeLessThan(0.1 * waiting.taskHours);
    expect(fromZero.p50).toBeLessThan(waiting.p50 + 5);
    expect(fromZero.lateMinutes).toBeLessThan(1.05 * waiting.lateMinutes);
  });

  test('start runs that nobody scheduled a minute or two later', () => {
    const [waiting, fromZero] = [play('random', /two/), play('random', /minWorkers: 0/)];
    expect(fromZero.p50 - waiting.p50).toBeGreaterThan(30);
    expect(fromZero.p99 - waiting.p99).toBeLessThan(180);
  });

  test('are none where nothing is due', () => {
    expect(play('empty', /minWorkers: 0/).taskHours).toBe(0);
  });
});

test('two ECS workers start a crowd of runs hardly sooner than one', () => {
  const [one, two] = [play('flash', /one/), play('flash', /two/)];
  expect(one.p50 - two.p50).toBeLessThan(15);
  expect(one.p99 - two.p99).toBeLessThan(30);
});
