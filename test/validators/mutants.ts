import { complianceMutants } from './mutants/compliance';
import { identityMutants } from './mutants/identity';
import { Mutant, NotApplicable } from './mutants/mutant';
import { networkMutants } from './mutants/network';
import { observabilityMutants } from './mutants/observability';
import { scalingMutants } from './mutants/scaling';
import { serverMutants } from './mutants/server';
import { serviceMutants } from './mutants/service';
import { settingsMutants } from './mutants/settings';
import { taskMutants } from './mutants/tasks';
import type { NamedTemplate } from './types';

export const mutants: Mutant[] = [
  ...networkMutants, ...identityMutants, ...serviceMutants, ...taskMutants, ...settingsMutants, ...complianceMutants, ...scalingMutants,
  ...observabilityMutants, ...serverMutants,
];

/** A mutant of the first template that has what the mutant spoils, with that template. */
export function mutate(mutant: Mutant, templates: NamedTemplate[]): { mutated: NamedTemplate; from: NamedTemplate } {
  for (const from of templates) {
    const template = structuredClone(from.template);
    try {
      mutant.edit(template);
      // A mutant is a template by itself: engines that look at constructs have nothing to see.
      return { mutated: { ...from, template, app: undefined }, from };
    } catch (error) {
      if (!(error instanceof NotApplicable)) {
        throw error;
      }
    }
  }
  throw new Error(`The mutant "${mutant.name}" fits none of the templates: give it a scenario that has what it spoils, or take it out.`);
}
