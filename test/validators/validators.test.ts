import { scenarios } from '../scenarios';
import { engines } from './engines';
import { mutants, mutate } from './mutants';
import { Mutant } from './mutants/mutant';
import { countsTable, readCompliance, tables } from './report';
import { applyRules, rules } from './rules';
import { suppress, Suppression, suppressions } from './suppressions';
import { synthesize } from './synth';
import { pathOf } from './template';
import type { Finding, NamedTemplate } from './types';

const templates = synthesize(scenarios);
const used = new Set<Suppression>();
const found: Record<string, Finding[]> = {};

const where = (finding: Finding): string => {
  const named = templates.find(({ name }) => name === finding.template);
  return named ? pathOf(named.template, finding.logicalId) : finding.logicalId;
};
const told = (finding: Finding) => `${finding.template}: ${where(finding)}: ${finding.message} [${finding.engine} ${finding.rule}]`;
const alone = (named: NamedTemplate) => ({ ...named, app: undefined });

describe('every scenario is free of findings by', () => {
  test.each(Object.keys(engines))('%s', async (engine) => {
    found[engine] = await engines[engine](templates);
    const result = suppress(found[engine], where);
    result.used.forEach((suppression) => used.add(suppression));
    expect([...new Set(result.left.map(told))]).toEqual([]);
    // The first run installs the Python environments of cfn-lint and checkov.
  }, 600_000);

  afterAll(() => {
    process.stdout.write(`\nFindings, each excepted for a reason:\n${countsTable(found, templates)}\n`);
  });

  test('and every suppression is still needed', () => {
    expect(suppressions.filter((suppression) => !used.has(suppression)).map(({ engine, rule, where: place }) => `${engine} ${rule} at ${place}`)).toEqual([]);
  });
});

test.each(Object.entries(tables()))('docs/compliance.md shows the %s as they are', (_, table) => {
  // Run `npx tsx test/validators/report.ts` where this fails.
  expect(readCompliance()).toContain(table);
});

describe('every mutant is caught:', () => {
  const table: string[] = [];

  test.each(mutants.map((mutant) => [mutant.name, mutant] as const))('%s', async (name, mutant) => {
    const { mutated, from } = mutate(mutant, templates);
    const before = texts(await known(from, mutant.caughtBy));
    const added = [...texts(await findings(mutant, mutated))].filter((finding) => !before.has(finding));
    table.push(`${name.padEnd(56)} ${(added.length > 0 ? mutant.caughtBy : 'NOBODY').padEnd(24)} ${from.name}`);
    expect(added).not.toEqual([]);
  }, 120_000);

  test('and every rule catches one', () => {
    expect(Object.keys(rules).filter((rule) => !mutants.some(({ caughtBy }) => caughtBy === rule))).toEqual([]);
  });

  afterAll(() => {
    process.stdout.write(`\n${'mutant'.padEnd(56)} ${'caught by'.padEnd(24)} made from\n${table.join('\n')}\n`);
  });

  const texts = (of: readonly Finding[]) => new Set(of.map(({ logicalId, message, rule }) => `${rule} ${logicalId} ${message}`));
  const once = <T>() => {
    const kept = new Map<string, T>();
    return (key: string, make: () => T) => kept.get(key) ?? kept.set(key, make()).get(key)!;
  };
  const [ofTemplates, ofMutants] = [once<Promise<Finding[]>>(), once<Promise<Finding[]>>()];

  /** What is found in the template as it is. */
  async function known(from: NamedTemplate, by: string): Promise<Finding[]> {
    if (!(by in engines)) return ofTemplates(`${by} ${from.name}`, () => applyRules([alone(from)], [by]));
    const all = found[by] ?? await ofTemplates(by, () => engines[by](templates.map(alone)));
    return all.filter(({ template }) => template === from.name);
  }

  /** An engine sees all its mutants at once: it takes longer to start than to look at one. */
  async function findings({ name, caughtBy: by }: Mutant, mutated: NamedTemplate): Promise<Finding[]> {
    if (!(by in engines)) return applyRules([mutated], [by]);
    const all = await ofMutants(by, () => engines[by](mutants.filter(({ caughtBy }) => caughtBy === by).flatMap((mutant) => {
      try {
        return [{ ...mutate(mutant, templates).mutated, name: mutant.name }];
      } catch {
        // Its own test says why.
        return [];
      }
    })));
    return all.filter(({ template }) => template === name);
  }
});
