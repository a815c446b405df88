import { aws_ecs as ecs, Duration, Tokenization } from 'aws-cdk-lib';
import { Database } from './database';
import { Redis } from './redis';
import { CA_CERTIFICATE_FILE } from '../task/ca-certificate';
import { LOGGING } from '../task/environment';
import { TMP } from '../task/writable-tmp';

export interface ServerSettings {
  readonly database: Database;
  readonly redis?: Redis;
  readonly authString: ecs.Secret;
  readonly flowRunRetention: Duration;
  readonly eventRetention: Duration;
}

type Variables = { [name: string]: string };
type Secrets = { [name: string]: ecs.Secret };

/** What all parts of the server have in common. */
export function serverEnvironment({ database, redis, flowRunRetention, eventRetention }: ServerSettings): Variables {
  return {
    ...LOGGING,
    HOME: TMP,
    PREFECT_HOME: `${TMP}/.prefect`,
    PREFECT_SERVER_UI_STATIC_DIRECTORY: `${TMP}/ui`,
    PREFECT_SERVER_DATABASE_DRIVER: 'postgresql+asyncpg',
    PREFECT_SERVER_DATABASE_HOST: database.host,
    PREFECT_SERVER_DATABASE_PORT: Tokenization.stringifyNumber(database.port),
    PREFECT_SERVER_DATABASE_NAME: database.databaseName,
    PREFECT_SERVER_DATABASE_SQLALCHEMY_CONNECT_ARGS_TLS_ENABLED: 'true',
    PREFECT_SERVER_DATABASE_SQLALCHEMY_CONNECT_ARGS_TLS_CA_FILE: CA_CERTIFICATE_FILE,
    // A task of its own does it, before any other.
    PREFECT_SERVER_DATABASE_MIGRATE_ON_START: 'false',
    PREFECT_SERVER_ANALYTICS_ENABLED: 'false',
    // Above the 60 seconds after which a load balancer closes an idle connection, so that it never sends into one that is closing.
    PREFECT_SERVER_API_KEEPALIVE_TIMEOUT: '75',
    // Redirects keep the scheme that the client used, behind a load balancer with TLS.
    FORWARDED_ALLOW_IPS: '*',
    PREFECT_SERVER_UI_API_URL: '/api',
    PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED: 'events,flow_runs',
    PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD: seconds(flowRunRetention),
    // Prefect takes seconds for the one, and ISO 8601 for the other.
    PREFECT_SERVER_EVENTS_RETENTION_PERIOD: `PT${seconds(eventRetention)}S`,
    ...(redis && redisEnvironment(redis)),
  };
}

export function serverSecrets({ database, redis, authString }: ServerSettings): Secrets {
  return {
    PREFECT_SERVER_API_AUTH_STRING: authString,
    PREFECT_SERVER_DATABASE_USER: database.credentials.username,
    PREFECT_SERVER_DATABASE_PASSWORD: database.credentials.password,
    ...(redis?.authToken && Object.fromEntries(REDIS_USES.map(use => [`${use}_PASSWORD`, redis.authToken!]))),
  };
}

/** The queue of what a worker left behind has settings of its own, and would be on localhost without them. */
const REDIS_USES = ['PREFECT_REDIS_MESSAGING', 'PREFECT_REDIS_WORKER_CLEANUP_QUEUE'];

function redisEnvironment({ host, port }: Redis): Variables {
  return {
    PREFECT_SERVER_EVENTS_MESSAGING_BROKER: 'prefect_redis.messaging',
    PREFECT_SERVER_EVENTS_MESSAGING_CACHE: 'prefect_redis.messaging',
    PREFECT_SERVER_EVENTS_CAUSAL_ORDERING: 'prefect_redis.ordering',
    PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE: 'prefect_redis.lease_storage',
    PREFECT_SERVER_WORKER_CHANNEL_CLEANUP_QUEUE_STORAGE: 'prefect_redis.cleanup_queue',
    ...Object.assign({}, ...REDIS_USES.map(use => ({
      [`${use}_HOST`]: host,
      [`${use}_PORT`]: Tokenization.stringifyNumber(port),
      [`${use}_SSL`]: 'true',
    }))),
    PREFECT_REDIS_MESSAGING_SOCKET_TIMEOUT: '10',
    PREFECT_REDIS_MESSAGING_SOCKET_CONNECT_TIMEOUT: '5',
  };
}

function seconds(duration: Duration): string {
  return Tokenization.stringifyNumber(duration.toSeconds());
}

/** Settings that are props of their own, or that would undo what they promise. */
export const SET_BY_SERVER: readonly (readonly [RegExp, string])[] = [
  [/^PREFECT_(SERVER|API)_DATABASE_/, 'database'],
  [/^PREFECT_(SERVER_)?API_AUTH_STRING$/, 'authString'],
  [/^PREFECT_REDIS_|^PREFECT_SERVER_(DOCKET_URL|EVENTS_MESSAGING_|EVENTS_CAUSAL_ORDERING|CONCURRENCY_LEASE_STORAGE|WORKER_CHANNEL_CLEANUP_QUEUE_STORAGE)/, 'redis and size'],
  [/^PREFECT_SERVER_SERVICES_DB_VACUUM_(ENABLED|RETENTION_PERIOD)$/, 'flowRunRetention'],
  [/^PREFECT_SERVER_EVENTS_RETENTION_PERIOD$/, 'eventRetention'],
  [/^(HOME|PREFECT_HOME|PREFECT_SERVER_UI_STATIC_DIRECTORY|PREFECT_SERVER_API_(HOST|PORT|BASE_PATH)|FORWARDED_ALLOW_IPS)$/, 'this construct'],
];
