import { FARGATE_PRICES, REFERENCE_REGION } from '../../src/private/fargate-prices';
import { billedSeconds, dollarsAnHour, pricedRegion } from '../../src/private/task-price';

const [X86, ARM] = ['X86_64', 'ARM64'];
const size = { cpu: 1024, memoryMiB: 2048, cpuArchitecture: X86 };
const SECOND = 1000;

describe('the price of a task', () => {
  test('is that of AWS\'s own example: five tasks of 1 vCPU and 2 GB for ten minutes a day, 30 days', () => {
    // https://aws.amazon.com/fargate/pricing/: $1.01 of vCPUs and $0.22 of memory.
    const dollars = dollarsAnHour(size, false, 'us-east-1') * 5 * 30 * 10 / 60;
    expect(dollars).toBeCloseTo(1.01 + 0.22, 2);
  });

  test('is that of AWS\'s own example with storage: 25 tasks of 2 vCPUs, 4 GB and 50 GB of storage for an hour', () => {
    // 20 GB are free; $2.024 of vCPUs, $0.4445 of memory, $0.08325 of storage.
    expect(25 * dollarsAnHour({ ...size, cpu: 2048, memoryMiB: 4096, ephemeralStorageGiB: 50 }, false, 'us-east-1')).toBeCloseTo(2.024 + 0.4445 + 0.08325, 5);
  });

  test('is less on Spot, of vCPUs and memory but not of storage', () => {
    const [plain, large] = [size, { ...size, ephemeralStorageGiB: 120 }].map(task => dollarsAnHour(task, true, 'us-east-1'));
    expect(plain).toBeCloseTo(0.01288871 + 2 * 0.00141527, 4);
    expect(large - plain).toBeCloseTo(100 * 0.000111, 9);
  });

  test('is a fifth less on ARM, where nothing else is known', () => {
    expect(dollarsAnHour({ ...size, cpuArchitecture: ARM }, false, 'eu-north-1')).toBeCloseTo(0.8 * dollarsAnHour(size, false, 'eu-north-1'), 9);
    expect(dollarsAnHour({ ...size, cpuArchitecture: ARM }, false, 'ap-south-1')).toBeCloseTo(0.02383 + 2 * 0.00261, 9);
  });

  test('is that of the reference region in one without a price', () => {
    expect(pricedRegion('mars-north-1')).toBe('us-east-1');
    expect(dollarsAnHour(size, false, 'mars-north-1')).toBe(dollarsAnHour(size, false, 'us-east-1'));
    expect(pricedRegion('eu-west-2')).toBe('eu-west-2');
  });

  test('differs by no more than twice between regions, and ARM and Spot are always less', () => {
    expect(Object.keys(FARGATE_PRICES)).toContain(REFERENCE_REGION);
    for (const region of Object.keys(FARGATE_PRICES)) {
      const factor = dollarsAnHour(size, false, region) / dollarsAnHour(size, false, REFERENCE_REGION);
      expect([region, factor >= 1 && factor < 2]).toEqual([region, true]);
      expect(dollarsAnHour({ ...size, cpuArchitecture: ARM }, false, region)).toBeLessThan(dollarsAnHour(size, false, region));
      expect(dollarsAnHour(size, true, region)).toBeLessThan(0.5 * dollarsAnHour(size, false, region));
    }
  });
});

describe('a task is billed', () => {
  const start = new Date('2026-01-01T00:00:00Z');
  const after = (milliseconds: number) => billedSeconds(start, new Date(start.getTime() + milliseconds));

  test('for a minute at the least', () => {
    expect([after(0), after(3 * SECOND), after(60 * SECOND)]).toEqual([60, 60, 60]);
  });

  test('for each second that has begun', () => {
    expect([after(60 * SECOND + 1), after(61 * SECOND), after(3600.2 * SECOND)]).toEqual([61, 61, 3601]);
  });
});
