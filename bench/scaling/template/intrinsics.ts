export interface Resource {
  readonly Type: string;
  readonly Properties?: Record<string, any>;
}

export interface Template {
  readonly Resources: Record<string, Resource>;
}

/** A value as text; what only the deployment knows becomes ${LogicalId} or ${LogicalId.Attribute}. */
export function text(value: any): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const [[intrinsic, argument]] = Object.entries<any>(value);
  switch (intrinsic) {
    case 'Ref': return `\${${argument}}`;
    case 'Fn::GetAtt': return `\${${[argument].flat().join('.')}}`;
    case 'Fn::Join': return argument[1].map(text).join(argument[0]);
    case 'Fn::Sub': return [argument].flat()[0];
    default: return `\${${JSON.stringify(value)}}`;
  }
}

/** The logical id that a Ref or Fn::GetAtt names, wherever in the value it is. */
export function refersTo(value: any, id: string): boolean {
  const found = JSON.stringify(value ?? null);
  return found.includes(`{"Ref":"${id}"}`) || found.includes(`{"Fn::GetAtt":["${id}"`);
}

/** The resources of a type with their logical ids. */
export function ofType(template: Template, ...types: string[]): [id: string, properties: Record<string, any>][] {
  return Object.entries(template.Resources)
    .filter(([, { Type }]) => types.includes(Type))
    .map(([id, { Properties = {} }]) => [id, Properties]);
}
