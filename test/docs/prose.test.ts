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
  ['The template is let alone.', 'stays'],
  ['The state is not known.', 'unknown'],
  ['The pool goes when the stack goes.', 'is deleted'],
  ['Subnets with no way to the internet.', 'route'],
  ['Nobody knows whether it runs.', 'unknown'],
])('%s is found', (text, why) => {
  expect(remarks('here', text).map(remark => remark.why).join()).toContain(why);
});

test('documents, docstrings, comments, errors and alarms are read', () => {
  const all = texts();
  expect(all.get('README.md')).toContain('production-grade');
  expect(all.get('src/work-pool.ts')).toContain('give a whole number of seconds, at least 60');
  // A sentence in backticks, with values filled in, is no code.
  expect(all.get('src/private/secret-access.ts')).toContain('is imported by its name, which ends in a hyphen');
  expect(all.get('src/observability/worker-alarms.ts')).toContain('More or larger runs than the workers have CPU for');
  expect(all.get('src/prefect-fargate-worker.ts')).toContain('Grant flow runs permissions');
});
