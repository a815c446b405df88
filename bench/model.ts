import { Aws, Token } from 'aws-cdk-lib';

/** Properties of a resource, as a template has them. */
export type Fields = Record<string, any>;

interface Resource {
  readonly Type: string;
  readonly Properties?: Fields;
}

export type Resources = { readonly [logicalId: string]: Resource };

/** How often each type is in a template. */
export function typesOf(resources: Resources): { [type: string]: number } {
  const types: { [type: string]: number } = {};
  for (const { Type } of Object.values(resources)) types[Type] = (types[Type] ?? 0) + 1;
  return types;
}

const PSEUDO: { readonly [name: string]: string } = {
  'AWS::AccountId': Aws.ACCOUNT_ID, 'AWS::Partition': Aws.PARTITION, 'AWS::Region': Aws.REGION, 'AWS::StackId': Aws.STACK_ID, 'AWS::StackName': Aws.STACK_NAME, 'AWS::URLSuffix': Aws.URL_SUFFIX,
};

/** What a template says, in turn for each type, as the user of L2 constructs writes it: text with the attributes of constructs in it. */
export class Model {
  private readonly said = new Map<string, { readonly all: readonly Fields[]; count: number }>();

  /**
   * @param resources none, for resources that say as little as they can
   * @param ref stands for each `Ref` to a resource
   * @param attribute stands for each `Fn::GetAtt`
   */
  constructor(private readonly resources: Resources, private readonly ref: () => string, private readonly attribute: () => string) {}

  /** The properties of the next resource of a type, with a certain one. */
  public next(type: string, having?: string): Fields {
    const key = `${type} ${having}`;
    const said = this.said.get(key) ?? { all: this.ofType(type, having), count: 0 };
    this.said.set(key, said);
    return said.all.length === 0 ? {} : this.written(said.all[said.count++ % said.all.length]);
  }

  private ofType(type: string, having: string | undefined): Fields[] {
    const all = Object.values(this.resources).filter(({ Type }) => Type === type).map(({ Properties = {} }) => Properties);
    return all.filter(properties => having === undefined || having in properties);
  }

  private written(value: any): any {
    if (Array.isArray(value)) return value.map(item => this.written(item));
    if (typeof value !== 'object' || value === null) return value;
    const fields = Object.entries<any>(value);
    const [name, inner] = fields.length === 1 ? fields[0] : ['', undefined];
    if (name === 'Fn::Join' && inner[0] === '') return inner[1].map((part: unknown) => this.written(part)).join('');
    if (name === 'Ref') return PSEUDO[inner] ?? this.ref();
    if (name === 'Fn::GetAtt') return this.attribute();
    if (name.startsWith('Fn::')) return Token.asString({ [name]: this.written(inner) });
    return Object.fromEntries(fields.map(([key, field]) => [key, this.written(field)]));
  }
}
