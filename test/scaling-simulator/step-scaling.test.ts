import { Request, ScalableTarget } from '../../bench/scaling/aws/scalable-target';
import { stepCapacity, stepFor, StepScalingPolicy } from '../../bench/scaling/aws/step-scaling';

const percent = (steps: StepScalingPolicy['steps'], minAdjustmentMagnitude?: number): StepScalingPolicy =>
  ({ kind: 'step', id: 'p', adjustmentType: 'PercentChangeInCapacity', steps, cooldown: 0, aggregation: 'Average', minAdjustmentMagnitude });

describe('the example of the user guide, threshold 50, capacity 10', () => {
  const out = percent([{ lower: 0, upper: 10, adjustment: 0 }, { lower: 10, upper: 20, adjustment: 10 }, { lower: 20, adjustment: 30 }]);
  const into = percent([{ lower: -10, upper: 0, adjustment: 0 }, { lower: -20, upper: -10, adjustment: -10 }, { upper: -20, adjustment: -30 }]);

  test.each([
    [out, 60, 10, 11], // 10 % of 10
    [out, 70, 11, 14], // 30 % of 11 are 3.3
    [into, 40, 14, 13], // 10 % of 14 are 1.4
    [into, 30, 13, 10], // 30 % of 13 are 3.9
    [out, 55, 10, 10],
  ])('%#: the metric at %d', (policy, metric, capacity, expected) => {
    expect(stepCapacity(policy, 50, [metric], capacity)).toBe(expected);
  });
});

test('a percentage never comes to nothing, and to the least magnitude where one is given', () => {
  expect(stepCapacity(percent([{ lower: 0, adjustment: 10 }]), 0, [1], 3)).toBe(4);
  expect(stepCapacity(percent([{ upper: 0, adjustment: -10 }]), 0, [-1], 3)).toBe(2);
  expect(stepCapacity(percent([{ lower: 0, adjustment: 25 }], 2), 0, [1], 4)).toBe(6);
});

test('a bound belongs to the step above it over the threshold, and to the step below it under the threshold', () => {
  const above = [{ lower: 0, upper: 10, adjustment: 1 }, { lower: 10, adjustment: 2 }];
  const steps = [...above, { lower: -10, upper: 0, adjustment: -1 }, { upper: -10, adjustment: -2 }];
  expect([0, 10, -10, -1].map(breach => stepFor(steps, breach)?.adjustment)).toEqual([1, 2, -2, -1]);
  expect(stepFor([{ lower: 5, adjustment: 1 }], 3)).toBeUndefined();
});

test('the data points are aggregated as the policy says', () => {
  const steps = Array.from({ length: 10 }, (_, index) => ({ lower: index, upper: index === 9 ? undefined : index + 1, adjustment: index + 1 }));
  const capacity = (aggregation: StepScalingPolicy['aggregation']) =>
    stepCapacity({ kind: 'step', id: 'p', adjustmentType: 'ChangeInCapacity', steps, cooldown: 0, aggregation }, 1, [2, 5, 8], 1);
  expect([capacity('Minimum'), capacity('Average'), capacity('Maximum')]).toEqual([3, 6, 9]);
});

test('an exact capacity is what the step says, whatever there was', () => {
  const policy: StepScalingPolicy = { kind: 'step', id: 'p', adjustmentType: 'ExactCapacity', steps: [{ lower: 0, adjustment: 4 }], cooldown: 0, aggregation: 'Maximum' };
  expect([0, 4, 9].map(capacity => stepCapacity(policy, 1, [1], capacity))).toEqual([4, 4, 4]);
});

describe('a scalable target', () => {
  const change = (adjustment: number, policy = 'p', cooldown = 300): Request =>
    ({ policy, capacity: from => from + adjustment, scaleOutCooldown: cooldown, scaleInCooldown: cooldown });

  test('adds 2 and then, within the cooldown, 3: only 1 more', () => {
    const target = new ScalableTarget({ min: 0, max: 10 }, 4);
    target.request(0, [change(2)]);
    expect(target.desired).toBe(6);
    target.request(60, [change(2)]);
    expect(target.desired).toBe(6);
    target.request(120, [change(3)]);
    expect(target.desired).toBe(7);
    target.request(419, [change(3)]);
    expect(target.desired).toBe(7);
    target.request(420, [change(3)]);
    expect(target.desired).toBe(10);
  });

  test('does not scale in again before the cooldown is over, but scales out at once, which ends that cooldown', () => {
    const target = new ScalableTarget({ min: 0, max: 10 }, 8);
    target.request(0, [change(-2, 'in')]);
    target.request(299, [change(-2, 'in')]);
    expect(target.desired).toBe(6);
    target.request(300, [change(-2, 'in')]);
    expect(target.desired).toBe(4);
    target.request(310, [change(3, 'out')]);
    expect(target.desired).toBe(7);
    target.request(320, [change(-2, 'in')]);
    expect(target.desired).toBe(5);
  });

  test('takes the largest of several requests, also when all of them scale in', () => {
    const target = new ScalableTarget({ min: 0, max: 20 }, 10);
    target.request(0, [change(3, 'a'), change(8, 'b'), change(-4, 'c')]);
    expect(target.desired).toBe(18);
    target.request(1, [change(-3, 'd'), change(-8, 'e')]);
    expect(target.desired).toBe(15);
  });

  test('stays in its bounds, which a scheduled action moves', () => {
    const target = new ScalableTarget({ min: 1, max: 5 }, 3);
    target.request(0, [change(9)]);
    expect(target.desired).toBe(5);
    target.setBounds({ min: 7, max: 12 });
    expect(target.desired).toBe(7);
    target.setBounds({ min: 0, max: 2 });
    expect(target.desired).toBe(2);
  });
});
