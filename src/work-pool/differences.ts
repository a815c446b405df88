import { isDeepStrictEqual } from 'node:util';

/** The most characters of a value that are shown. */
const LONGEST_VALUE = 200;

/** Fields that name an entry of a list, so that entries in another order are the same. */
const NAMES = ['name', 'containerPath', 'containerName'];

type Fields = { readonly [field: string]: unknown };

export interface Difference {
  readonly path: string;
  /** Undefined where nothing stands. */
  readonly present: unknown;
  /** Undefined where nothing is to stand. */
  readonly wanted: unknown;
}

/** Where two JSON values differ, as deep as they can be told apart. */
export function differences(path: string, present: unknown, wanted: unknown): Difference[] {
  if (isDeepStrictEqual(present, wanted)) return [];
  const [one, other] = [fieldsOf(present), fieldsOf(wanted)];
  if (!one || !other) return [{ path, present, wanted }];
  const deeper = (field: string) => Array.isArray(wanted) ? `${path}[${field}]` : path ? `${path}.${field}` : field;
  return [...new Set([...Object.keys(other), ...Object.keys(one)])].flatMap(field => differences(deeper(field), one[field], other[field]));
}

/** Where a value lacks what is wanted of it. What it has beside that doesn't count, nor does the order of strings in a list. */
export function shortcomings(path: string, present: any, wanted: any): Difference[] {
  if (isFields(wanted) && isFields(present)) {
    return Object.entries(wanted).flatMap(([field, value]) => shortcomings(`${path}.${field}`, present[field], value));
  }
  if (Array.isArray(wanted) && Array.isArray(present) && wanted.length === present.length) {
    const [ours, theirs] = wanted.every(entry => typeof entry === 'string') ? [[...wanted].sort(), [...present].sort()] : [wanted, present];
    return ours.flatMap((value, index) => shortcomings(`${path}[${index}]`, theirs[index], value));
  }
  return isDeepStrictEqual(present, wanted) ? [] : [{ path, present, wanted }];
}

/** A difference in words, with both values unless the present one may be a secret that somebody has put there. */
export function say({ path, present, wanted }: Difference, secret = false): string {
  if (present === undefined) return `${path} is missing, and should be ${show(wanted)}`;
  const is = secret ? 'has another value' : `is ${show(present)}`;
  return wanted === undefined ? `${path} ${is}, and should not be there` : `${path} ${is}, and should be ${show(wanted)}`;
}

function show(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}...` : text;
}

/** An object, or a list of named entries by their names. */
function fieldsOf(value: unknown): Fields | undefined {
  if (!Array.isArray(value)) return isFields(value) ? value : undefined;
  const named = value.map(entry => [NAMES.map(name => entry?.[name]).find(name => typeof name === 'string'), entry] as const);
  const names = new Set(named.map(([name]) => name));
  return names.has(undefined) || names.size < named.length ? undefined : Object.fromEntries(named);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
