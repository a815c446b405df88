import { documentsOf, eachValue, type Document } from '../documents';
import { Identities, looksLikeAnId, type Form } from '../identities';
import { Resolver } from '../intrinsics';
import { nearerTwin } from '../neighbours';
import { asArray, eachString, ofType, props, targetOf } from '../template';
import type { Remark, Rule } from '../types';
import { settingsOf, under, workersOf, type Worker } from '../workers';

/** What stands under a key of settings, whatever they belong to. */
const KEYS: Record<string, [type: string, form: Form]> = {
  'task_role_arn': ['AWS::IAM::Role', 'arn'],
  'taskRoleArn': ['AWS::IAM::Role', 'arn'],
  'execution_role_arn': ['AWS::IAM::Role', 'arn'],
  'executionRoleArn': ['AWS::IAM::Role', 'arn'],
  'vpc_id': ['AWS::EC2::VPC', 'id'],
  'subnets': ['AWS::EC2::Subnet', 'id'],
  'securityGroups': ['AWS::EC2::SecurityGroup', 'id'],
  'awslogs-group': ['AWS::Logs::LogGroup', 'name'],
  'prefect_api_key_secret_arn': ['AWS::SecretsManager::Secret', 'arn'],
  'prefect_api_auth_string_secret_arn': ['AWS::SecretsManager::Secret', 'arn'],
};

/** Settings that stand as JSON in a property name what the template has: nothing else reads them before the first flow run. */
export const settings: Rule = (template, { named }) => {
  const resolver = new Resolver(template, { imports: named.imports });
  const { documents, broken } = documentsOf(resolver);
  return [
    ...broken.map(({ logicalId, path, why }) => ({ logicalId, message: `Its property ${path} begins like JSON and is none: ${why}.` })),
    ...documents.flatMap((document) => [...names(resolver, document), ...unknownIds(resolver, document)]),
    ...variables(resolver),
    ...workersOf(resolver).flatMap((worker) => [...agreement(resolver, worker), ...place(resolver, worker)]),
    ...told(resolver),
  ];
};

/** Each name is of the type and in the form that its key asks for, where the template has such a resource at all. */
function names(resolver: Resolver, { logicalId, value }: Document): Remark[] {
  const messages: string[] = [];
  const identities = Identities.of(resolver);
  const check = (key: string, text: unknown, type: string, form: Form) => {
    const found = identities.of(text);
    const there = ofType(resolver.template, type).length > 0;
    if (found ? found.type !== type || found.form !== form : there && !foreign(resolver, text)) {
      messages.push(`${key} is "${text}", which is the ${form} of no ${type} of the template.`);
    }
    const twin = found && nearerTwin(resolver.template, logicalId, found.logicalId);
    if (twin) messages.push(`${key} is ${found.logicalId}, where ${twin} is its own.`);
  };
  eachValue(value, (key, text) => {
    if (key in KEYS && typeof text === 'string' && !text.startsWith('{{')) check(key, text, ...KEYS[key]);
    if (key === 'awslogs-region' && text !== resolver.deployment.region) messages.push(`${key} is "${text}", not the stack's region.`);
  });
  const secrets = [...Object.values<unknown>((value.api ?? value).secrets ?? {}), ...under(value, 'valueFrom')].filter(
    (text): text is string => typeof text === 'string' && text.includes(':secretsmanager:'),
  );
  secrets.forEach((text) => check('secret', text.split(':').slice(0, 7).join(':'), 'AWS::SecretsManager::Secret', 'arn'));
  return messages.map((message) => ({ logicalId, message }));
}

/** A text that stands in a property of its own as well: the id of something that is not of this template. */
function foreign(resolver: Resolver, text: unknown): boolean {
  let found = false;
  Object.values(resolver.template.Resources).forEach(({ Properties }) =>
    eachString(resolver.resolve(Properties), (other) => (found ||= other === text)),
  );
  return found || Object.keys(resolver.template.Parameters ?? {}).some((name) => resolver.resolve({ Ref: name }) === text);
}

/** ARNs and ids of this deployment that nothing has. */
function unknownIds(resolver: Resolver, { logicalId, value }: Document): Remark[] {
  const remarks: Remark[] = [];
  eachString(value, (text, path) => {
    if (
      !looksLikeAnId(text) ||
      /[*?\s]/.test(text) ||
      Identities.of(resolver).of(text) ||
      Identities.of(resolver).of(text.split(':').slice(0, 7).join(':')) ||
      foreign(resolver, text)
    ) {
      return;
    }
    if (/:(ecr|iam::aws|task-definition\/)/.test(text)) return;
    remarks.push({ logicalId, message: `${path.join('.')} is ${text}, which nothing of the template has.` });
  });
  return remarks;
}

/** Variables of containers and functions that name something. */
function variables(resolver: Resolver): Remark[] {
  const { template } = resolver;
  const identities = Identities.of(resolver);
  const of = [
    ...ofType(template, 'AWS::ECS::TaskDefinition').flatMap(([id, { Properties = {} }]) =>
      asArray<any>(resolver.resolve(Properties.ContainerDefinitions))
        .flatMap(({ Environment }) => asArray<any>(Environment))
        .map(({ Name, Value }) => ({ id, name: String(Name), value: String(Value) })),
    ),
    ...ofType(template, 'AWS::Lambda::Function').flatMap(([id, { Properties = {} }]) =>
      Object.entries(resolver.resolve(Properties.Environment?.Variables ?? {})).map(([name, value]) => ({ id, name, value: String(value) })),
    ),
  ];
  const expected: [RegExp, string, Form][] = [
    [/SQS_QUEUE_NAME$/, 'AWS::SQS::Queue', 'name'],
    [/FUNCTION_ARN$/, 'AWS::Lambda::Function', 'arn'],
    [/QUEUE_URL$/, 'AWS::SQS::Queue', 'url'],
  ];
  return of.flatMap(({ id, name, value }): Remark[] => {
    const [, type, form] = expected.find(([pattern]) => pattern.test(name)) ?? [];
    const found = identities.of(value);
    const twin = found && nearerTwin(template, id, found.logicalId);
    return [
      ...(type && !identities.named(value, type, form!)
        ? [{ logicalId: id, message: `The variable ${name} is "${value}", which is the ${form} of no ${type} of the template.` }]
        : []),
      ...(looksLikeAnId(value) && !found && !foreignIn(resolver, value)
        ? [{ logicalId: id, message: `The variable ${name} is ${value}, which nothing of the template has.` }]
        : []),
      ...(twin ? [{ logicalId: id, message: `The variable ${name} is ${found.logicalId}, where ${twin} is its own.` }] : []),
    ];
  });
}

function foreignIn(resolver: Resolver, text: string): boolean {
  return Object.keys(resolver.template.Parameters ?? {}).some((name) => resolver.resolve({ Ref: name }) === text);
}

/** What is said of a pool and its service in several places is the same in all of them. */
function agreement(
  resolver: Resolver,
  { service, serviceName, task, clusterArn, clusterName, type, container, documents, managed }: Worker,
): Remark[] {
  const environment = Object.fromEntries(asArray<any>(container.Environment).map(({ Name, Value }) => [Name, Value]));
  const limit = container.Command[container.Command.indexOf('--limit') + 1];
  return documents.flatMap((document) => {
    const { logicalId, value } = document;
    const differs = (key: string, is: unknown, where: string, other: unknown) =>
      is === undefined || String(is) === String(other) ? [] : [`${key} is "${is}", and ${where} has "${other}".`];
    return [
      ...differs('type', value.type, `the worker's command in ${task}`, type),
      ...differs('service', value.service, service, serviceName),
      ...under(value, 'cluster').flatMap((text) =>
        differs('cluster', text, service, clusterArn.endsWith(`/${clusterName}`) ? clusterArn : clusterName),
      ),
      ...differs('api.url', value.api?.url, `PREFECT_API_URL in ${task}`, environment.PREFECT_API_URL),
      ...(container.Command.includes('--limit') ? differs('flowRunLimit', value.flowRunLimit, `--limit in ${task}`, limit) : []),
      ...credentials(value, container, task),
      ...(document === managed ? flowRuns(resolver, value, environment) : []),
    ].map((message) => ({ logicalId, message }));
  });
}

/** Where the ECS worker of prefect-aws takes a flow run's credentials from. */
const OF_FLOW_RUNS: Record<string, string> = {
  prefect_api_key_secret_arn: 'PREFECT_API_KEY',
  prefect_api_auth_string_secret_arn: 'PREFECT_API_AUTH_STRING',
};

/** A credential is the same secret for the worker and its flow runs. Functions may have an API key of their own, for management. */
function credentials(value: any, container: any, task: string): string[] {
  const ofWorker: Record<string, string> = Object.fromEntries(asArray<any>(container.Secrets).map(({ Name, ValueFrom }) => [Name, ValueFrom]));
  const given: [string, unknown][] = Object.entries(value.api?.secrets ?? {});
  const of = (name: string, secret: unknown) =>
    ofWorker[name] === undefined
      ? [`${name} is a credential that the worker in ${task} doesn't have.`]
      : secret === ofWorker[name]
        ? []
        : [`${name} is ${secret}, and for the worker in ${task} ${ofWorker[name]}.`];
  const others = (name: string) =>
    Object.entries(ofWorker)
      .filter(([other]) => other !== name)
      .map(([, secret]) => secret);
  return [
    ...given.filter(([name]) => name !== 'PREFECT_API_KEY').flatMap(([name, secret]) => of(name, secret)),
    ...given
      .filter(([name, secret]) => name === 'PREFECT_API_KEY' && others(name).includes(String(secret)))
      .map(([name, secret]) => `${name} is ${secret}, which is another credential of ${task}.`),
    ...Object.entries(OF_FLOW_RUNS).flatMap(([key, name]) =>
      under(value, key)
        .filter((secret) => typeof secret === 'string' && secret.startsWith('arn:'))
        .flatMap((secret) => of(name, secret)),
    ),
    ...[...under(value, 'secrets')]
      .filter((secret) => typeof secret?.name === 'string' && secret.name in ofWorker)
      .flatMap(({ name, valueFrom }) => of(name, valueFrom)),
  ];
}

/** What flow runs of an ECS pool have in common with their worker. */
function flowRuns(resolver: Resolver, value: any, environment: Record<string, unknown>): string[] {
  const roles = [under(value, 'task_role_arn', 'taskRoleArn'), under(value, 'execution_role_arn', 'executionRoleArn')];
  const common = Object.keys(environment).filter((name) => /_API_URL$|^OTEL_EXPORTER|^PREFECT_CLIENT_RETRY|CONSOLE_FORMATTER$/.test(name));
  const regions = under(value, 'awslogs-group').length === under(value, 'awslogs-region').length ? [] : ['It names a log group without its region.'];
  return [
    ...regions,
    ...roles[0].filter((role) => roles[1].includes(role)).map((role) => `Flow runs have the permissions of what starts them: ${role} is both roles.`),
    ...common.flatMap((name) =>
      under(value, name)
        .filter((text) => typeof text === 'string' && text !== environment[name])
        .map((text) => `${name} is "${text}" for flow runs and "${environment[name]}" for their worker.`),
    ),
    ...under(value, 'configure_cloudwatch_logs')
      .filter((on) => on !== true && under(value, 'awslogs-group').length > 0)
      .map(() => 'Its flow runs write no logs, though it names a log group.'),
    ...under(value, 'launch_type')
      .filter((launch) => !['FARGATE', 'FARGATE_SPOT'].includes(launch))
      .map((launch) => `Flow runs need Fargate, not ${launch}.`),
    ...sizeFaults(resolver, value),
  ];
}

function sizeFaults(_: Resolver, value: any): string[] {
  const [cpu, memory] = [under(value, 'cpu')[0], under(value, 'memory')[0]];
  return cpu !== undefined && memory !== undefined && Number(memory) < Number(cpu) * 2
    ? [`Fargate offers no task with ${cpu} CPU units and ${memory} MiB.`]
    : [];
}

/** Flow runs start in the network of their worker. */
function place(resolver: Resolver, { service, managed }: Worker): Remark[] {
  if (!managed) return [];
  const { template } = resolver;
  const identities = Identities.of(resolver);
  const network = resolver.resolve(props(template, service).NetworkConfiguration?.AwsvpcConfiguration ?? {});
  const vpcOf = (text: string) => {
    const id = identities.named(text, /^AWS::EC2::(Subnet|SecurityGroup)$/);
    return id && targetOf(template, props(template, id).VpcId);
  };
  const vpc = vpcOf(asArray<string>(network.Subnets)[0]);
  const subnets: string[] = under(managed.value, 'subnets').filter((text) => typeof text === 'string');
  const messages = [
    ...[...new Set([...subnets, ...under(managed.value, 'securityGroups')])]
      .filter((text) => typeof text === 'string' && vpcOf(text) !== vpc)
      .map((text) => `${text} is not in the VPC of ${service}.`),
    ...under(managed.value, 'vpc_id')
      .filter((text) => vpc && identities.named(text, 'AWS::EC2::VPC') !== vpc)
      .map((text) => `The VPC ${text} is not that of ${service}.`),
    ...subnets.filter((text) => !asArray(network.Subnets).includes(text)).map((text) => `${text} is none of the subnets of ${service}.`),
    ...subnets
      .filter((text, index) => subnets.indexOf(text) < index && subnets.length === asArray(network.Subnets).length)
      .map((text) => `It names ${text} twice.`),
  ];
  return messages.map((message) => ({ logicalId: managed.logicalId, message }));
}

/** A function that looks after a worker is told of a pool that a worker of this template polls. */
function told(resolver: Resolver): Remark[] {
  const pools = new Set(workersOf(resolver).map(({ pool }) => pool));
  return ofType(resolver.template, 'AWS::Lambda::Function').flatMap(([id]) =>
    settingsOf(resolver, id)
      .filter(({ value }) => pools.size > 0 && typeof value.workPool === 'string' && !pools.has(value.workPool))
      .map(({ logicalId, value }) => ({ logicalId, message: `It is about the pool "${value.workPool}", which no worker polls.` })),
  );
}
