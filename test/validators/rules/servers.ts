import { Resolver } from '../intrinsics';
import { namesOf, serversOf, storesOf, valueOf, type ServerPart } from '../server-parts';
import { asArray, eachString, ofType, props, targetOf } from '../template';
import type { Remark, Rule, Template } from '../types';

/** The seconds after which a load balancer closes an idle connection, where nothing else is said. */
const IDLE_SECONDS = 60;

/** The parts of a Prefect server know of each other, keep what comes in between them, and verify whom they connect to. */
export const servers: Rule = (template, { named }) => {
  const resolver = new Resolver(template, { imports: named.imports });
  return [
    ...serversOf(template).flatMap((parts) => [
      ...agreement(resolver, parts), ...messages(template, parts), ...parts.flatMap((part) => alone(resolver, part)),
    ]),
    ...privateNames(resolver),
  ];
};

/** What one part is told, all are: otherwise a flow run that one knows of is nothing to the other. */
function agreement(resolver: Resolver, parts: ServerPart[]): Remark[] {
  const [first, ...others] = parts;
  const told = (part: ServerPart, name: string) => JSON.stringify(resolver.resolve(valueOf(part, name)));
  return others.flatMap((other) => [...new Set([first, other].flatMap((part) => namesOf(part, /^PREFECT_(SERVER|REDIS)_/)))]
    .filter((name) => told(first, name) !== told(other, name))
    .map((name) => ({ logicalId: other.logicalId, message: `Its ${name} is ${told(other, name) ?? 'missing'}, that of ${first.logicalId} ${told(first, name) ?? 'missing'}.` })));
}

/** Messages in the memory of a process are for that process alone. */
function messages(template: Template, parts: ServerPart[]): Remark[] {
  const apart = parts.some(({ kind }) => kind === 'services');
  return parts.filter(({ kind }) => kind === 'api').flatMap((part) => {
    const inRedis = valueOf(part, 'PREFECT_SERVER_EVENTS_MESSAGING_BROKER') === 'prefect_redis.messaging';
    const faults = part.services.flatMap((service) => {
      const { DesiredCount = 1, DeploymentConfiguration: { MaximumPercent = 200 } = {} as any } = props(template, service);
      return inRedis || DesiredCount * MaximumPercent <= 100 ? [] : [`${service} may run two of it, also while it is deployed, and each has its messages in its memory.`];
    });
    if (apart && !inRedis) faults.push('The background services are in other tasks, and its messages in its memory.');
    if (apart && !asArray(part.container.Command).includes('--no-services')) faults.push('It runs the background services as well, which have tasks of their own.');
    return faults.map((message) => ({ logicalId: part.logicalId, message }));
  });
}

function alone(resolver: Resolver, part: ServerPart): Remark[] {
  const faults = [...settings(part), ...stores(resolver, part), ...(part.kind === 'api' ? api(resolver.template, part) : [])];
  return faults.map((message) => ({ logicalId: part.logicalId, message }));
}

function settings(part: ServerPart): string[] {
  const value = (name: string) => valueOf(part, name);
  const faults: string[] = [];
  const expect = (name: string, wanted: string, otherwise: string) => {
    if (value(name) !== wanted) faults.push(`Its ${name} has to be ${wanted}: otherwise ${otherwise}.`);
  };
  expect('PREFECT_SERVER_DATABASE_SQLALCHEMY_CONNECT_ARGS_TLS_ENABLED', 'true', 'nobody verifies whose database it is');
  expect('PREFECT_SERVER_DATABASE_MIGRATE_ON_START', 'false', 'each task changes the schema when it starts, two of them at a time');
  const file = String(value('PREFECT_SERVER_DATABASE_SQLALCHEMY_CONNECT_ARGS_TLS_CA_FILE'));
  const before = asArray<any>(part.container.DependsOn).filter(({ Condition }) => Condition === 'SUCCESS').map(({ ContainerName }) => ContainerName);
  if (!part.containers.some(({ Name, Command }) => before.includes(Name) && JSON.stringify(Command).includes(file))) {
    faults.push(`No container writes the certificate authorities to ${file} before it starts.`);
  }
  if (JSON.stringify(value('PREFECT_SERVER_DATABASE_USER')) === JSON.stringify(value('PREFECT_SERVER_DATABASE_PASSWORD'))) {
    faults.push('User and password of its database are the same field of one secret.');
  }
  return faults;
}

/** Ports, encryption and passwords are those of the database and of Redis. */
function stores(resolver: Resolver, part: ServerPart): string[] {
  const { template } = resolver;
  return storesOf(template, part).flatMap(({ logicalId, port, variable }) => {
    const { AuthToken, TransitEncryptionEnabled } = props(template, logicalId);
    const redis = /REDIS/.test(variable);
    const faults: string[] = [];
    if (String(resolver.resolve(valueOf(part, variable.replace('_HOST', '_PORT')))) !== String(port)) faults.push(`It looks for ${logicalId} on another port than ${port}.`);
    if (redis && TransitEncryptionEnabled !== true) faults.push(`${logicalId} takes plain connections.`);
    for (const ssl of redis ? ['PREFECT_REDIS_MESSAGING_SSL', 'PREFECT_REDIS_WORKER_CLEANUP_QUEUE_SSL'] : []) {
      if (valueOf(part, ssl) !== 'true') faults.push(`${logicalId} is connected to with TLS, and its ${ssl} doesn't say so.`);
    }
    for (const password of AuthToken ? ['PREFECT_REDIS_MESSAGING_PASSWORD', 'PREFECT_REDIS_WORKER_CLEANUP_QUEUE_PASSWORD'] : []) {
      if (targetOf(template, valueOf(part, password)) !== targetOf(template, AuthToken)) faults.push(`Its ${password} is another one than that of ${logicalId}.`);
    }
    return faults;
  });
}

function api(template: Template, part: ServerPart): string[] {
  const option = (name: string) => part.container.Command[part.container.Command.indexOf(name) + 1];
  const faults: string[] = [];
  if (!valueOf(part, 'PREFECT_SERVER_API_AUTH_STRING')) faults.push('Whoever reaches it may do everything: it has no PREFECT_SERVER_API_AUTH_STRING.');
  if (option('--host') !== '0.0.0.0') faults.push(`It listens on ${option('--host')}, where nobody outside its task reaches it.`);
  if (!asArray<any>(part.container.PortMappings).some(({ ContainerPort }) => String(ContainerPort) === option('--port'))) {
    faults.push(`It listens on ${option('--port')}, which is not among its port mappings.`);
  }
  const balanced = part.services.some((service) => asArray(props(template, service).LoadBalancers).length > 0);
  const kept = valueOf(part, 'PREFECT_SERVER_API_KEEPALIVE_TIMEOUT') ?? '5';
  if (balanced && Number(kept) <= IDLE_SECONDS) faults.push(`It closes connections after ${kept} seconds, before its load balancer does: requests in between are answered with 502.`);
  return faults;
}

/** Clients that ask for a private name find a service under it. */
function privateNames(resolver: Resolver): Remark[] {
  const { template } = resolver;
  const registered = new Set(ofType(template, 'AWS::ServiceDiscovery::Service').map(([, { Properties = {} }]) => {
    const namespace = targetOf(template, Properties.NamespaceId ?? Properties.DnsConfig?.NamespaceId);
    return `${resolver.resolve(Properties.Name)}.${namespace && resolver.resolve(props(template, namespace).Name)}`;
  }));
  return Object.entries(template.Resources).flatMap(([logicalId, { Properties }]) => {
    const missing = new Set<string>();
    eachString(resolver.resolve(Properties ?? {}), (text) => {
      for (const [, host] of text.matchAll(/http:\/\/([\w-]+\.[\w-]+\.internal):\d+/g)) if (!registered.has(host)) missing.add(host);
    });
    return [...missing].map((host) => ({ logicalId, message: `It asks ${host}, where no service is registered.` }));
  });
}
