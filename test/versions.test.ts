import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { WorkerType } from '../src';
import { LOWEST_PREFECT } from '../src/private/versions';
import { FLOW_RUN_IMAGE, officialImage } from '../src/task/images';

/** A version of Prefect is said in several places; these hold them together. */
const read = (...path: string[]) => readFileSync(join(__dirname, '..', ...path), 'utf8');
const pinned = (lock: string, name: string) => new RegExp(`^${name}==(\\S+)`, 'm').exec(read('test', 'python', lock))?.[1];
const PREFECT = pinned('requirements.lock', 'prefect')!;
const PREFECT_AWS = pinned('requirements.lock', 'prefect-aws')!;

test('the default images have the versions that the tests run', () => {
  expect(officialImage(WorkerType.ECS)).toMatch(new RegExp(`^prefecthq/prefect-aws:${PREFECT_AWS}-python[\\d.]+-prefect${PREFECT}$`));
  for (const image of [officialImage(WorkerType.PROCESS), FLOW_RUN_IMAGE]) expect(image).toMatch(new RegExp(`^prefecthq/prefect:${PREFECT}-python[\\d.]+$`));
});

test('the lowest versions are those that the live tests run', () => {
  expect(pinned('lowest-server.lock', 'prefect')).toBe(LOWEST_PREFECT.server);
  expect([pinned('lowest-images.lock', 'prefect'), pinned('lowest-images.lock', 'prefect')]).toEqual([LOWEST_PREFECT.workerImage, LOWEST_PREFECT.flowRunImage]);
});

test('docs/versions.md says both', () => {
  const rows = Object.fromEntries([...read('docs', 'versions.md').matchAll(/^\| (.+) \| ([\d.]+) \| ([\d.]+) \|$/gm)].map(([, part, ...versions]) => [part, versions]));
  expect(rows).toEqual({
    'Prefect server': [LOWEST_PREFECT.server, PREFECT],
    '`image`: Prefect': [LOWEST_PREFECT.workerImage, PREFECT],
    '`image` of an ECS worker: prefect-aws': [pinned('lowest-images.lock', 'prefect-aws'), PREFECT_AWS],
    '`flowRunDefaults.image`, and `image` of a PROCESS worker': [LOWEST_PREFECT.flowRunImage, PREFECT],
    'the same with [`results`](results.md): prefect-aws': [pinned('lowest-images.lock', 'prefect-aws'), PREFECT_AWS],
  });
});
