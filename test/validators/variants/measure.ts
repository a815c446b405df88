import { scenarios } from '../../scenarios';
import { engines } from '../engines';
import { synthesize } from '../synth';
import type { Engine, Finding, NamedTemplate } from '../types';
import { sample, type Variant } from './sample';

/** Templates that an engine gets at a time: a process's start costs more than a template. */
const BATCH = 20;

/**
 * How many random variants of the scenarios' templates the checkers catch, and which survive:
 *
 *     npx tsx test/validators/variants/measure.ts [count] [seed] [rules]
 *
 * A survivor is either harmless, or it wants a rule. With `rules` only our own rules are asked, which takes seconds instead of minutes.
 */
async function measure(count: number, seed: number, only: string | undefined): Promise<void> {
  const templates = synthesize(scenarios).map((named) => ({ ...named, app: undefined }));
  const variants = sample(templates, count, seed);
  const chosen = Object.entries(engines).filter(([name]) => !name.startsWith('cdk-nag') && (!only || name === only));
  const caught = new Map<Variant, Set<string>>(variants.map((variant) => [variant, new Set()]));
  for (const [name, engine] of chosen) {
    const known = findingsOf(await engine(templates));
    const named = variants.map((variant, index): NamedTemplate => ({ ...variant.from, name: String(index), template: variant.template }));
    const found: Finding[] = [];
    for (let start = 0; start < named.length; start += BATCH) found.push(...(await asked(engine, name, named.slice(start, start + BATCH))));
    for (const finding of found) {
      const variant = variants[Number(finding.template)];
      if (!known.has(`${variant.from.name} ${signature(finding)}`)) caught.get(variant)!.add(name === 'rules' ? finding.rule : name);
    }
    process.stderr.write(`${name}: ${variants.filter((variant) => caught.get(variant)!.size > 0).length} of ${variants.length} caught so far\n`);
  }
  const survivors = variants.filter((variant) => caught.get(variant)!.size === 0);
  if (process.env.SHOW_CAUGHT) {
    variants
      .filter((variant) => !survivors.includes(variant))
      .forEach((variant) => console.log(`${[...caught.get(variant)!].join(', ')}: ${variant.name}`));
  }
  survivors.forEach(({ name, known }) => console.log(`${known ? 'known' : 'new  '} ${name}`));
  for (const known of [true, false]) {
    const all = variants.filter((variant) => variant.known === known);
    console.log(
      `${known ? 'kinds that a named mutant has' : 'other kinds'}: ${all.filter((variant) => !survivors.includes(variant)).length} of ${all.length} caught`,
    );
  }
  console.log(`altogether ${variants.length - survivors.length} of ${variants.length}`);
}

/** An engine that gives up on one template gives up on its batch: then each is asked for alone, and giving up counts as a finding. */
async function asked(engine: Engine, name: string, templates: NamedTemplate[]): Promise<Finding[]> {
  try {
    return await engine(templates);
  } catch (error) {
    if (templates.length > 1) return (await Promise.all(templates.map((named) => asked(engine, name, [named])))).flat();
    return [
      {
        engine: name,
        rule: `error: ${(error as Error).message.slice(0, 200)}`,
        template: templates[0].name,
        logicalId: '',
        message: '',
        severity: 'error',
      },
    ];
  }
}

function findingsOf(findings: Finding[]): Set<string> {
  return new Set(findings.map((finding) => `${finding.template} ${signature(finding)}`));
}

function signature({ rule, logicalId, message }: Finding): string {
  return `${rule} ${logicalId} ${message}`;
}

const [count = '200', seed = '1', only] = process.argv.slice(2);
void measure(Number(count), Number(seed), only);
