import { SPOT_WARNING_SECONDS, startUpSeconds } from '../../bench/scaling/aws/fargate';
import { Container, Service } from '../../bench/scaling/aws/service';
import { Clock } from '../../bench/scaling/clock';
import { PESSIMISTIC, USUAL } from '../../bench/scaling/conditions';
import { Random } from '../../bench/scaling/random';

class FakeContainer implements Container {
  public isProtected = false;
  public started = 0;
  public terminated = 0;
  public ended?: () => void;
  public start() { this.started++; }
  public terminate(ended: () => void) {
    this.terminated++;
    this.ended = ended;
  }
}

function service(capacity = { onDemandBase: 0, onDemandWeight: 1, spotWeight: 0 }) {
  const clock = new Clock(0);
  const made: FakeContainer[] = [];
  const of = new Service(clock, new Random(1), capacity, () => 50, () => {
    made.push(new FakeContainer());
    return made[made.length - 1];
  });
  return { clock, of, made };
}

test('a task starts its container when it is ready, and not when it was stopped before that', () => {
  const { clock, of, made } = service();
  of.reconcile(2);
  clock.run(49);
  expect(of.ready).toHaveLength(0);
  of.reconcile(1);
  clock.run(50);
  expect(of.ready).toHaveLength(1);
  expect(made.map(({ started }) => started).sort()).toEqual([0, 1]);
});

test('a protected task stays when there are too many, and goes when its protection ends', () => {
  const { of, made } = service();
  of.reconcile(3);
  made[0].isProtected = made[2].isProtected = true;
  of.reconcile(1);
  expect(made.map(({ terminated }) => terminated)).toEqual([0, 1, 0]);
  made[0].isProtected = false;
  of.reconcile(1);
  expect(made.map(({ terminated }) => terminated)).toEqual([1, 1, 0]);
});

test('a task that stayed counts when more are wanted', () => {
  const { of, made } = service();
  of.reconcile(3);
  made.forEach(container => { container.isProtected = true; });
  of.reconcile(0);
  of.reconcile(4);
  expect(made).toHaveLength(4);
});

test('the base is on demand, and the rest is shared out by weight', () => {
  const { of } = service({ onDemandBase: 2, onDemandWeight: 1, spotWeight: 3 });
  of.reconcile(6);
  expect(of.tasks.map(({ spot }) => spot)).toEqual([false, false, true, false, true, true]);
});

test('an interrupted Spot task is told, replaced at once, and gone two minutes later', () => {
  const { clock, of, made } = service({ onDemandBase: 0, onDemandWeight: 0, spotWeight: 1 });
  of.reconcile(1);
  clock.every(3600, 3600, () => of.reconcile(1));
  clock.run(30 * 86_400);
  const [interrupted, replacement] = of.tasks;
  expect(made[0].terminated).toBe(1);
  expect(interrupted.stopped).toBe(replacement.launched + SPOT_WARNING_SECONDS);
  expect(of.alive).toHaveLength(1);
});

test('a task is billed until its processes have ended', () => {
  const { clock, of, made } = service();
  of.reconcile(1);
  clock.run(60);
  of.reconcile(0);
  clock.run(100);
  expect(of.tasks[0].stopped).toBeUndefined();
  made[0].ended!();
  expect(of.tasks[0].stopped).toBe(105);
});

test('no more tasks are protected than the service is to keep', () => {
  const { of, made } = service();
  of.reconcile(3);
  made[0].isProtected = true;
  of.reconcile(1);
  expect(of.takesProtection(made[1])).toBe(false);
  expect(of.takesProtection(made[0])).toBe(true);
  of.reconcile(2);
  expect(of.takesProtection(made[1])).toBe(true);
});

test.each([USUAL, PESSIMISTIC])('start-up times of the $name setting have the quantiles that it names', conditions => {
  const random = new Random(7);
  const seconds = Array.from({ length: 20_000 }, () => startUpSeconds(random, { ...conditions, failedPulls: 0 })).sort((a, b) => a - b);
  expect(Math.abs(seconds[10_000] / conditions.startUp.median - 1)).toBeLessThan(0.02);
  expect(Math.abs(seconds[19_800] / conditions.startUp.p99 - 1)).toBeLessThan(0.04);
});

test('a start whose image cannot be pulled is followed by another', () => {
  const mean = (failedPulls: number) => {
    const random = new Random(7);
    return Array.from({ length: 5000 }, () => startUpSeconds(random, { ...USUAL, failedPulls })).reduce((sum, seconds) => sum + seconds, 0) / 5000;
  };
  expect(mean(0.5) / mean(0)).toBeCloseTo(2, 0);
});
