import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { GetSecretValueCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { Balancer, startBalancer } from './balancer';
import { Deployment } from './cdk';
import { createSecret } from './environment';
import { physicalIds } from './evidence';
import { Gate, openGate } from './gate';
import { Prefect } from './prefect';
import { pythonEnvironment } from '../../python/environment';
import { bootstrap } from '../../stand-in/bootstrap';
import { loopbackCertificate } from '../../stand-in/certificate';
import { startPostgres } from '../../stand-in/postgres';
import { Redis, startRedis } from '../../stand-in/redis';
import { clientConfiguration, StandIn, startStandIn } from '../../stand-in/stand-in';

/** What the official image of a server is called here, and that of the version before. */
export const IMAGE = 'server-of-the-tests:3.9.1';
export const IMAGE_BEFORE = 'server-of-the-tests:3.6.14';
/** That of the API, whether the background services are in it or not. */
const API_SERVICE = /ServerServicesApi/;

/** One statement to the database, over TLS, with a password. */
const IN_DATABASE = `
import asyncio, sys, asyncpg

async def main(port, password, words):
    connection = await asyncpg.connect(host="127.0.0.1", port=int(port), user="prefect", password=password, database="postgres", ssl="require")
    await connection.execute(words)

asyncio.run(main(*sys.argv[1:]))
`;

/** A local AWS beside a real PostgreSQL and a real Redis, both with TLS and a password, for a server that is deployed to it. */
export interface ServerWorld {
  readonly standIn: StandIn;
  readonly redis: Redis;
  /** The way to the database, which can be shut. */
  readonly database: Gate;
  /** Stands for the server's private name. */
  readonly name: Balancer;
  readonly deployment: Deployment;
  /** Tasks of a service that run, by a part of its logical id. */
  running(service: RegExp): Promise<string[]>;
  /** The test's own hand on the server, over the private name. */
  hand(): Promise<Prefect>;
  /** Restores a snapshot of the database, and gives the port of what came of it. */
  restoreDatabase(): Promise<number>;
  /** What Amazon RDS does each week: the database gets another password, and the secret has it. */
  rotatePassword(): Promise<void>;
  /** Whether the database takes the password that it had at first. */
  takesFirstPassword(): Promise<boolean>;
  /** What the created secret holds. */
  authString(): Promise<string>;
  stop(): Promise<void>;
}

export interface ServerWorldOptions {
  /** Whether the server is highly available, with Redis. @default true */
  readonly redis?: boolean;
  /** Whether a worker of each type is connected. @default - where there is Redis */
  readonly workers?: boolean;
  /** @default - that of the version that the library is tested with */
  readonly image?: string;
}

export async function startServerWorld(options: ServerWorldOptions = {}): Promise<ServerWorld> {
  const { redis: withRedis = true, workers = withRedis, image = IMAGE } = options;
  const started: { stop(): Promise<void> }[] = [];
  const start = async <T extends { stop(): Promise<void> }>(part: Promise<T>) => {
    started.push(await part);
    return part;
  };
  const stop = async () => {
    for (const part of started.reverse()) await part.stop();
  };
  try {
    const [{ bin, python }, before, { authority, ...tls }] = await Promise.all([
      pythonEnvironment(undefined, 'server'), pythonEnvironment(undefined, 'lowest-server'), loopbackCertificate(),
    ]);
    const [password, token] = ['p%ss: w/rd@"quoted"', 't0ken'.repeat(8)];
    const images = { [IMAGE]: { path: [bin], ports: [4200] }, [IMAGE_BEFORE]: { path: [before.bin], ports: [4200] } };
    const [standIn, postgres, redis] = await Promise.all([
      start(startStandIn({ images, timeScale: 4 })),
      start(startPostgres({ tls, password })),
      start(startRedis({ password: token, ...tls })),
    ]);
    await bootstrap(standIn);
    const database = await start(openGate(`http://127.0.0.1:${postgres.port}/`));
    const name = await start(startBalancer(() => standIn, API_SERVICE));
    const output = await mkdtemp(join(tmpdir(), 'cdk.out-'));
    started.push({ stop: () => rm(output, { recursive: true, force: true }) });
    const environment: Record<string, string> = {
      IMAGE: image,
      AUTHORITY: authority,
      DATABASE: 'postgres',
      POSTGRES_PORT: new URL(database.apiUrl).port,
      CREDENTIALS_ARN: await createSecret(standIn, JSON.stringify({ username: 'prefect', password })),
      NAME_PORT: String(name.port),
      ...(workers && { WORKERS: 'yes' }),
      ...(withRedis && { REDIS_PORT: String(redis.port), REDIS_TOKEN_ARN: await createSecret(standIn, token) }),
    };
    const secrets = new SecretsManagerClient(clientConfiguration(standIn));
    const authString = async () => {
      const { map } = await physicalIds(standIn, 'Live');
      const [, SecretId] = Object.entries(map).find(([id]) => /^ServerAuthString/.test(id))!;
      const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId }));
      return SecretString!;
    };
    const inDatabase = (words: string) => promisify(execFile)(python, ['-c', IN_DATABASE, String(postgres.port), password, words]);
    return {
      standIn,
      redis,
      database,
      name,
      stop,
      deployment: { app: 'test/live/support/server-app.ts', output, environment },
      running: async service => (await standIn.tasks())
        .filter(({ group, lastStatus }) => service.test(group) && lastStatus === 'RUNNING').map(({ taskArn }) => taskArn),
      restoreDatabase: async () => (await start(postgres.restore())).port,
      rotatePassword: async () => {
        const next = 'an0ther "pass/w%rd';
        await inDatabase(`ALTER ROLE prefect PASSWORD '${next}'`);
        await secrets.send(new PutSecretValueCommand({ SecretId: environment.CREDENTIALS_ARN, SecretString: JSON.stringify({ username: 'prefect', password: next }) }));
      },
      takesFirstPassword: () => inDatabase('SELECT 1').then(() => true, () => false),
      authString,
      hand: async () => new Prefect(`http://127.0.0.1:${name.port}/api`, { authorization: `Basic ${Buffer.from(await authString()).toString('base64')}` }),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
