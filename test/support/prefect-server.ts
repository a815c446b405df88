import { readFileSync } from 'node:fs';
import { createServer, IncomingMessage, Server, ServerResponse } from 'node:http';
import { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { BaseJobTemplate } from '../../src/work-pool/base-job-template';

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body?: any;
}

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

type Stored = Record<string, any>;

const template = (type: string) => JSON.parse(readFileSync(join(__dirname, 'templates', `${type}.json`), 'utf8'));

/** What the Prefect server of the tests offers for the two types of pools, as it is. */
export const OFFERED: { readonly ecs: BaseJobTemplate; readonly process: BaseJobTemplate } = { ecs: template('ecs'), process: template('process') };

/** A small server on the loopback that speaks the part of Prefect's API that the work pool needs, and Secrets Manager. */
export class PrefectServer {
  public static async start(): Promise<PrefectServer> {
    const server = new PrefectServer();
    await new Promise<void>(resolve => server.http.listen(0, '127.0.0.1', resolve));
    return server;
  }

  public readonly requests: Request[] = [];
  public readonly pools = new Map<string, Stored>();
  public readonly queues = new Map<string, Stored>();
  /** Blocks of the type s3-bucket by their name. */
  public readonly blocks = new Map<string, Stored>();
  /** Automations by their id. */
  public readonly automations = new Map<string, Stored>();
  /** Values by the secret's ARN. */
  public readonly secrets = new Map<string, string>();
  /** The server's version, where it tells. */
  public version?: string = '3.9.1';
  /** The Authorization header without which each request is refused. */
  public authorization?: string;
  /** Answers instead of the server where it gives one. */
  public instead?: (request: Request) => Answer | undefined;

  private environment?: NodeJS.ProcessEnv;
  private readonly http: Server = createServer((request, response) => void this.serve(request, response));

  public get origin(): string {
    return `http://127.0.0.1:${(this.http.address() as AddressInfo).port}`;
  }

  /** Lets this process' AWS clients ask this server. `stop` gives all variables the values back that they have now. */
  public standInForAws(): void {
    this.environment = { ...process.env };
    Object.assign(process.env, {
      AWS_ENDPOINT_URL: this.origin,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    });
  }

  public stop(): Promise<void> {
    if (this.environment) process.env = this.environment;
    this.http.closeAllConnections();
    return new Promise(resolve => this.http.close(() => resolve()));
  }

  /** Requests to the Prefect API as `METHOD path`. */
  public get calls(): string[] {
    return this.requests.map(({ method, path }) => `${method} ${path}`);
  }

  /** The body of the one request with this method and path. */
  public sent(method: string, path: string): any {
    const [found, ...others] = this.requests.filter(request => request.method === method && request.path === path);
    if (!found || others.length > 0) throw new Error(`${method} ${path} is not once among ${this.calls.join(', ')}`);
    return found.body;
  }

  private async serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const request: Request = { method: incoming.method!, path: incoming.url!, headers: incoming.headers, body: text ? JSON.parse(text) : undefined };
    const { status, body, headers } = this.answer(request);
    outgoing.writeHead(status, { 'content-type': 'application/json', ...headers });
    outgoing.end(body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body));
  }

  private answer(request: Request): Answer {
    if (request.headers['x-amz-target'] === 'secretsmanager.GetSecretValue') return this.secret(request);
    if (request.headers['x-amz-target'] === 'AmazonSSM.GetParameter') return this.parameter(request);
    this.requests.push(request);
    const other = this.instead?.(request);
    if (other) return other;
    if (this.authorization && request.headers.authorization !== this.authorization) return { status: 401, body: { detail: 'Unauthorized' } };
    return this.prefect(request);
  }

  /** A secret is there only in its region, and in the version that its id in `secrets` ends in. */
  private secret({ headers, body }: Request): Answer {
    const id: string = body.SecretId;
    const value = regionOf(headers) === id.split(':')[3] ? this.secrets.get([id, body.VersionStage, body.VersionId].filter(part => part !== undefined).join('@')) : undefined;
    if (value === undefined) return { status: 400, body: { __type: 'ResourceNotFoundException', message: 'Secrets Manager can\'t find the specified secret.' } };
    return { status: 200, body: { ARN: id, Name: id, SecretString: value, CreatedDate: Math.floor(Date.now() / 1000) - 10 } };
  }

  /** In clear only where that is asked for, as of a SecureString. */
  private parameter({ headers, body }: Request): Answer {
    const arn: string = body.Name;
    const value = regionOf(headers) === arn.split(':')[3] ? this.secrets.get(arn) : undefined;
    if (value === undefined) return { status: 400, body: { __type: 'ParameterNotFound' } };
    const Value = body.WithDecryption ? value : `encrypted ${value.length}`;
    return { status: 200, body: { Parameter: { ARN: arn, Type: 'SecureString', Value, LastModifiedDate: Math.floor(Date.now() / 1000) - 10 } } };
  }

  private prefect({ method, path, body }: Request): Answer {
    const route = path.replace(/^.*?(?=\/(work_pools|collections|automations|block_types|block_schemas|block_documents)\/)/, '');
    if (/^\/collections\/(work_pool_types|views\/aggregate-worker-metadata)$/.test(route)) {
      return { status: 200, body: { prefect: { process: offer('process') }, ['prefect-aws']: { ecs: offer('ecs') } } };
    }
    if (path.endsWith('/admin/version')) return this.version === undefined ? { status: 404, body: { detail: 'Not Found' } } : { status: 200, body: `"${this.version}"` };
    if (route.startsWith('/block_')) return this.block(route, method, body);
    if (route.startsWith('/automations/')) return this.automation(route.split('/')[2], method, body);
    const [, , name, kind, queue] = route.split('/').map(decodeURIComponent);
    if (name === '') return this.post(this.pools, body.name, body);
    if (!this.pools.has(name)) return { status: 404, body: { detail: `Worker pool ${JSON.stringify(name)} not found.` } };
    if (kind === undefined) return this.item(this.pools, name, method, body);
    if (queue === undefined) return this.post(this.queues, `${name}/${body.name}`, body);
    return this.item(this.queues, `${name}/${queue}`, method, body);
  }

  private block(route: string, method: string, body: Stored): Answer {
    const [, kind, id, , , , name] = route.split('/');
    if (kind === 'block_schemas') {
      return { status: 200, body: body.block_schemas.block_type_id.any_.includes('s3-bucket-type') ? [{ id: 's3-bucket-schema' }] : [] };
    }
    if (kind === 'block_types') {
      const found = name === undefined ? { id: 's3-bucket-type' } : this.blocks.get(name);
      return found ? { status: 200, body: found } : { status: 404, body: { detail: 'Block document not found' } };
    }
    if (id !== '') {
      const key = id.replace('id-of-', '');
      const { merge_existing_data: merge = true, data } = body ?? {};
      return this.item(this.blocks, key, method, { data: { ...merge && this.blocks.get(key)?.data, ...data } });
    }
    if (!/^[a-z0-9-]+$/.test(body.name) || body.block_type_id !== 's3-bucket-type' || body.block_schema_id !== 's3-bucket-schema') {
      return { status: 422, body: { detail: 'Block document name must only contain lowercase letters, numbers, and dashes.' } };
    }
    return this.post(this.blocks, body.name, body);
  }

  private automation(id: string, method: string, body: Stored): Answer {
    if (id === 'filter') {
      const names: string[] = body.automations.name.any_;
      return { status: 200, body: [...this.automations.values()].filter(({ name }) => names.includes(name)) };
    }
    return id === '' ? this.post(this.automations, `${this.automations.size}`, body) : this.item(this.automations, id.replace('id-of-', ''), method, body);
  }

  private post(store: Map<string, Stored>, key: string, body: Stored): Answer {
    if (store.has(key)) return { status: 409, body: { detail: `${key} already exists.` } };
    store.set(key, { id: `id-of-${key}`, description: null, is_paused: false, concurrency_limit: null, ...body });
    return { status: 201, body: store.get(key) };
  }

  private item(store: Map<string, Stored>, key: string, method: string, body: Stored): Answer {
    const stored = store.get(key);
    if (!stored) return { status: 404, body: { detail: `${key} not found.` } };
    if (method === 'GET') return { status: 200, body: stored };
    if (method === 'DELETE') store.delete(key);
    else store.set(key, { ...stored, ...body });
    return { status: 204 };
  }
}

/** The region for which a request to AWS is signed. */
function regionOf(headers: Request['headers']): string | undefined {
  return /Credential=[^/]+\/\d+\/([^/]+)\//.exec(headers.authorization ?? '')?.[1];
}

function offer(type: keyof typeof OFFERED) {
  return { type, default_base_job_configuration: OFFERED[type] };
}
