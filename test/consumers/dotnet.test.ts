import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { packAll } from './support/packages';
import { ROOT, run, WORK } from './support/run';

/**
 * .NET has no app here, because its SDK is no part of what the tests need: instead, all that jsii knows of the API has
 * to be in the C# that is generated from it.
 */
jest.setTimeout(10 * 60_000);

interface JsiiType {
  readonly fqn: string;
  readonly name: string;
  readonly kind: 'class' | 'interface' | 'enum';
  readonly datatype?: boolean;
  readonly interfaces?: readonly string[];
  readonly abstract?: boolean;
  readonly initializer?: object;
  readonly properties?: readonly { readonly name: string; readonly optional?: boolean; readonly static?: boolean }[];
  readonly methods?: readonly { readonly name: string; readonly static?: boolean }[];
  readonly members?: readonly { readonly name: string }[];
}

const generated = join(WORK, 'dotnet');
const source = (name: string) => readFileSync(join(generated, 'dotnet', 'CdkPrefect.FargateWorker', 'CdkPrefect', 'FargateWorker', `${name}.cs`), 'utf8');
const pascalCase = (name: string) => name[0].toUpperCase() + name.slice(1);
/** A struct's interface has each property twice: once more for what jsii hands over. */
const named = (text: string, attribute: string) => [...new Set([...text.matchAll(new RegExp(`\\[${attribute}\\(name: "(\\w+)"`, 'g'))].map(([, name]) => name))].sort();
const names = (members: readonly { readonly name: string }[] = []) => members.map(({ name }) => name).sort();

/** A struct has the properties of those that it extends, too. */
const withInherited = ({ properties = [], interfaces = [] }: JsiiType): readonly { readonly name: string }[] =>
  [...properties, ...types.filter(({ fqn }) => interfaces.includes(fqn)).flatMap(withInherited)];

let types: JsiiType[];
beforeAll(async () => {
  await packAll();
  rmSync(generated, { recursive: true, force: true });
  await run('npx', ['jsii-pacmak', '--code-only', '--target', 'dotnet', '--outdir', generated, '--rosetta-tablet', join(ROOT, '.cache', 'package.tabl.json'), join(ROOT, '.cache', 'package')]);
  types = Object.values(JSON.parse(readFileSync(join(ROOT, '.jsii'), 'utf8')).types);
});

test('C# has every type', () => {
  expect(readdirSync(join(generated, 'dotnet')).length).toBeGreaterThan(0);
  for (const { name, fqn, kind, datatype } of types) {
    expect(source(datatype ? `I${name}` : name)).toContain(`"${fqn}"`);
    expect(source(name)).toMatch(new RegExp(`public (abstract )?(class|interface|enum) ${name}\\b`));
    expect(kind === 'enum').toBe(/public enum/.test(source(name)));
  }
});

test('C# has every property, and can leave out those that are optional', () => {
  for (const type of types) {
    const { name, datatype, properties = [] } = type;
    const text = source(datatype ? `I${name}` : name);
    expect([name, named(text, 'JsiiProperty')]).toEqual([name, names(datatype ? withInherited(type) : properties)]);
    for (const property of properties) {
      expect(text).toMatch(new RegExp(` ${pascalCase(property.name)}$`, 'm'));
      if (datatype) expect([name, property.name, optional(text, property.name)]).toEqual([name, property.name, property.optional === true]);
    }
  }
});

test('C# has every method', () => {
  for (const { name, datatype, methods = [] } of types.filter(({ kind }) => kind !== 'enum')) {
    const text = source(datatype ? `I${name}` : name);
    expect([name, named(text, 'JsiiMethod')]).toEqual([name, names(methods)]);
    for (const method of methods) expect(text).toMatch(new RegExp(` ${pascalCase(method.name)}\\(`));
  }
});

test('C# has every member of an enum', () => {
  for (const { name, members } of types.filter(({ kind }) => kind === 'enum')) {
    expect([name, named(source(name), 'JsiiEnumMember')]).toEqual([name, names(members)]);
  }
});

test('the quick start in C# names only what is there', () => {
  const quickStart = readFileSync(join(ROOT, 'examples', 'quick-start', 'App.cs'), 'utf8');
  const set = [...quickStart.matchAll(/^ +(\w+) = /gm)].map(([, name]) => name);
  const called = [...quickStart.matchAll(/\b(PrefectApi|WorkPool)\.(\w+)\(/g)];
  expect([set.length, called.length]).toEqual([5, 2]);
  const options = source('PrefectFargateWorkerProps') + source('PrefectCloudOptions');
  for (const name of set) expect(options).toMatch(new RegExp(`public .* ${name}$`, 'm'));
  for (const [, type, method] of called) expect(source(type)).toMatch(new RegExp(`public static .* ${method}\\(`));
});

function optional(text: string, property: string): boolean {
  return new RegExp(`\\[JsiiProperty\\(name: "${property}", .*isOptional: true\\)\\]$`, 'm').test(text);
}
