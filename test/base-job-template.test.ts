import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BaseJobTemplate, WorkerType, WorkPool } from '../src';
import { configurationOf, templateOf } from './support/worker';

const { fromObject, fromFile } = BaseJobTemplate;
const folder = mkdtempSync(join(tmpdir(), 'template-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (text: string) => {
  const path = join(folder, 'template.json');
  writeFileSync(path, text);
  return path;
};
const OWN = { variables: { properties: { stream_output: { default: true } } } };

test.each([[WorkerType.ECS], [WorkerType.PROCESS]])('a template of one\'s own reaches the pool of a worker of the type %s', workerType => {
  const workPool = WorkPool.managed('etl', { baseJobTemplate: fromFile(file(JSON.stringify(OWN))) });
  expect(configurationOf(templateOf({ workerType, workPool })).template.baseJobTemplate).toEqual(OWN);
});

test.each<[object, string]>([
  [{}, 'baseJobTemplate is empty: a base job template has job_configuration and variables, and nothing else; give one of these, or both.'],
  [{ ...OWN, description: 'x' }, 'baseJobTemplate has "description":'],
  [{ variables: { cpu: { default: 1024 } } }, 'baseJobTemplate has no properties in its variables: write { "variables": { "properties":'],
  [{ job_configuration: { task_definition: { containerDefinitions: [{ image: 'flows:1' }] } } }, 'baseJobTemplate has the image "flows:1" in its first container, so no deployment could bring its own: write "{{ image }}" there'],
  [{ job_configuration: { task_definition: { family: 'etl' } } }, 'baseJobTemplate has the family "etl" in its task definition, where the stack puts the start by which the worker\'s permissions go: '
    + 'leave it out, and give the family with flowRunDefaults.jobVariables: { family: "etl" }.'],
])('%j is refused', (template, message) => {
  expect(() => fromObject(template as any)).toThrow(message);
});

test('an image with a placeholder in it is one that deployments choose', () => {
  expect(() => fromObject({ job_configuration: { task_definition: { containerDefinitions: [{ image: 'registry.example.com/{{ image }}' }] } } })).not.toThrow();
  expect(() => fromObject({ job_configuration: { task_definition: { family: '{{ family }}' } } })).not.toThrow();
});

test('a key in it is refused, and not shown', () => {
  const template = { job_configuration: { env: { KEY: 'pnu_0123456789' } } };
  expect(() => fromObject(template)).toThrow(/^baseJobTemplate holds what looks like a key \(its value is not shown here\)/);
  expect(() => fromObject(template)).not.toThrow(/0123456789/);
});

test('a file that is not there, or is no JSON, is named', () => {
  expect(() => fromFile('nowhere.json')).toThrow(/^baseJobTemplate is "nowhere.json": the file can't be read: ENOENT/);
  expect(() => fromFile(file('variables:'))).toThrow(/template\.json": the file is not JSON; write it with "prefect work-pool get-default/);
  expect(() => fromFile(file('{}'))).toThrow(/^baseJobTemplate ".*template\.json" is empty/);
});
