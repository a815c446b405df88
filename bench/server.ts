import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { aws_ecs as ecs, aws_ssm as ssm, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { cpuSecondsOf } from './measured-process';
import { bars } from './plot';
import { median, option, quantile, report, table } from './report';
import { ServerDatabase, ServerSize } from '../src';
import { Prefect } from '../test/live/support/prefect';
import { startLoad } from '../test/live/support/server-load';
import { pythonEnvironment } from '../test/python/environment';
import { partOf, serverWith, variablesOf } from '../test/server/app';
import { loopbackCertificate } from '../test/stand-in/certificate';
import { Child, endGroup, freePort, startGroup } from '../test/stand-in/child';
import { startPostgres } from '../test/stand-in/postgres';
import { startRedis } from '../test/stand-in/redis';

/**
 * How many flow runs a vCPU of a server takes, beside `prefect server start` by itself, on one PostgreSQL with one load:
 * `npm run bench:server [-- --rounds 3] [-- --seconds 40] [-- --update]`. Counted is the time of the CPU, which other programs on this machine don't change. Linux only.
 */
const [ROUNDS, SECONDS, CLIENTS] = [option('--rounds', 3), option('--seconds', 40), option('--clients', 12)];
const [PASSWORD, TOKEN, AUTH_STRING] = ['p%ss: w/rd@"quoted"', 't0ken'.repeat(8), 'prefect:bench'];

interface Part {
  readonly command: readonly string[];
  readonly environment: Record<string, string>;
}

interface ServerSetup {
  readonly name: string;
  /** The first one is the API. */
  readonly parts: readonly Part[];
}

interface Result {
  readonly runs: number;
  /** Seconds of the CPU that each part took. */
  readonly cpu: readonly number[];
}

async function main(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-server-'));
  const { authority, ...tls } = await loopbackCertificate();
  const certificate = join(directory, 'ca.pem');
  writeFileSync(certificate, authority);
  const [postgres, redis] = await Promise.all([startPostgres({ tls, password: PASSWORD }), startRedis({ password: TOKEN, ...tls })]);
  try {
    const synthesized = (size: ServerSize, redisPort?: number) => serverWith(stack => {
      const secret = (name: string) => ecs.Secret.fromSsmParameter(ssm.StringParameter.fromSecureStringParameterAttributes(stack as Stack, name, { parameterName: `/${name}` }));
      return {
        size,
        database: ServerDatabase.fromEndpoint({
          host: '127.0.0.1', port: postgres.port, databaseName: 'postgres', credentials: { username: secret('User'), password: secret('Password') }, tlsCaCertificate: authority,
        }),
        redis: redisPort ? { host: '127.0.0.1', port: redisPort, authToken: secret('Token') } : undefined,
      };
    }).template();
    const part = (template: Template, name: string) => onThisMachine(partOf(template, name).prefect, directory, certificate);
    const [small, large] = [synthesized(ServerSize.small()), synthesized(ServerSize.highlyAvailable(), redis.port)];
    const setups: ServerSetup[] = [
      { name: '`prefect server start` by itself', parts: [plain(postgres.port, directory)] },
      { name: '`ServerSize.small()`', parts: [part(small, 'server')] },
      { name: '`ServerSize.highlyAvailable()`, API and background services', parts: [part(large, 'api'), part(large, 'services')] },
    ];
    await migrated(part(small, 'migration'));
    const results = setups.map((): Result[] => []);
    for (let round = 0; round < ROUNDS; round++) {
      for (const [index, setup] of setups.entries()) {
        const result = await measure(setup);
        results[index].push(result);
        process.stderr.write(`${setup.name}: ${JSON.stringify(result)}\n`);
      }
    }
    report('server', ...found(setups, results));
  } finally {
    await postgres.stop();
    await redis.stop();
    rmSync(directory, { recursive: true });
  }
}

/** What a person starts who has Prefect and a database. */
function plain(port: number, directory: string): Part {
  return {
    command: ['prefect', 'server', 'start', '--host', '127.0.0.1', '--port', '4200'],
    environment: { HOME: directory, PREFECT_API_DATABASE_CONNECTION_URL: `postgresql+asyncpg://prefect:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/postgres` },
  };
}

/** A container as its template has it, with the secrets and the paths of this machine. */
function onThisMachine(container: any, directory: string, certificate: string): Part {
  const secrets: Record<string, string> = {
    AUTH_STRING, DATABASE_USER: 'prefect', DATABASE_PASSWORD: PASSWORD, MESSAGING_PASSWORD: TOKEN, CLEANUP_QUEUE_PASSWORD: TOKEN,
  };
  const here = ([name, value]: [string, any]) => {
    if (typeof value === 'string') return [name, value.replace(/^\/tmp(?=\/|$)/, directory).replace('/prefect-tls/ca.pem', certificate)];
    const known = Object.keys(secrets).find(end => name.endsWith(end));
    if (!known) throw new Error(`Nothing here knows the value of ${name}.`);
    return [name, secrets[known]];
  };
  const environment = Object.fromEntries(Object.entries(variablesOf(container)).map(here));
  return { command: container.Command, environment: { ...environment, SSL_CERT_FILE: certificate } };
}

async function begin({ command, environment }: Part, port: number): Promise<{ readonly child: Child; readonly said: () => string }> {
  const { bin } = await pythonEnvironment(undefined, 'server');
  const [program, ...rest] = command.map(argument => (argument === '4200' ? String(port) : argument));
  const child = startGroup(program, rest, { cwd: tmpdir(), env: { PATH: `${bin}:${process.env.PATH}`, ...environment } });
  let words = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => { words = (words + chunk).slice(-2000); });
  return { child, said: () => words };
}

async function migrated(part: Part): Promise<void> {
  const { child, said } = await begin(part, 0);
  const code = await new Promise(resolve => child.once('exit', resolve));
  if (code !== 0) throw new Error(`The migration ended with ${code}:\n${said()}`);
}

/** What each part of a server takes while clients create flow runs, set their states, write logs and read them. */
async function measure({ parts }: ServerSetup): Promise<Result> {
  const port = await freePort();
  const started = await Promise.all(parts.map(part => begin(part, port)));
  try {
    const prefect = new Prefect(`http://127.0.0.1:${port}/api`, { authorization: `Basic ${Buffer.from(AUTH_STRING).toString('base64')}` });
    for (const deadline = Date.now() + 120_000; !await fetch(`${prefect.apiUrl}/ready`).then(answer => answer.ok, () => false);) {
      if (Date.now() > deadline) throw new Error(`The server did not come up; its last words:\n${started[0].said()}`);
      await sleep(200);
    }
    await sleep(5_000);
    const before = started.map(({ child }) => cpuSecondsOf(child.pid!));
    const load = await startLoad({ prefect, authString: AUTH_STRING, clients: CLIENTS, pauseSeconds: 0.2 });
    await sleep(SECONDS * 1000);
    const { runs, failed } = await load.stop();
    if (failed.length > 0) throw new Error(`Calls failed: ${failed[0]}`);
    // What came as messages is recorded a little later.
    await sleep(5_000);
    return { runs: runs.length, cpu: started.map(({ child }, index) => cpuSecondsOf(child.pid!) - before[index]) };
  } finally {
    for (const { child } of started) await endGroup(child, 10_000);
  }
}

/** As a table, and as a picture. */
function found(setups: readonly ServerSetup[], results: readonly Result[][]): [string, Record<string, string>] {
  const perRun = results.map(rounds => rounds.map(({ runs, cpu }) => cpu.reduce((sum, seconds) => sum + seconds, 0) / runs));
  const usual = perRun.map(median);
  const number = (value: number) => Math.round(value).toLocaleString('en-US');
  const text = table(['server', 'CPU for a flow run', `in ${ROUNDS} rounds`, 'flow runs for an hour of a vCPU', 'beside the first'], setups.map(({ name }, index) => [
    name,
    `${number(usual[index] * 1000)} ms`,
    `${number(quantile(perRun[index], 0) * 1000)} to ${number(quantile(perRun[index], 1) * 1000)} ms`,
    number(3600 / usual[index]),
    (usual[0] / usual[index]).toFixed(2),
  ]));
  const rows = setups.map(({ name }, index) => ({ name: name.replace(/`/g, ''), values: [usual[index] * 1000] }));
  return [text, { server: bars({ title: 'CPU that a flow run takes of a server, ms', unit: 'ms', rows }) }];
}

main().catch(error => {
  console.error(error);
  process.exitCode = 1;
});
