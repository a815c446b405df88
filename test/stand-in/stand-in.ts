import { spawn } from 'node:child_process';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { createInterface } from 'node:readline';
import { pythonEnvironment } from '../python/environment';

const REPOSITORY = path.resolve(__dirname, '..', '..');
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 15_000;

export const ACCOUNT = '123456789012';
export const REGION = 'us-east-1';

/** A request that the stand-in has answered. */
export interface AwsCall {
  readonly time: string;
  /** The name under which requests are signed: `ecs`, `sqs`, `logs`, `secretsmanager`. */
  readonly service: string;
  readonly action: string;
  readonly region: string;
  readonly parameters: Record<string, any>;
  readonly caller: AwsCaller;
  readonly status: number;
}

export interface AwsCaller {
  /** `user` is whoever has the credentials of `environment`, and CloudFormation on their behalf. */
  readonly kind: 'task' | 'lambda' | 'role' | 'user';
  /** ARN of the role whose credentials were used. */
  readonly role?: string;
  readonly task?: string;
  readonly function?: string;
}

/** A task as `DescribeTasks` gives it; times are ISO texts. Stopped tasks stay in the list. */
export interface TaskInfo {
  readonly taskArn: string;
  readonly clusterArn: string;
  readonly taskDefinitionArn: string;
  readonly group: string;
  readonly lastStatus: string;
  readonly desiredStatus: string;
  readonly healthStatus: 'HEALTHY' | 'UNHEALTHY' | 'UNKNOWN';
  readonly stopCode?: string;
  readonly stoppedReason?: string;
  readonly startedBy: string;
  readonly createdAt: string;
  readonly startedAt?: string;
  readonly stoppingAt?: string;
  readonly stoppedAt?: string;
  readonly tags: { readonly key: string; readonly value: string }[];
  readonly containers: ContainerInfo[];
  readonly overrides: Record<string, any>;
}

export interface ContainerInfo {
  readonly name: string;
  readonly image: string;
  readonly lastStatus: string;
  readonly healthStatus: string;
  /** The task's own ports on this machine, by those of its image: see `ImageContent.ports`. */
  readonly networkBindings: { readonly containerPort: number; readonly hostPort: number }[];
  readonly exitCode?: number;
  readonly reason?: string;
}

/** What keeps new tasks from starting. */
export interface Hindrance {
  /**
   * `unplaced`: they find no place, and stay PROVISIONING until they are stopped. `refused`: RunTask takes none, and gives the
   * reason. `failed`: they stop for the reason before they have containers. `unpulled`: they stop because no image can be pulled.
   */
  readonly how: 'unplaced' | 'refused' | 'failed' | 'unpulled';
  readonly reason?: string;
  /** @default - tasks on any capacity provider, and on none */
  readonly capacityProvider?: 'FARGATE' | 'FARGATE_SPOT';
  /** How many tasks. @default - all */
  readonly times?: number;
}

export interface StandIn {
  readonly endpoint: string;
  /** Logs of containers (`tasks/<id>/<container>.log`) and functions (`lambda/<name>.log`), requests (`calls.jsonl`), the server's own log. */
  readonly directory: string;
  /** For child processes such as the CDK's command line. Lay it over `process.env`, without an `AWS_PROFILE` of yours. */
  readonly environment: Record<string, string>;
  calls(): Promise<AwsCall[]>;
  /** Resource types that stacks have asked for and that exist in name only. */
  skippedResourceTypes(): Promise<string[]>;
  tasks(): Promise<TaskInfo[]>;
  /** What a container of a task has said; nothing where it never started. */
  containerLog(taskArn: string, container: string): Promise<string>;
  /** Takes a task's Spot capacity back: SIGTERM, then SIGKILL after its stop timeout, whether it is protected or not. */
  interruptSpot(taskArn: string): Promise<void>;
  /** Ends a task's processes at once, as where its memory is used up: it says nothing any more. */
  killTask(taskArn: string): Promise<void>;
  /** Keeps tasks from starting that are asked for from now on; without a hindrance, nothing does any more. */
  hinderTasks(hindrance?: Hindrance): Promise<void>;
  /** Ends the stand-in with every task and function that it started. */
  stop(): Promise<void>;
}

/** What an image holds, as far as its containers use it. Images that nothing is known of run with the tests' Python environment. */
export interface ImageContent {
  /** What the image starts where a container says nothing else. */
  readonly entryPoint?: readonly string[];
  /** Directories that come first on the path of programs. */
  readonly path?: readonly string[];
  /** Whether there are no programs but these: the tests' own Python environment is not in this image. */
  readonly nothingElse?: boolean;
  /** What stands for programs of the image in a health check. */
  readonly programs?: { readonly [program: string]: readonly string[] };
  /**
   * Ports that the image listens on. Each task gets its own: `127.0.0.1:<port>` in the variables and commands of its containers, and the
   * argument `<port>`, become a free one, because here tasks share what in AWS each has alone.
   */
  readonly ports?: readonly number[];
}

export interface StandInOptions {
  /** @default - a new directory among the system's temporary ones, removed by `stop` */
  readonly directory?: string;
  /**
   * How much faster AWS's own times pass: health checks, stop timeouts, schedules, visibility timeouts of queues.
   * @default 1
   */
  readonly timeScale?: number;
  /** By the image's whole name, as a container definition has it. */
  readonly images?: { readonly [name: string]: ImageContent };
  /**
   * Ports on this machine that functions reach in the place of public hosts, without TLS.
   * @default - public registries of images that have every name, and nothing in it
   */
  readonly hosts?: { readonly [host: string]: number };
  readonly onProgress?: (line: string) => void;
}

export async function startStandIn(options: StandInOptions = {}): Promise<StandIn> {
  const python = await pythonEnvironment(options.onProgress);
  const directory = options.directory ?? await mkdtemp(path.join(tmpdir(), 'aws-stand-in-'));
  await mkdir(directory, { recursive: true });
  const log = createWriteStream(path.join(directory, 'stand-in.log'), { flags: 'a' });
  const child = spawn(python.python, [path.join(__dirname, 'server.py')], {
    env: {
      PATH: `${python.bin}${path.delimiter}${process.env.PATH}`,
      HOME: directory,
      PYTHONUNBUFFERED: '1',
      STAND_IN_DIRECTORY: directory,
      STAND_IN_NODE_MODULES: process.env.STAND_IN_NODE_MODULES ?? path.join(REPOSITORY, 'node_modules'),
      STAND_IN_TIME_SCALE: String(options.timeScale ?? 1),
      STAND_IN_IMAGES: JSON.stringify(options.images ?? {}),
      STAND_IN_HOSTS: JSON.stringify(options.hosts ?? {}),
    },
    // The server ends when this end of its standard input closes, even if this process is killed.
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  child.stderr.pipe(log);
  const endpoint = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the AWS stand-in did not start within ${START_TIMEOUT_MS / 1000} s; see ${log.path}`)), START_TIMEOUT_MS);
    createInterface(child.stdout).once('line', (line) => {
      clearTimeout(timer);
      resolve(JSON.parse(line).endpoint);
    });
    child.once('error', reject);
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`the AWS stand-in ended with ${code} before it was ready; see ${log.path}`));
    });
  }).catch((error) => {
    child.kill('SIGKILL');
    throw error;
  });
  options.onProgress?.(`the AWS stand-in listens on ${endpoint}; its files are in ${directory}`);

  const ask = async <T>(what: string): Promise<T> => {
    const answer = await fetch(`${endpoint}/_stand-in/${what}`);
    return await answer.json() as T;
  };
  return {
    endpoint,
    directory,
    environment: environmentFor(endpoint, directory),
    calls: () => readCalls(path.join(directory, 'calls.jsonl')),
    skippedResourceTypes: () => ask<string[]>('skipped'),
    tasks: () => ask<TaskInfo[]>('tasks'),
    containerLog: (taskArn, container) =>
      readFile(path.join(directory, 'tasks', taskArn.split('/').pop()!, `${container}.log`), 'utf8').catch(() => ''),
    async interruptSpot(taskArn) {
      await ask(`spot-interruptions/${taskArn.split('/').pop()}`);
    },
    async killTask(taskArn) {
      await ask(`kills/${taskArn.split('/').pop()}`);
    },
    async hinderTasks(hindrance) {
      await fetch(`${endpoint}/_stand-in/hindrance`, { method: 'POST', body: JSON.stringify(hindrance ?? null) });
    },
    async stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      await ended;
      clearTimeout(timer);
      if (options.directory === undefined) {
        await rm(directory, { recursive: true, force: true });
      }
    },
  };
}

function environmentFor(endpoint: string, directory: string): Record<string, string> {
  const nowhere = path.join(directory, 'no-such-profile');
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: 'STANDIN',
    AWS_SECRET_ACCESS_KEY: 'stand-in',
    AWS_SESSION_TOKEN: '',
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_ACCOUNT_ID: ACCOUNT,
    CDK_DEFAULT_ACCOUNT: ACCOUNT,
    CDK_DEFAULT_REGION: REGION,
    AWS_CONFIG_FILE: nowhere,
    AWS_SHARED_CREDENTIALS_FILE: nowhere,
    AWS_EC2_METADATA_DISABLED: 'true',
    CDK_DISABLE_VERSION_CHECK: '1',
    CDK_DISABLE_CLI_TELEMETRY: 'true',
    // Notices are fetched from the internet.
    CDK_NOTICES: 'false',
    // The CDK keeps what it has seen of an account, which differs with every stand-in.
    CDK_HOME: path.join(directory, 'cdk-home'),
    NO_PROXY: '127.0.0.1,localhost',
    no_proxy: '127.0.0.1,localhost',
  };
}

/** What a client of the AWS SDK is given to ask the stand-in. */
export function clientConfiguration({ endpoint, environment }: StandIn) {
  const { AWS_REGION: region, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = environment;
  return { endpoint, region, credentials: { accessKeyId, secretAccessKey } };
}

async function readCalls(file: string): Promise<AwsCall[]> {
  if (!existsSync(file)) {
    return [];
  }
  const calls: AwsCall[] = [];
  for await (const line of createInterface(createReadStream(file, 'utf8'))) {
    calls.push(JSON.parse(line));
  }
  return calls;
}
