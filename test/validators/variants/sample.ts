import { mutants } from '../mutants';
import { NotApplicable } from '../mutants/mutant';
import { asArray, dependenciesOf, references } from '../template';
import type { NamedTemplate, Template } from '../types';
import { changesAt } from './operators';
import { placesOf } from './places';

/** A template with one value changed. */
export interface Variant {
  readonly name: string;
  readonly kind: string;
  readonly from: NamedTemplate;
  readonly template: Template;
  /** Whether a named mutant spoils the same property of the same type. */
  readonly known: boolean;
}

/** Variants of as many kinds (type, property, operator) as wanted, drawn with a seed: the same at each run. */
export function sample(templates: readonly NamedTemplate[], count: number, seed: number): Variant[] {
  const random = generator(seed);
  const known = knownKinds(templates);
  const byKind = new Map<string, { from: NamedTemplate; place: number; change: number; name: string }[]>();
  for (const from of templates) {
    placesOf(from.template).forEach((place, placeIndex) =>
      changesAt(from.template, place).forEach(({ operator, what, detail }, change) => {
        const kind = `${place.kind}${detail ? `{${detail}}` : ''} ${operator}`;
        const name = `${from.name}: ${place.logicalId}: ${place.kind}: ${operator}: ${what}`;
        byKind.set(kind, [...(byKind.get(kind) ?? []), { from, place: placeIndex, change, name }]);
      }),
    );
  }
  const kinds = shuffle([...byKind.keys()].sort(), random);
  const variants: Variant[] = [];
  for (const kind of kinds) {
    if (variants.length === count) break;
    const candidates = byKind.get(kind)!;
    const { from, place, change, name } = candidates[Math.floor(random() * candidates.length)];
    const template = structuredClone(from.template);
    const places = placesOf(template);
    changesAt(template, places[place])[change].edit();
    if (valid(template) && !equivalent(from.template, template, places[place].logicalId)) {
      variants.push({ name, kind, from, template, known: known.has(property(kind)) });
    }
  }
  return variants;
}

/** `AWS::ECS::Service Cluster`: the type, and the first of the path. */
function property(kind: string): string {
  const [type, path] = kind.split(' ');
  return `${type} ${path.split(/[.{]/)[0]}`;
}

/** What the named mutants spoil: the properties in which each differs from its template. */
function knownKinds(templates: readonly NamedTemplate[]): Set<string> {
  const kinds = new Set<string>();
  for (const mutant of mutants) {
    for (const { template } of templates) {
      const mutated = structuredClone(template);
      try {
        mutant.edit(mutated);
      } catch (error) {
        if (error instanceof NotApplicable) continue;
        throw error;
      }
      for (const [id, resource] of Object.entries({ ...template.Resources, ...mutated.Resources })) {
        const [before, after] = [template.Resources[id], mutated.Resources[id]];
        if (!before || !after) {
          kinds.add(`${resource.Type} (itself)`);
          continue;
        }
        for (const key of new Set([...Object.keys(before.Properties ?? {}), ...Object.keys(after.Properties ?? {})])) {
          if (JSON.stringify(before.Properties?.[key]) !== JSON.stringify(after.Properties?.[key])) kinds.add(`${resource.Type} ${key}`);
        }
        if (JSON.stringify(before.DependsOn) !== JSON.stringify(after.DependsOn)) kinds.add(`${resource.Type} DependsOn`);
      }
      break;
    }
  }
  return kinds;
}

/** A template whose references lead nowhere is refused by everybody: nothing to be learnt from it. */
function valid(template: Template): boolean {
  return [...references(template.Resources)].every((id) => id in template.Resources || id in (template.Parameters ?? {}) || id.startsWith('AWS::'));
}

/** A dependency that a reference implies, or another one, is no loss. */
function equivalent(before: Template, after: Template, logicalId: string): boolean {
  const gone = asArray(before.Resources[logicalId]?.DependsOn).filter((id) => !asArray(after.Resources[logicalId]?.DependsOn).includes(id));
  return gone.length > 0 && after.Resources[logicalId] !== undefined && gone.every((id) => dependenciesOf(after, logicalId).has(id));
}

/** Park and Miller's: enough to draw with. */
function generator(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

function shuffle<T>(items: T[], random: () => number): T[] {
  for (let index = items.length - 1; index > 0; index--) {
    const other = Math.floor(random() * (index + 1));
    [items[index], items[other]] = [items[other], items[index]];
  }
  return items;
}
