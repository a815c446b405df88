import { DefaultTokenResolver, IResolvable, IResolveContext, Stack, StringConcat, Token, Tokenization, TokenizedStringFragments } from 'aws-cdk-lib';

interface Unresolved {
  readonly token: string;
  /** Whether it is the text of a string, and not JSON already. */
  readonly isString: boolean;
}

/**
 * JSON of values, separated by commas, as `Stack.toJsonString()` gives it. That walks through all of a value whenever it is resolved, several times a
 * synthesis; this walks once, and resolves each different string with tokens once a time. For the end of synthesis: what is lazy is asked at once,
 * but for strings.
 */
export class JsonText implements IResolvable {
  public readonly creationStack: string[] = [];
  /** Between every two of these is something unresolved. */
  private readonly literals = [''];
  private readonly unresolved: Unresolved[] = [];

  constructor(private readonly stack: Stack, private readonly values: readonly unknown[]) {
    this.list('', values, '', value => this.write(value));
  }

  public get hasTokens(): boolean {
    return this.unresolved.length > 0;
  }

  public toString(): string {
    return Token.asString(this);
  }

  public resolve(context: IResolveContext): unknown {
    const resolved = new Map<string, unknown>();
    const parts: unknown[] = [this.literals[0]];
    for (const [index, { token, isString }] of this.unresolved.entries()) {
      if (!resolved.has(token)) resolved.set(token, context.resolve(token));
      const value = resolved.get(token);
      // What else a string may turn out to be is the CDK's affair.
      if (!isText(value)) return this.values.map(one => this.stack.toJsonString(one)).join(',');
      append(parts, isString ? quoted(value) : value);
      append(parts, this.literals[index + 1]);
    }
    return parts.length === 1 ? parts[0] : { 'Fn::Join': ['', parts] };
  }

  private write(value: unknown): void {
    if (typeof value === 'string' && Token.isUnresolved(value)) {
      this.literal('"');
      this.token(value, true);
      this.literal('"');
    } else if (Tokenization.isResolvable(value)) {
      const settled = Tokenization.resolve(value, { scope: this.stack, resolver: new AllButStrings(), preparing: false });
      if (/"(Ref|Fn::\w+)":/.test(JSON.stringify(settled))) this.token(this.stack.toJsonString(value), false);
      else this.write(settled);
    } else if (Token.isUnresolved(value) || isFields(value) && Object.keys(value).some(key => Token.isUnresolved(key))) {
      this.token(this.stack.toJsonString(value), false);
    } else if (Array.isArray(value)) {
      this.list('[', value.filter(item => item !== undefined), ']', item => this.write(item));
    } else if (isFields(value)) {
      this.list('{', Object.entries(value).filter(([, inner]) => inner !== undefined), '}', ([key, inner]) => {
        this.literal(`${JSON.stringify(key)}:`);
        this.write(inner);
      });
    } else {
      this.literal(JSON.stringify(value));
    }
  }

  private list<T>(begin: string, items: readonly T[], end: string, each: (item: T) => void): void {
    this.literal(begin);
    items.forEach((item, index) => {
      if (index > 0) this.literal(',');
      each(item);
    });
    this.literal(end);
  }

  private literal(text: string): void {
    this.literals[this.literals.length - 1] += text;
  }

  private token(token: string, isString: boolean): void {
    this.unresolved.push({ token, isString });
    this.literals.push('');
  }
}

/** Strings keep their tokens: references may yet become imports of other stacks. */
class AllButStrings extends DefaultTokenResolver {
  constructor() {
    super(new StringConcat());
  }

  public resolveString(fragments: TokenizedStringFragments): any {
    return fragments.mapTokens({ mapToken: token => Token.asString(token) }).join(new StringConcat());
  }
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A string, or an intrinsic function that gives one. */
function isText(value: unknown): boolean {
  if (typeof value === 'string') return true;
  const [name, ...more] = isFields(value) ? Object.keys(value) : [];
  return name !== undefined && more.length === 0 && /^(Ref|Fn::.*)$/.test(name);
}

/** As between the quotation marks of JSON. */
function quoted(value: unknown): unknown {
  if (typeof value === 'string') return JSON.stringify(value).slice(1, -1);
  if (Array.isArray(value)) return value.map(quoted);
  return isFields(value) ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, quoted(inner)])) : value;
}

/** What joins nothing to something joined is one `Fn::Join`, without neighbouring literals. */
function append(parts: unknown[], part: unknown): void {
  const [separator, joined] = isFields(part) && Array.isArray(part['Fn::Join']) ? part['Fn::Join'] : [undefined, undefined];
  const last = parts.length - 1;
  if (separator === '' && Array.isArray(joined)) joined.forEach(one => append(parts, one));
  else if (typeof part === 'string' && typeof parts[last] === 'string') parts[last] += part;
  else parts.push(part);
}
