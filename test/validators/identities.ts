import type { Resolver } from './intrinsics';
import { physicalIdOf } from './physical-ids';
import type { Template } from './types';

/** How a text names a resource. */
export type Form = 'arn' | 'id' | 'name' | 'url';

export interface Identity {
  readonly logicalId: string;
  readonly type: string;
  readonly form: Form;
}

const identities = new WeakMap<Template, Identities>();

/** Which resource of the template a text names. Ids are made from logical ids, so no two resources share one. */
export class Identities {
  static of(resolver: Resolver): Identities {
    const known = identities.get(resolver.template) ?? new Identities(resolver);
    identities.set(resolver.template, known);
    return known;
  }

  private readonly byText = new Map<string, Identity>();

  private constructor(resolver: Resolver) {
    for (const [logicalId, { Type: type }] of Object.entries(resolver.template.Resources)) {
      const put = (text: string, form: Form) => this.byText.set(text, { logicalId, type, form });
      const ref = physicalIdOf(resolver, logicalId);
      const arn = resolver.arn(logicalId);
      put(arn, 'arn');
      put(arn.replace(/:\*$/, ''), 'arn');
      put(
        ref,
        ref.startsWith('arn:') ? 'arn' : ref.startsWith('https:') ? 'url' : /^AWS::EC2::/.test(type) || type === 'AWS::KMS::Key' ? 'id' : 'name',
      );
      if (type === 'AWS::ECS::Service' || type === 'AWS::SQS::Queue') put(ref.split('/').pop()!, 'name');
      if (type === 'AWS::SNS::Topic') put(ref.split(':').pop()!, 'name');
    }
  }

  of(text: unknown): Identity | undefined {
    return typeof text === 'string' ? this.byText.get(text) : undefined;
  }

  /** The resource of a type that a text names in one of the forms. */
  named(text: unknown, type: string | RegExp, ...forms: Form[]): string | undefined {
    const found = this.of(text);
    const fits =
      found && (typeof type === 'string' ? found.type === type : type.test(found.type)) && (forms.length === 0 || forms.includes(found.form));
    return fits ? found.logicalId : undefined;
  }
}

/** Whether a text looks like an ARN or id that AWS gives, and so has to belong to something. */
export function looksLikeAnId(text: unknown): boolean {
  return typeof text === 'string' && /^arn:|^(vpc|subnet|sg|rtb|nat|igw|vpce)-[0-9a-f]+$|^https:\/\/sqs\./.test(text);
}
