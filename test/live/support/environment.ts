import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { Deployment } from './cdk';
import { Gate, openGate } from './gate';
import { Prefect } from './prefect';
import { FLOW_RUN_IMAGE } from '../../../src/task/images';
import { PythonLock, pythonEnvironment } from '../../python/environment';
import { bootstrap } from '../../stand-in/bootstrap';
import { CloudProxy, startCloudProxy } from '../../stand-in/cloud-proxy';
import { HeaderProxy, startHeaderProxy } from '../../stand-in/header-proxy';
import { PrefectServer, startPrefectServer } from '../../stand-in/prefect-server';
import { clientConfiguration, StandIn, StandInOptions, startStandIn } from '../../stand-in/stand-in';

export const APP = 'test/live/support/app.ts';
export const FLOWS = __dirname;
export const PROCESS_POOL = 'live "processes"';
export const ECS_POOL = 'live tasks';

export interface LiveOptions {
  /** A self-hosted server that asks for an authentication string, or Prefect Cloud's URL shape with an API key. */
  readonly api: 'self-hosted' | 'cloud';
  /** Whether the self-hosted server asks for an authentication string. @default true */
  readonly authString?: boolean;
  /** A header that a proxy in front of the self-hosted server demands, which workers and functions have from a secret. */
  readonly header?: { readonly name: string; readonly value: string };
  /** Further secrets, by the variable in which the app is told their ARN. */
  readonly secrets?: Record<string, string>;
  /** The lock of the environment that the server is of. @default - the tests' own */
  readonly serverLock?: PythonLock;
  /** How many workers of each type. */
  readonly workers?: number;
  /** What images hold, where it is more than the tests' Python environment, and for Prefect's own image what that holds. */
  readonly images?: StandInOptions['images'];
  /** TypeScript file of the CDK app, from the root of the repository. */
  readonly app?: string;
  /** What else the app is told. */
  readonly environment?: Record<string, string>;
  /** How much faster AWS's own times pass. */
  readonly timeScale?: number;
  /** Whether workers and functions reach the server through a gate that a test can shut. */
  readonly gate?: boolean;
  readonly onProgress?: (line: string) => void;
}

/** A local AWS with a bootstrapped account, a real Prefect server, and the secret by which they know each other. */
export interface Live {
  readonly standIn: StandIn;
  readonly server: PrefectServer;
  readonly prefect: Prefect;
  readonly deployment: Deployment;
  /** What secrets hold: the API keys or the authentication string, and the header's value. */
  readonly credentials: readonly string[];
  /** The proxy that demands a header, where there is one. */
  readonly headerProxy?: HeaderProxy;
  /** The proxy in Prefect Cloud's shape, where there is one. */
  readonly proxy?: CloudProxy;
  /** The way to the server, where it can be shut. */
  readonly gate?: Gate;
  stop(): Promise<void>;
}

/** The server's own times, shorter than the defaults so that tests end: after 300 seconds, it has the task of a run that stays Cancelling stopped. */
const COMPRESSED_TIME = { PREFECT_SERVER_SERVICES_CANCELLATION_CLEANUP_CANCELLING_TIMEOUT_SECONDS: '20' };

/** In Prefect Cloud, of a service account that may work and no more. What manages the pool has one of its own. */
const WORKER_KEY = `pnu_${'w'.repeat(36)}`;

const CLOUD_ACCOUNT = '11111111-2222-3333-4444-555555555555';
const CLOUD_WORKSPACE = '66666666-7777-8888-9999-000000000000';

export async function startLive(options: LiveOptions): Promise<Live> {
  const { onProgress } = options;
  const cloud = options.api === 'cloud';
  const credential = cloud ? 'pnu_1hA9sQbD7xKfV3mZtY5cR8wNpL2gE6jU0oTi' : options.authString === false ? undefined : 'admin:a "pass" word';
  const started: { stop(): Promise<void> }[] = [];
  const stop = async () => {
    for (const part of started.reverse()) await part.stop();
  };

  try {
    const start = async <T extends { stop(): Promise<void> }>(part: Promise<T>) => {
      started.push(await part);
      return part;
    };
    // As the official one: without prefect-aws, which each process would load.
    const official = await pythonEnvironment(onProgress, 'server');
    const images = { [FLOW_RUN_IMAGE]: { path: [official.bin] }, ...options.images };
    const [standIn, server] = await Promise.all([
      start(startStandIn({ onProgress, images, timeScale: options.timeScale })).then(async aws => {
        await bootstrap(aws);
        return aws;
      }),
      start(startPrefectServer({
        authString: cloud ? undefined : credential, environment: COMPRESSED_TIME, lock: options.serverLock, database: 'postgres', onProgress,
      })),
    ]);
    const proxy = cloud
      ? await start(startCloudProxy({
        serverUrl: server.apiUrl, apiKey: credential!, workerApiKey: WORKER_KEY, accountId: CLOUD_ACCOUNT, workspaceId: CLOUD_WORKSPACE,
      }))
      : undefined;
    const { header } = options;
    const headerProxy = header ? await start(startHeaderProxy(server.apiUrl, header)) : undefined;
    const secretArn = credential && await createSecret(standIn, cloud ? WORKER_KEY : credential);
    const managementParameter = cloud && await createParameter(standIn, credential!);
    const headersArn = header && await createSecret(standIn, JSON.stringify({ [header.name]: header.value }));
    const otherArns: Record<string, string> = {};
    for (const [name, value] of Object.entries(options.secrets ?? {})) otherArns[name] = await createSecret(standIn, value);
    const output = await mkdtemp(join(tmpdir(), 'cdk.out-'));
    started.push({ stop: () => rm(output, { recursive: true, force: true }) });

    const gate = options.gate ? await start(openGate(server.apiUrl)) : undefined;
    const apiUrl = proxy?.apiUrl ?? gate?.apiUrl ?? headerProxy?.apiUrl ?? server.apiUrl;
    const authorization = cloud ? `Bearer ${credential}` : `Basic ${Buffer.from(credential ?? '').toString('base64')}`;
    return {
      standIn,
      server,
      credentials: [credential, cloud ? WORKER_KEY : undefined, header?.value].filter(value => value !== undefined),
      headerProxy,
      proxy,
      gate,
      // The test's own hand goes past the gate and the proxy.
      prefect: new Prefect(proxy?.apiUrl ?? server.apiUrl, { authorization }),
      deployment: {
        app: options.app ?? APP,
        output,
        environment: {
          API_URL: apiUrl,
          ...(secretArn && { SECRET_ARN: secretArn }),
          ...(headersArn && { HEADERS_ARN: headersArn }),
          ...otherArns,
          WORKERS: `${options.workers ?? 1}`,
          ...(managementParameter && { CLOUD_ACCOUNT, CLOUD_WORKSPACE, MANAGEMENT_PARAMETER: managementParameter }),
          ...options.environment,
        },
        onProgress,
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** An SSM parameter, of which it gives the name. */
async function createParameter(standIn: StandIn, value: string): Promise<string> {
  const Name = `/prefect/${Date.now()}`;
  await new SSMClient(clientConfiguration(standIn)).send(new PutParameterCommand({ Name, Value: value, Type: 'SecureString' }));
  return Name;
}

export async function createSecret(standIn: StandIn, value: string): Promise<string> {
  const { ARN } = await new SecretsManagerClient(clientConfiguration(standIn))
    .send(new CreateSecretCommand({ Name: `prefect-${randomUUID()}-secret`, SecretString: value }));
  return ARN!;
}
