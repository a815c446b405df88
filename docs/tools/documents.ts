import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { properties, type Property } from './assembly';
import { comparedCosts, endpointsAgainstNat } from './compared-costs';
import { costs, featureCosts, flowRunCosts, furtherWorkerCosts, quickStartPrice } from './costs';
import { faultsSummary } from './faults';
import { decisionTable } from './reconciler';

/**
 * Fills in what documents show from elsewhere, so that it can't go stale: `npm run documents`.
 *
 * - `<!-- file: examples/spot.ts -->` before a code block: the block is that file.
 * - `<!-- price -->`, up to `<!-- end -->`: what the quick start costs, in a sentence.
 * - `<!-- costs: default -->`, up to `<!-- end -->`: the bill of that build.
 * - `<!-- further worker costs -->`, up to `<!-- end -->`: what one more idle worker of a stack costs.
 * - `<!-- feature costs -->`, up to `<!-- end -->`: what each feature that is off by default adds.
 * - `<!-- compared costs -->`, up to `<!-- end -->`: what idle workers cost in several set-ups, beside the official template.
 * - `<!-- endpoints against nat -->`, up to `<!-- end -->`: from how much traffic on an endpoint costs less.
 * - `<!-- flow run costs -->`, up to `<!-- end -->`: what one flow run costs.
 * - `<!-- reconciler -->`, up to `<!-- end -->`: what the reconciler does, by the state of a flow run and of its task.
 * - `<!-- faults summary -->`, up to `<!-- end -->`: what became of flow runs, in all faults together.
 * - `<!-- defaults: NetworkOptions network. -->`, up to `<!-- end -->`: a table of the struct's properties, each with this prefix.
 *
 * And shortens API.md.
 */
const ROOT = join(__dirname, '..', '..');

/** The project's documents, by their paths from the root. */
export function documents(): string[] {
  const beside = (folder: string) => readdirSync(join(ROOT, folder)).filter(name => name.endsWith('.md')).map(name => join(folder, name));
  // API.md is jsii-docgen's, the changelog the release's.
  const generated = ['API.md', 'CHANGELOG.md'];
  const others = [
    'examples/python/README.md', 'examples/starters/README.md', 'docs/tools/README.md', 'test/stand-in/README.md', 'bench/README.md', 'bench/scaling/README.md',
  ];
  return [...beside('.').filter(name => !generated.includes(name)), ...beside('docs'), ...beside('docs/decisions'), ...others].filter(name => existsSync(join(ROOT, name)));
}

/** What stands at the places that need no argument. */
const PLACES: Record<string, () => string> = {
  'further worker costs': furtherWorkerCosts,
  'feature costs': featureCosts,
  'compared costs': comparedCosts,
  'endpoints against nat': endpointsAgainstNat,
  'flow run costs': flowRunCosts,
  'price': quickStartPrice,
  'reconciler': decisionTable,
  'faults summary': faultsSummary,
};

/** The document as it should be, by its path from the root. */
export function filledIn(text: string, path: string): string {
  return text
    .replace(/(<!-- file: (\S+) -->\n+```[^\n]*\n)[^]*?(^```$)/gm, (_, start, file, end) => `${start}${readFileSync(join(ROOT, file), 'utf8')}${end}`)
    .replace(/(<!-- costs: (\w+) -->\n)[^]*?(<!-- end -->)/g, (_, start, build, end) => `${start}\n${costs(build)}\n\n${end}`)
    .replace(/(<!-- ([a-z ]+) -->\n)[^]*?(<!-- end -->)/g, (whole, start, place, end) => (place in PLACES ? `${start}\n${PLACES[place]()}\n\n${end}` : whole))
    .replace(/(<!-- defaults: (\w+)( \S+)? -->\n)[^]*?(<!-- end -->)/g, (_, start, struct, prefix, end) => `${start}\n${defaults(struct, relative(dirname(path), 'API.md'), prefix?.trim())}\n\n${end}`);
}

function defaults(struct: string, api: string, prefix = ''): string {
  const rows = properties(struct).filter(({ optional }) => optional)
    .map(property => `| [\`${prefix}${property.name}\`](${api}#${anchor(property)}) | ${property.docs?.default?.replace(/^- /, '').replace(/\n/g, ' ').replace(/\|/g, '\\|')} |`);
  return ['| property | default |', '| --- | --- |', ...rows].join('\n');
}

/** The reference without what jsii-docgen says twice: a property's declaration in TypeScript, before its type. */
export function withoutDeclarations(text: string): string {
  return text.replace(/```typescript\npublic readonly [^\n]+;\n```\n\n(?=- \*Type:\*)/g, '');
}

function anchor({ owner, name }: Property): string {
  return `cdk-prefect-fargate-worker.${owner}.property.${name}`;
}

if (require.main === module) {
  for (const path of [...documents(), 'API.md']) {
    const before = readFileSync(join(ROOT, path), 'utf8');
    const after = path === 'API.md' ? withoutDeclarations(before) : filledIn(before, path);
    if (after === before) continue;
    writeFileSync(join(ROOT, path), after);
    console.log(`${path}: brought up to date`);
    // The README is part of what jsii publishes.
    if (path === 'README.md') execFileSync('npx', ['projen', 'compile'], { cwd: ROOT, stdio: 'inherit' });
  }
}
