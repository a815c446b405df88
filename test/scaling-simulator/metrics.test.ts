import { metricKey, Metrics } from '../../bench/scaling/aws/metrics';

test('a data point is the statistic of the samples of one period that is over, and missing without any', () => {
  const metrics = new Metrics();
  for (const [time, value] of [[5, 4], [55, 8], [130, 6], [185, 9]]) metrics.put('m', { time, value, visibleFrom: time });

  expect(metrics.dataPoints('m', 'Average', 60, 3, 190)).toEqual([6, undefined, 6]);
  expect(metrics.dataPoints('m', 'Maximum', 60, 3, 190)).toEqual([8, undefined, 6]);
  expect(metrics.dataPoints('m', 'Minimum', 60, 3, 190)).toEqual([4, undefined, 6]);
  expect(metrics.dataPoints('m', 'Sum', 60, 3, 190)).toEqual([12, undefined, 6]);
  expect(metrics.dataPoints('m', 'SampleCount', 60, 3, 190)).toEqual([2, undefined, 1]);
  expect(metrics.dataPoints('another', 'Sum', 60, 2, 190)).toEqual([undefined, undefined]);
});

test('a sample counts for its own period, but is not to be seen before its time', () => {
  const metrics = new Metrics();
  metrics.put('m', { time: 58, value: 1, visibleFrom: 63 });
  expect(metrics.dataPoints('m', 'Maximum', 60, 1, 62)).toEqual([undefined]);
  expect(metrics.dataPoints('m', 'Maximum', 60, 1, 63)).toEqual([1]);
});

test('the order of dimensions does not matter, their values do', () => {
  expect(metricKey('N', 'M', { B: '1', A: '2' })).toBe(metricKey('N', 'M', { A: '2', B: '1' }));
  expect(metricKey('N', 'M', { A: '2' })).not.toBe(metricKey('N', 'M', { A: '3' }));
});
