import { remarks, texts } from '../../docs/tools/prose';

test('nothing that people read has words to stumble over', () => {
  expect([...texts()].flatMap(([where, text]) => remarks(where, text))).toEqual([]);
});

test.each([
  ['Roles with the rights of a worker.', 'permissions'],
  ['What is not given is made by the library.', 'created'],
  ['In a VPC of yours.', 'your own'],
  ['The alarm goes off.', 'is raised'],
  ['In order to start.', 'wordy'],
])('%s is found', (text, why) => {
  expect(remarks('here', text).map(remark => remark.why).join()).toContain(why);
});

test('documents, docstrings, comments, errors and alarms are read', () => {
  const all = texts();
  expect(all.get('README.md')).toContain('production-grade');
  expect(all.get('src/work-pool.ts')).toContain('give a whole number of seconds, at least 60');
  expect(all.get('src/observability/worker-alarms.ts')).toContain('More or larger runs than the workers have CPU for');
  expect(all.get('src/prefect-fargate-worker.ts')).toContain('Grant flow runs permissions');
});
