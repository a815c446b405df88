import { arnOf, attributeOf, physicalIdOf } from './physical-ids';
import { asArray } from './template';
import type { Template } from './types';

/** Where the template is thought to be deployed. */
export interface Deployment {
  readonly account: string;
  readonly region: string;
  readonly partition: string;
  readonly urlSuffix: string;
  /** Stack parameters; a parameter's default serves where none is given. */
  readonly parameters: Record<string, unknown>;
  /** Physical ids by logical id, such as those of a deployed stack; others are made from the logical id. */
  readonly physicalIds: Record<string, string>;
  /** Values exported by other stacks, by export name. */
  readonly imports: Record<string, unknown>;
}

export const DEFAULT_DEPLOYMENT: Deployment = {
  account: '123456789012',
  region: 'us-east-1',
  partition: 'aws',
  urlSuffix: 'amazonaws.com',
  parameters: {},
  physicalIds: {},
  imports: {},
};

/** Resolves intrinsic functions as CloudFormation would, to values that are the same at each call. */
export class Resolver {
  readonly deployment: Deployment;

  constructor(readonly template: Template, deployment: Partial<Deployment> = {}) {
    this.deployment = { ...DEFAULT_DEPLOYMENT, ...deployment };
  }

  /** The value with every intrinsic function in it resolved. */
  resolve(value: unknown): any {
    if (Array.isArray(value)) {
      return value.map((item) => this.resolve(item)).filter((item) => item !== undefined);
    }
    if (value === null || typeof value !== 'object') {
      return value;
    }
    const entries = Object.entries(value);
    if (entries.length === 1) {
      const [name, argument] = entries[0];
      if (name === 'Ref') {
        return this.ref(argument as string);
      }
      if (name.startsWith('Fn::')) {
        return this.call(name.slice('Fn::'.length), argument);
      }
    }
    return Object.fromEntries(entries.map(([key, inner]) => [key, this.resolve(inner)]).filter(([, inner]) => inner !== undefined));
  }

  /** The ARN of a resource of this template. */
  arn(logicalId: string): string {
    return arnOf(this, logicalId);
  }

  /** The ARN that this deployment gives a resource: `service:region:account:rest`. */
  formatArn(service: string, rest: string, where: { region?: string; account?: string } = {}): string {
    const { partition, region, account } = this.deployment;
    return `arn:${partition}:${service}:${where.region ?? region}:${where.account ?? account}:${rest}`;
  }

  private ref(name: string): any {
    const { account, region, partition, urlSuffix } = this.deployment;
    const pseudo: Record<string, unknown> = {
      'AWS::AccountId': account,
      'AWS::Region': region,
      'AWS::Partition': partition,
      'AWS::URLSuffix': urlSuffix,
      'AWS::StackName': 'stack',
      'AWS::StackId': this.formatArn('cloudformation', 'stack/stack/00000000-0000-4000-8000-000000000000'),
      'AWS::NotificationARNs': [],
      'AWS::NoValue': undefined,
    };
    if (name in pseudo) {
      return pseudo[name];
    }
    if (this.template.Parameters && name in this.template.Parameters) {
      return this.deployment.parameters[name] ?? this.template.Parameters[name].Default ?? `parameter-${name.toLowerCase()}`;
    }
    return physicalIdOf(this, name);
  }

  private call(name: string, argument: any): any {
    switch (name) {
      case 'GetAtt': {
        const [id, ...attribute] = Array.isArray(argument) ? argument : String(argument).split('.');
        return attributeOf(this, id, attribute.map(String).join('.'));
      }
      case 'Join':
        return asArray(this.resolve(argument[1])).map(String).join(argument[0]);
      case 'Sub':
        return this.substitute(argument);
      case 'Select':
        return asArray(this.resolve(argument[1]))[Number(this.resolve(argument[0]))];
      case 'Split':
        return String(this.resolve(argument[1])).split(argument[0]);
      case 'If':
        return this.resolve(this.condition({ Condition: argument[0] }) ? argument[1] : argument[2]);
      case 'FindInMap': {
        const [map, first, second] = this.resolve(argument);
        return this.template.Mappings?.[map]?.[first]?.[second];
      }
      case 'ImportValue': {
        const exported = this.resolve(argument);
        return this.deployment.imports[exported] ?? `import-${exported}`;
      }
      case 'GetAZs':
        return ['a', 'b', 'c'].map((zone) => `${this.deployment.region}${zone}`);
      case 'Cidr':
        return Array.from({ length: Number(this.resolve(argument[1])) }, (_, index) => `10.0.${index}.0/24`);
      case 'Base64':
        return Buffer.from(String(this.resolve(argument))).toString('base64');
      case 'ToJsonString':
        return JSON.stringify(this.resolve(argument));
      default:
        throw new Error(`The template uses Fn::${name}, which the resolver of the validators does not know. Add it to intrinsics.ts.`);
    }
  }

  private substitute(argument: any): string {
    const [text, variables] = Array.isArray(argument) ? argument : [argument, {}];
    return String(text).replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
      if (literal) {
        return `\${${name}}`;
      }
      if (name in variables) {
        return String(this.resolve(variables[name]));
      }
      return String(name.includes('.') ? this.call('GetAtt', name) : this.ref(name));
    });
  }

  private condition(value: any): boolean {
    const [[name, argument]] = Object.entries<any>(value);
    switch (name) {
      case 'Condition':
        return this.condition(this.template.Conditions?.[argument]);
      case 'Fn::Equals':
        return String(this.resolve(argument[0])) === String(this.resolve(argument[1]));
      case 'Fn::Not':
        return !this.condition(argument[0]);
      case 'Fn::And':
        return argument.every((item: any) => this.condition(item));
      case 'Fn::Or':
        return argument.some((item: any) => this.condition(item));
      default:
        throw new Error(`The template uses the condition ${name}, which the resolver of the validators does not know. Add it to intrinsics.ts.`);
    }
  }
}
