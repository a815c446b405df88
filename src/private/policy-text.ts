import { aws_iam as iam, Stack } from 'aws-cdk-lib';

/** Statements as the JSON of a policy; what only the deployment knows is written there as in `Fn::Sub`. */
export function policyText(stack: Stack, statements: readonly iam.PolicyStatement[]): string {
  // Copies, because to show a statement is to freeze it.
  const document = new iam.PolicyDocument({ statements: statements.map(statement => statement.copy()), minimize: true });
  return JSON.stringify(readable(stack.resolve(document)), undefined, 2);
}

function readable(value: any): any {
  if (Array.isArray(value)) return value.map(readable);
  if (typeof value !== 'object' || value === null) return value;
  const [[name, inner] = [undefined, undefined], ...others] = Object.entries<any>(value);
  if (others.length === 0 && name === 'Ref') return `\${${inner}}`;
  if (others.length === 0 && name === 'Fn::GetAtt') return `\${${[inner].flat().join('.')}}`;
  if (others.length === 0 && name === 'Fn::Join') return inner[1].map((part: unknown) => textOf(readable(part))).join(inner[0]);
  if (others.length === 0 && name === 'Fn::ImportValue') return `\${${textOf(readable(inner))}}`;
  return Object.fromEntries(Object.entries(value).map(([field, part]) => [field, readable(part)]));
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : `\${${JSON.stringify(value)}}`;
}
