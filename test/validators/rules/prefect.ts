import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { pythonEnvironment } from '../../python/environment';
import { documentsOf, eachValue } from '../documents';
import { Resolver } from '../intrinsics';
import { asArray, ofType } from '../template';
import type { Remark, Rule } from '../types';

interface Schema {
  readonly type?: string;
  readonly anyOf?: Schema[];
  readonly enum?: string[];
  readonly minimum?: number;
  readonly maximum?: number;
}

interface Facts {
  readonly variables: Record<string, Schema>;
  readonly options: string[];
}

let facts: Promise<Facts> | undefined;

/** What the real Prefect says of itself, once. */
function prefectFacts(): Promise<Facts> {
  return (facts ??= (async () => {
    const [workers, servers] = await Promise.all([factsOf('requirements'), factsOf('server')]);
    return { options: workers.options, variables: { ...servers.variables, ...workers.variables } };
  })());
}

async function factsOf(image: 'requirements' | 'server'): Promise<Facts> {
  const { python } = await pythonEnvironment(undefined, image);
  return new Promise<Facts>((resolve, reject) =>
    execFile(python, [join(__dirname, '..', 'prefect-facts.py')], { maxBuffer: 16 * 1024 * 1024 }, (error, stdout) =>
      error ? reject(error) : resolve(JSON.parse(stdout)),
    ),
  );
}

/** Variables are some that Prefect reads, with values that it takes, and its worker knows the options that it is started with. */
export const prefect: Rule = async (template, { named }) => {
  const resolver = new Resolver(template, { imports: named.imports });
  const { variables, options } = await prefectFacts();
  const fault = (name: string, value: unknown): string[] => {
    if (!/^PREFECT_(?!_)/.test(name) || (typeof value === 'string' && value.startsWith('{{'))) return [];
    if (!(name in variables)) return [`Prefect reads no variable ${name}.`];
    return value === null || takes(variables[name], String(value)) ? [] : [`Prefect doesn't take "${value}" for ${name}.`];
  };
  return [
    ...ofType(template, 'AWS::ECS::TaskDefinition').flatMap(([logicalId, { Properties = {} }]) =>
      asArray<any>(resolver.resolve(Properties.ContainerDefinitions))
        .flatMap(({ Environment, Secrets, Command }) => [
          ...asArray<any>(Environment).flatMap(({ Name, Value }) => fault(String(Name), Value)),
          ...asArray<any>(Secrets)
            .filter(({ Name }) => /^PREFECT_(?!_)/.test(Name) && !(Name in variables))
            .map(({ Name }) => `Prefect reads no variable ${Name}.`),
          ...commandFaults(asArray<string>(Command), options),
        ])
        .map((message): Remark => ({ logicalId, message })),
    ),
    ...ofType(template, 'AWS::Config::ConfigRule').flatMap(([logicalId, { Properties = {} }]) =>
      String(resolver.resolve(Properties.InputParameters)?.secretKeys ?? '')
        .split(',')
        .filter((name) => name !== '' && !(name in variables))
        .map((name) => ({ logicalId, message: `Prefect reads no variable ${name}, which it looks for.` })),
    ),
    ...documentsOf(resolver).documents.flatMap(({ logicalId, value }) => {
      const messages: string[] = [];
      eachValue(value, (key, inner) => {
        if (inner === null || typeof inner !== 'object') {
          messages.push(...(key.startsWith('PREFECT_API_') && key !== 'PREFECT_API_URL' ? [] : fault(key, inner)));
        } else if (typeof inner.name === 'string' && typeof inner.value === 'string') {
          messages.push(...fault(inner.name, inner.value));
        }
      });
      return messages.map((message) => ({ logicalId, message }));
    }),
  ];
};

/** As pydantic reads a variable. */
function takes({ type, anyOf, enum: values, minimum = -Infinity, maximum = Infinity }: Schema, value: string): boolean {
  if (anyOf) return anyOf.some((schema) => takes(schema, value));
  if (values) return values.some((known) => known.toLowerCase() === value.toLowerCase());
  const inRange = Number(value) >= minimum && Number(value) <= maximum;
  switch (type) {
    case 'integer':
      return /^-?\d+$/.test(value) && inRange;
    case 'number':
      return value.trim() !== '' && !Number.isNaN(Number(value)) && inRange;
    case 'boolean':
      return /^(true|false|1|0|yes|no|on|off|t|f|y|n)$/i.test(value);
    case 'null':
      return value === '';
    default:
      return true;
  }
}

/** `prefect worker start --pool name ...`, by itself or at the end of another command. */
function commandFaults(command: string[], options: string[]): string[] {
  const start = command.findIndex((word, index) => word === 'start' && command[index - 1] === 'worker');
  if (start < 0) return [];
  const given = command.slice(start + 1).filter((word) => word.startsWith('-'));
  const values = (name: string) => command.filter((_, index) => index > start && command[index - 1] === name);
  return [
    ...(command[start - 2] === 'prefect' ? [] : [`It runs ${command[start - 2]}, not prefect.`]),
    ...given.filter((option) => !options.includes(option.replace(/^--no-/, '--'))).map((option) => `Prefect's worker has no option ${option}.`),
    ...given.filter((option, index) => given.indexOf(option) !== index && option !== '--work-queue').map((option) => `It says ${option} twice.`),
    ...['--pool', '--type'].filter((option) => !given.includes(option)).map((option) => `Prefect's worker is started without ${option}.`),
    ...values('--type')
      .filter((type) => !['ecs', 'process'].includes(type))
      .map((type) => `Prefect has no worker of the type ${type} here.`),
    ...values('--install-policy')
      .filter((policy) => !['always', 'if-not-present', 'never', 'prompt'].includes(policy))
      .map((policy) => `Prefect has no install policy ${policy}.`),
    ...values('--limit')
      .filter((limit) => !(Number(limit) >= 1))
      .map((limit) => `A worker with the limit ${limit} takes no runs.`),
  ];
}
