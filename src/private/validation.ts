import { Token } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** A mistake in what the library was given. */
export class ValidationError extends Error {
  constructor(message: string, public readonly constructPath?: string) {
    super(constructPath === undefined ? message : `${constructPath}: ${message}`);
    this.name = 'ValidationError';
  }
}

/**
 * Mistakes that `work` finds name the construct, of which an app may have many. A factory such as `WorkPool.managed()` finds its own
 * before there is a construct, and the line of the app tells which call it was.
 */
export function validatedAt<T>(construct: IConstruct, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof ValidationError) || error.constructPath !== undefined) throw error;
    throw new ValidationError(error.message, construct.node.path);
  }
}

/**
 * A mistake in a prop, said in one sentence: the prop, its value and the fix.
 */
export function invalid(prop: string, value: unknown, fix: string): ValidationError {
  return new ValidationError(`${prop} ${describe(value)} ${fix}`);
}

function describe(value: unknown): string {
  if (Token.isUnresolved(value)) return 'is known only at deployment:';
  return value === undefined ? 'is missing:' : `is ${JSON.stringify(value)}:`;
}

/** Values known only at deployment can't be judged at synth, so they pass. */
export function isResolved<T>(value: T | undefined): value is T {
  return value !== undefined && !Token.isUnresolved(value);
}

/** Throws unless `value` is a whole number of at least `minimum` (or is absent, or a token). */
export function requireWholeNumber(prop: string, value: number | undefined, minimum: number): void {
  if (isResolved(value) && (!Number.isInteger(value) || value < minimum)) {
    throw invalid(prop, value, `give a whole number of at least ${minimum}.`);
  }
}

/** Throws when a list (that is not a token) names an entry twice. */
export function requireDistinct(prop: string, values: readonly string[]): void {
  const duplicate = values.find((value, index) => isResolved(value) && values.indexOf(value) !== index);
  if (duplicate !== undefined) {
    throw invalid(prop, values, `${JSON.stringify(duplicate)} is listed twice; name each entry once.`);
  }
}

/**
 * Characters that the Prefect API refuses in the name of a work pool or a work queue.
 *
 * @see https://docs.prefect.io/v3/api-ref/rest-api/server/work-pools/create-work-pool
 */
const BANNED_IN_NAMES = /[/%&<>]/;

/** Throws unless `name` is a name that Prefect takes for a work pool or a work queue. */
export function requirePrefectName(prop: string, name: string): void {
  if (!isResolved(name)) {
    if (name === undefined) throw invalid(prop, name, 'give the name that the Prefect UI shows.');
    return;
  }
  if (name.trim() === '') {
    throw invalid(prop, name, 'give the name that the Prefect UI shows.');
  }
  if (BANNED_IN_NAMES.test(name)) {
    throw invalid(prop, name, 'Prefect does not accept the characters / % & < > in a name.');
  }
}
