import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { types, type Documented, type Type } from '../../docs/tools/assembly';

/** Each public member of a type by its name, as jsii publishes it to every language. */
function members(type: Type): [string, Documented][] {
  const of = (member: Documented) => `${type.name}.${member.name}`;
  const methods = [...type.methods ?? [], ...type.initializer ? [{ ...type.initializer, name: 'constructor' }] : []];
  return [
    [type.name, type],
    ...[...type.properties ?? [], ...type.members ?? [], ...type.methods ?? []].map((member): [string, Documented] => [of(member), member]),
    ...methods.flatMap(method => (method.parameters ?? [])
      // A struct of options says it property by property.
      .filter(({ name }) => name !== 'options')
      .map((parameter): [string, Documented] => [`${of(method)}(${parameter.name})`, parameter])),
  ];
}

test('every public member says what it is for', () => {
  const undocumented = types().flatMap(members).filter(([, { docs }]) => !docs?.summary?.trim()).map(([name]) => name);
  expect(undocumented).toEqual([]);
});

test('every optional property says its default', () => {
  const silent = types().filter(({ datatype }) => datatype)
    .flatMap(({ name, properties = [] }) => properties.filter(({ optional, docs }) => optional && !docs?.default).map(property => `${name}.${property.name}`));
  expect(silent).toEqual([]);
});

test('API.md has every public type, none without a description', () => {
  const reference = readFileSync(join(__dirname, '..', '..', 'API.md'), 'utf8');
  for (const { name } of types()) expect(reference).toContain(`id="cdk-prefect-fargate-worker.${name}"`);
  expect(reference.split('\n').filter(line => line.includes('*No description.*'))).toEqual([]);
});

test('API.md says the type of each property once', () => {
  const reference = readFileSync(join(__dirname, '..', '..', 'API.md'), 'utf8');
  expect(reference).toContain('- *Type:*');
  expect(reference).not.toMatch(/^public readonly /m);
});
