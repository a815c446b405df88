import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What jsii knows of the library's public API, as far as documents need it. */
export interface Documented {
  readonly name?: string;
  readonly docs?: { readonly summary?: string; readonly remarks?: string; readonly default?: string; readonly see?: string };
}

export interface Property extends Documented {
  readonly name: string;
  readonly owner: string;
  readonly optional?: boolean;
}

interface Method extends Documented {
  readonly parameters?: readonly (Documented & { readonly name: string })[];
}

export interface Type extends Documented {
  readonly name: string;
  readonly kind: 'class' | 'interface' | 'enum';
  readonly datatype?: boolean;
  readonly initializer?: Method;
  readonly properties?: readonly Omit<Property, 'owner'>[];
  readonly methods?: readonly Method[];
  readonly members?: readonly Documented[];
}

/** The public types of the build at hand. */
export function types(): Type[] {
  return Object.values(JSON.parse(readFileSync(join(__dirname, '..', '..', '.jsii'), 'utf8')).types);
}

/** The properties of a class or struct. */
export function properties(name: string): Property[] {
  const type = types().find(candidate => candidate.name === name);
  if (!type) throw new Error(`No public type is called ${name}.`);
  return (type.properties ?? []).map(property => ({ ...property, owner: name }));
}
