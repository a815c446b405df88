/**
 * A map in the order of its names. Languages hand maps over in an order of their own, and all give the same template.
 */
export function sortedByName<T>(map: { readonly [name: string]: T } = {}): { [name: string]: T } {
  return Object.fromEntries(Object.entries(map).sort(([one], [other]) => one < other ? -1 : 1));
}
