import { aws_route53 as route53, Tokenization } from 'aws-cdk-lib';
import { requireFirewall } from './firewall';
import { PrefectServerProps } from './prefect-server-props';
import { requireRedis } from './redis';
import { ServerAccess } from './server-access';
import { ServerDatabase } from './server-database';
import { ServerSize } from './server-size';
import { SET_BY_SERVER } from './settings';
import { requireGivenSecret, requireSecret } from '../private/secrets';
import { requireObject } from '../private/type-validation';
import { invalid, isResolved, ValidationError } from '../private/validation';
import { holdsKey } from '../task/environment';

/** Connections that a process of the server holds at most: a pool of 5, and 10 above it. */
const CONNECTIONS_PER_TASK = 15;
/** What PostgreSQL keeps for its administrators. */
const RESERVED_CONNECTIONS = 10;

/** What the props say, or the defaults. */
interface Choices {
  readonly access: ServerAccess;
  readonly size: ServerSize;
  readonly database: ServerDatabase;
}

/** Throws for a server that can't work, with the fix. */
export function validateServer(props: PrefectServerProps, { access, size, database }: Choices): void {
  if (!props.vpc) throw invalid('vpc', undefined, 'give the VPC in which the server is to run.');
  requireObject('vpc', props.vpc);
  requireAccess(props, access);
  if (access === ServerAccess.PUBLIC_LOAD_BALANCER && props.vpc.publicSubnets.length === 0) {
    throw invalid('vpc', props.vpc.node.path, 'it has no public subnets, in which a public load balancer has to be; give a VPC with some, or access: ServerAccess.INTERNAL_LOAD_BALANCER.');
  }
  requireSecret('authString', props.authString);
  requireRedis(props.redis);
  if (props.redis && size._maxApiTasks === 1) {
    throw invalid('redis', props.redis.host, 'a small server keeps its messages in memory and has no use for it; give size: ServerSize.highlyAvailable(), or remove it.');
  }
  requireSettings(props);
  requireConnections(size, database);
  for (const [prop, duration, least] of [['flowRunRetention', props.flowRunRetention, 2], ['eventRetention', props.eventRetention, 1]] as const) {
    if (duration && !duration.isUnresolved() && duration.toHours({ integral: false }) < least) throw invalid(prop, duration.toString(), `give at least ${least} hour${least > 1 ? 's' : ''}.`);
  }
}

function requireAccess({ domain, signIn, firewall }: PrefectServerProps, access: ServerAccess): void {
  if (domain) {
    if (!domain.zone) throw invalid('domain.zone', undefined, `give the hosted zone in which ${domain.name} is to be created, such as route53.HostedZone.fromLookup().`);
    const { name, zone: { zoneName } } = domain;
    if (!name) throw invalid('domain.name', name, `give the whole name, such as prefect.${zoneName}.`);
    if (isResolved(name) && isResolved(zoneName) && name !== zoneName && !name.endsWith(`.${zoneName}`)) {
      throw invalid('domain.name', name, `it is not in the zone ${zoneName}; give a name that ends in it, or its own zone.`);
    }
    if (domain.zone instanceof route53.PrivateHostedZone) {
      if (access === ServerAccess.PUBLIC_LOAD_BALANCER) throw invalid('domain.zone', zoneName, 'it is private, and nobody outside your network would find the server; give a public zone.');
      if (!domain.certificate) {
        throw new ValidationError(`domain.certificate is missing: a certificate for ${name} can't be validated in the private zone ${zoneName}; give one of AWS Certificate Manager, or a public zone.`);
      }
    }
    if (access === ServerAccess.PRIVATE_DNS) {
      throw invalid('domain', domain.name, 'without a load balancer nothing serves this name; give access: ServerAccess.INTERNAL_LOAD_BALANCER, or remove one of the two.');
    }
  } else if (access !== ServerAccess.PRIVATE_DNS) {
    throw new ValidationError('domain is missing: a load balancer serves HTTPS alone, and needs a name with a certificate; give { zone, name }.');
  }
  if (access !== ServerAccess.PUBLIC_LOAD_BALANCER) {
    for (const [prop, value] of Object.entries({ signIn, firewall })) {
      if (value !== undefined) throw new ValidationError(`${prop} is there, and the server is not public: give access: ServerAccess.PUBLIC_LOAD_BALANCER, or remove it.`);
    }
  }
  requireFirewall(firewall ?? {});
}

/** Settings that a prop has, and keys that whoever reads the template could read. */
function requireSettings({ environment = {}, secrets = {} }: PrefectServerProps): void {
  for (const [prop, names] of [['environment', Object.keys(environment)], ['secrets', Object.keys(secrets)]] as const) {
    for (const name of names) {
      const setBy = SET_BY_SERVER.find(([pattern]) => pattern.test(name))?.[1];
      if (setBy && /_DATABASE_CONNECTION_URL$/.test(name) && /sqlite/.test(environment[name] ?? '')) {
        throw new ValidationError(`${prop}.${name} is SQLite: a task's disk is gone with it, and SQLite's write-ahead log works on no network file system such as Amazon EFS; remove it, and give database.`);
      }
      if (setBy) throw new ValidationError(`${prop}.${name} is set by ${setBy}: remove it from ${prop}.`);
    }
  }
  for (const [name, value] of Object.entries(environment)) {
    if (holdsKey(value)) {
      throw new ValidationError(`environment.${name} holds what looks like a key (its value is not shown here): an environment variable is readable by whoever reads the template; `
        + 'put it into AWS Secrets Manager and give it with secrets.');
    }
    if (name in secrets) throw new ValidationError(`secrets.${name} is in environment too, and ECS takes a name only once: remove it from one of the two.`);
  }
  for (const [name, secret] of Object.entries(secrets)) requireGivenSecret(`secrets.${name}`, secret);
}

function requireConnections(size: ServerSize, database: ServerDatabase): void {
  const available = connectionsOf(database);
  const { _maxApiTasks: api, _servicesTasks: services } = size;
  if (available === undefined || !isResolved(api) || !isResolved(services)) return;
  // The old tasks and the new ones, while a server is deployed that is never without a task.
  const wanted = CONNECTIONS_PER_TASK * (api + services) * (services > 0 ? 2 : 1);
  if (wanted > available - RESERVED_CONNECTIONS) {
    throw invalid('size', `${api} API tasks and ${services} of the services`, `they hold up to ${wanted} connections while they are deployed, and the database takes about ${Tokenization.stringifyNumber(available)}; `
      + 'lower maxApiTasks, or give a larger database.');
  }
}

/** Connections that a GiB of memory is worth by the defaults of Amazon RDS, what the system itself takes left out. */
const CONNECTIONS_PER_GIB = 85;
const SMALL_CLASSES: { readonly [size: string]: number } = { micro: 1, small: 2, medium: 4 };

/** About how many connections a database takes; undefined where nothing is known. */
export function connectionsOf({ _given: given, _aurora: aurora, _instance: instance }: ServerDatabase): number | undefined {
  if (given) return isResolved(given.maxConnections) ? given.maxConnections : undefined;
  if (aurora) {
    const { minCapacity = 0.5, maxCapacity = 4 } = aurora;
    if (!isResolved(maxCapacity)) return undefined;
    // Aurora caps them where it may scale to almost nothing.
    return Math.min(isResolved(minCapacity) && minCapacity <= 0.5 ? 2000 : 5000, 2 * maxCapacity * CONNECTIONS_PER_GIB);
  }
  const gib = memoryOf(instance?.instanceType?.toString() ?? 't4g.micro');
  return gib === undefined ? undefined : Math.min(5000, gib * CONNECTIONS_PER_GIB);
}

/** GiB of an instance class such as `t4g.micro` or `r7g.2xlarge`. */
function memoryOf(instanceClass: string): number | undefined {
  const [, family, size] = /^(?:db\.)?([a-z])[^.]*\.(\w+)$/.exec(instanceClass) ?? [];
  const perLarge = { t: 8, m: 8, r: 16, x: 32 }[family ?? ''];
  if (!perLarge || !size) return undefined;
  if (size in SMALL_CLASSES) return SMALL_CLASSES[size];
  const times = size === 'large' ? 1 : /^(\d*)xlarge$/.test(size) ? 2 * Number(size.replace('xlarge', '') || 1) : undefined;
  return times && times * perLarge;
}
