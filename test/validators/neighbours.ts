import { pathOf } from './template';
import type { Template } from './types';

/**
 * Resources of the same type whose construct paths differ in one segment only: the function of another worker, the NAT
 * gateway of another subnet.
 */
export function twinsOf(template: Template, logicalId: string): string[] {
  const resource = template.Resources[logicalId];
  const path = pathOf(template, logicalId).split('/');
  return Object.keys(template.Resources).filter((other) => {
    if (other === logicalId || template.Resources[other].Type !== resource?.Type) return false;
    const segments = pathOf(template, other).split('/');
    return segments.length === path.length && segments.filter((segment, index) => segment !== path[index]).length === 1;
  });
}

/** The twin that stands nearer to a resource in the tree of constructs, if there is one. */
export function nearerTwin(template: Template, from: string, to: string): string | undefined {
  const path = pathOf(template, from).split('/');
  const near = (other: string) => {
    const segments = pathOf(template, other).split('/');
    const different = segments.findIndex((segment, index) => segment !== path[index]);
    return different < 0 ? segments.length : different;
  };
  return twinsOf(template, to).find((twin) => near(twin) > near(to));
}
