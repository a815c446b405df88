import { pathOf } from '../template';
import type { Template } from '../types';
import { isReference, type Place } from './places';

/** A change of one value, and what it is called. */
export interface Change {
  readonly operator: string;
  readonly what: string;
  /** More than the place's kind, where one place has several things to change. */
  readonly detail?: string;
  edit(): void;
}

/** Values that may stand for each other. */
const NEIGHBOURS = [
  ['ENABLED', 'DISABLED'],
  ['enabled', 'disabled'],
  ['true', 'false'],
  ['Allow', 'Deny'],
  ['Minimum', 'Maximum'],
  ['Average', 'Sum'],
  ['SampleCount', 'Maximum'],
  ['Sum', 'Maximum'],
  ['GreaterThanOrEqualToThreshold', 'LessThanThreshold'],
  ['LessThanOrEqualToThreshold', 'GreaterThanThreshold'],
  ['ignore', 'breaching'],
  ['notBreaching', 'breaching'],
  ['missing', 'ignore'],
  ['FARGATE', 'EC2'],
  ['FARGATE_SPOT', 'FARGATE'],
  ['X86_64', 'ARM64'],
  ['arm64', 'x86_64'],
  ['awsvpc', 'bridge'],
  ['ChangeInCapacity', 'ExactCapacity'],
  ['ALL', 'REJECT'],
  ['Interface', 'Gateway'],
  ['SERVICE', 'TASK_DEFINITION'],
  ['rate(1 minute)', 'rate(1 minutes)'],
  ['tcp', 'udp'],
  ['sts:AssumeRole', 'sts:TagSession'],
  ['ecs-tasks.amazonaws.com', 'lambda.amazonaws.com'],
  ['events.amazonaws.com', 'sns.amazonaws.com'],
  ['0.0.0.0/0', '10.0.0.0/8'],
  ['StringEquals', 'StringNotEquals'],
  ['ArnEquals', 'ArnNotEquals'],
];

/** Every change that an operator knows for a place. */
export function changesAt(template: Template, place: Place): Change[] {
  return allChanges(template, place).filter(({ what }) => !/^(.*) -> \1$/s.test(what));
}

function allChanges(template: Template, place: Place): Change[] {
  const { holder, key, kind } = place;
  const value = holder[key];
  const set = (operator: string, to: unknown, what = `${short(value)} -> ${short(to)}`, detail?: string): Change => ({
    operator,
    what,
    detail,
    edit: () => {
      holder[key] = to;
    },
  });
  if (kind.endsWith('(itself)')) return [{ operator: 'remove resource', what: 'gone', edit: () => remove(template, place.logicalId) }];
  if (kind.endsWith(' DependsOn')) {
    return [
      {
        operator: 'forget dependency',
        what: value,
        edit: () => {
          holder.splice(key, 1);
        },
      },
    ];
  }
  const dropped: Change = {
    operator: 'drop',
    what: `without ${key}: ${short(value)}`,
    edit: () => {
      Array.isArray(holder) ? holder.splice(key as number, 1) : delete holder[key];
    },
  };
  if (isReference(value)) return [...swaps(template, value).map(({ to, operator }) => set(operator, to)), ...(inJoin(holder, kind) ? [] : [dropped])];
  if (typeof value === 'number') {
    return [set('number', value * 10), set('number', value === 0 ? 1 : 0), set('number', -value || -1), set('number', value + 1), dropped];
  }
  if (typeof value === 'boolean') return [set('flip', !value), dropped];
  if (typeof value === 'string') return [...texts(value, set, kind), ...(inJoin(holder, kind) ? [] : [dropped])];
  return value?.['Fn::Join'] ? [] : [dropped];
}

/** The parts of a Fn::Join can't be dropped: the text would be another one altogether. */
function inJoin(holder: any, kind: string): boolean {
  return Array.isArray(holder) && (kind.includes('{') || holder.some((part) => typeof part === 'string' && /^[:{"]|":/.test(part)));
}

/** Other resources of the same type, and other attributes of the same resource. */
function swaps(template: Template, value: any): { to: any; operator: string }[] {
  const [id, attribute] = value.Ref ? [value.Ref, undefined] : Array.isArray(value['Fn::GetAtt']) ? value['Fn::GetAtt'] : [undefined, undefined];
  const type = template.Resources[id]?.Type;
  if (!type) return [];
  const near = (other: string) => common(pathOf(template, id), pathOf(template, other));
  const others = Object.keys(template.Resources)
    .filter((other) => other !== id && template.Resources[other].Type === type)
    .sort((a, b) => near(b) - near(a));
  const form = attribute === undefined ? { 'Fn::GetAtt': [id, 'Arn'] } : { Ref: id };
  return [
    ...others
      .slice(0, 3)
      .map((other) => ({ operator: 'other resource', to: attribute === undefined ? { Ref: other } : { 'Fn::GetAtt': [other, attribute] } })),
    ...(type === 'AWS::EC2::SecurityGroup' || (attribute !== undefined && attribute !== 'Arn') ? [] : [{ operator: 'other attribute', to: form }]),
  ];
}

function common(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}

function texts(value: string, set: (operator: string, to: unknown, what?: string, detail?: string) => Change, kind: string): Change[] {
  if (/^\s*\{|":/.test(value)) return inJson(value, set);
  const neighbours = NEIGHBOURS.flatMap(([a, b]) => (value === a ? [b] : value === b ? [a] : [])).map((to) => set('neighbour', to));
  if (neighbours.length > 0) return neighbours;
  if (/^[a-z][a-z0-9-]*:[A-Za-z*]+$/.test(value) && kind.includes('Action')) {
    const [service, action] = value.split(':');
    return [
      set('action', `${service}:${action.replace(/^(Get|Describe|List|Put|Run|Stop|Create)/, (verb) => (verb === 'Get' ? 'Put' : 'Get'))}`),
      set('action', `${service}:*`),
    ];
  }
  if (/^cron\(|^rate\(/.test(value)) {
    return [set('text', value.replace(/\?/g, '*')), set('text', value.replace(/\d+/, '61')), set('text', value.replace(/^cron\((\S+) /, 'cron('))];
  }
  if (/^-?\d+(\.\d+)?$/.test(value)) return [set('number', String(Number(value) * 10)), set('number', '0')];
  return value.length > 1 ? [set('text', `${value}x`), set('text', value.slice(0, -1))] : [];
}

/** One value inside of a JSON text: a string misspelt, a number changed, a flag turned over. */
function inJson(text: string, set: (operator: string, to: unknown, what?: string, detail?: string) => Change): Change[] {
  return [...text.matchAll(/"([\w.-]+)":("(?:[^"\\]|\\.)*"(?=[,}\]])|-?\d+(?:\.\d+)?(?=[,}\]])|true|false)/g)]
    .filter(([, key, old]) => !/^(markdown|title|label|value|background|color|width|height|x|y)$/.test(key) && old.length < 300)
    .map(([whole, key, old, ...rest]) => {
      const to = old.startsWith('"') ? `${old.slice(0, -1)}x"` : old === 'true' ? 'false' : old === 'false' ? 'true' : String(Number(old) * 10 || 1);
      const at = (rest as any[]).find((item) => typeof item === 'number') as number;
      return set('in JSON', text.slice(0, at) + whole.replace(old, () => to) + text.slice(at + whole.length), `${whole} -> ${to}`, key);
    });
}

/** Without the resource, and without what can't be there without it: what only depends on it stays. */
function remove(template: Template, logicalId: string): void {
  delete template.Resources[logicalId];
  for (const resource of Object.values(template.Resources)) {
    if (resource.DependsOn) resource.DependsOn = [resource.DependsOn].flat().filter((id) => id !== logicalId);
  }
}

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 90 ? `${text.slice(0, 90)}...` : text;
}
