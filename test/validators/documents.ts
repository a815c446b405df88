import type { Resolver } from './intrinsics';
import type { Template } from './types';

/** A JSON object that stands as text in a property: a function's settings, a custom resource's, an event, a dashboard. */
export interface Document {
  readonly logicalId: string;
  /** Keys of the properties that lead to the text. */
  readonly path: string;
  /** With every reference resolved. */
  readonly value: any;
}

interface Found {
  readonly documents: Document[];
  /** Texts that begin like JSON and are none. */
  readonly broken: { readonly logicalId: string; readonly path: string; readonly why: string }[];
}

const found = new WeakMap<Template, Found>();

/** Every JSON object in the template's properties, also inside of others. */
export function documentsOf(resolver: Resolver): Found {
  const known = found.get(resolver.template) ?? find(resolver);
  found.set(resolver.template, known);
  return known;
}

function find(resolver: Resolver): Found {
  const documents: Document[] = [];
  const broken: Found['broken'] = [];
  for (const [logicalId, { Properties }] of Object.entries(resolver.template.Resources)) {
    eachText(resolver.resolve(Properties), (text, path) => {
      if (!/^\s*\{\s*("|\})/.test(text)) return;
      try {
        // What EventBridge puts in place of `<name>` is JSON.
        documents.push({ logicalId, path, value: JSON.parse(path.endsWith('.InputTemplate') ? text.replace(/:<\w+>/g, ':null') : text) });
      } catch (error) {
        broken.push({ logicalId, path, why: (error as Error).message });
      }
    });
  }
  return { documents, broken };
}

function eachText(value: any, visit: (text: string, path: string) => void, path = ''): void {
  if (typeof value === 'string') {
    visit(value, path);
  } else if (value !== null && typeof value === 'object') {
    Object.entries(value).forEach(([key, inner]) => eachText(inner, visit, path ? `${path}.${key}` : key));
  }
}

/** Calls back for every value inside of another, with the key that holds it (that of the list, for a list's items). */
export function eachValue(value: any, visit: (key: string, inner: any) => void, key = ''): void {
  if (Array.isArray(value)) {
    value.forEach((inner) => {
      visit(key, inner);
      eachValue(inner, visit, key);
    });
  } else if (value !== null && typeof value === 'object') {
    Object.entries(value).forEach(([name, inner]) => {
      if (!Array.isArray(inner)) visit(name, inner);
      eachValue(inner, visit, name);
    });
  }
}
