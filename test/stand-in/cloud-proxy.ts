import { IncomingMessage, createServer, request as httpRequest } from 'node:http';
import { AddressInfo, Socket, connect } from 'node:net';

export interface CloudProxyOptions {
  /** `apiUrl` of a Prefect server. */
  readonly serverUrl: string;
  /** Key of a service account with the role Developer. */
  readonly apiKey: string;
  /** Key of one with the role Worker, where there is one. */
  readonly workerApiKey?: string;
  readonly accountId: string;
  readonly workspaceId: string;
  /** User and password of the server behind, if it has them. */
  readonly serverAuthString?: string;
}

export interface CloudRequest {
  readonly time: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
}

export interface CloudProxy {
  /** In Prefect Cloud's shape: `.../api/accounts/<account>/workspaces/<workspace>`. */
  readonly apiUrl: string;
  /** For `PREFECT_CLOUD_API_URL`, by which Prefect's client knows that `apiUrl` is Prefect Cloud. */
  readonly cloudApiUrl: string;
  /** Filled as requests are answered. */
  readonly requests: CloudRequest[];
  stop(): Promise<void>;
}

/** Prefect Cloud's addresses and its bearer key in front of a real server. */
export async function startCloudProxy(options: CloudProxyOptions): Promise<CloudProxy> {
  const server = new URL(options.serverUrl);
  const workspace = `/api/accounts/${options.accountId}/workspaces/${options.workspaceId}`;
  const requests: CloudRequest[] = [];
  const sockets = new Set<Socket>();

  // Prefect's client writes the scheme of events in lower case.
  const keyOf = (incoming: IncomingMessage) => incoming.headers.authorization?.replace(/^bearer /i, '');
  const hasKey = (incoming: IncomingMessage) => [options.apiKey, options.workerApiKey].some(key => key !== undefined && key === keyOf(incoming));
  const refusal = (incoming: IncomingMessage): { status: number; body: object } | undefined => {
    if (!hasKey(incoming)) {
      return { status: 401, body: { detail: 'Invalid authentication credentials' } };
    }
    const path = incoming.url!.split('?')[0];
    if (path !== workspace && !path.startsWith(`${workspace}/`)) {
      return { status: 404, body: { detail: 'Not Found' } };
    }
    if (keyOf(incoming) === options.workerApiKey && !mayWorker(incoming.method!, path.slice(workspace.length))) {
      return { status: 403, body: { detail: 'Forbidden' } };
    }
    return undefined;
  };
  const behind = (incoming: IncomingMessage) => {
    const path = incoming.url!.slice(workspace.length);
    // The one view that Prefect Cloud has in another place than a server.
    return `${server.pathname.replace(/\/$/, '')}${path === '/collections/work_pool_types' ? '/collections/views/aggregate-worker-metadata' : path}`;
  };
  const headersFor = (incoming: IncomingMessage) => {
    const { authorization: _, ...headers } = incoming.headers;
    const credentials = options.serverAuthString === undefined
      ? {}
      : { authorization: `Basic ${Buffer.from(options.serverAuthString).toString('base64')}` };
    return { ...headers, ...credentials, host: server.host };
  };
  const record = (incoming: IncomingMessage, status: number) =>
    requests.push({ time: new Date().toISOString(), method: incoming.method!, path: incoming.url!, status });

  const proxy = createServer((incoming, outgoing) => {
    const refused = refusal(incoming);
    if (refused !== undefined) {
      incoming.resume();
      record(incoming, refused.status);
      outgoing.writeHead(refused.status, { 'content-type': 'application/json' }).end(JSON.stringify(refused.body));
      return;
    }
    const passed = httpRequest(
      { hostname: server.hostname, port: server.port, method: incoming.method, path: behind(incoming), headers: headersFor(incoming) },
      (answer) => {
        record(incoming, answer.statusCode!);
        outgoing.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(outgoing);
      },
    );
    passed.on('error', (error) => {
      record(incoming, 502);
      outgoing.writeHead(502, { 'content-type': 'application/json' }).end(JSON.stringify({ detail: `no answer from the Prefect server: ${error.message}` }));
    });
    incoming.pipe(passed);
  });

  // Events and logs. Who sends events gives the key in a header, who subscribes gives it in the first message,
  // which the server behind accepts whatever it says: only a wrong header is refused.
  proxy.on('upgrade', (incoming: IncomingMessage, client: Socket, head: Buffer) => {
    const path = incoming.url!.split('?')[0];
    if (!path.startsWith(`${workspace}/`) || (incoming.headers.authorization !== undefined && !hasKey(incoming))) {
      record(incoming, 401);
      client.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n');
      return;
    }
    const upstream = connect(Number(server.port), server.hostname, () => {
      const lines = Object.entries(headersFor(incoming)).map(([name, value]) => `${name}: ${String(value)}`);
      upstream.write(`${incoming.method} ${behind(incoming)} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
      upstream.write(head);
      record(incoming, 101);
      client.pipe(upstream).pipe(client);
    });
    for (const [one, other] of [[client, upstream], [upstream, client]]) {
      sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  });

  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const { port } = proxy.address() as AddressInfo;
  return {
    apiUrl: `http://127.0.0.1:${port}${workspace}`,
    cloudApiUrl: `http://127.0.0.1:${port}/api`,
    requests,
    async stop() {
      for (const socket of sockets) {
        socket.destroy();
      }
      proxy.closeAllConnections();
      await new Promise<void>((resolve) => proxy.close(() => resolve()));
    },
  };
}

/**
 * Whether the role Worker, "the minimum scopes required for a worker to poll for and submit work", covers a request. It reads work pools and
 * tells that a worker lives; to create, edit and delete pools and queues, and to see automations, is for Developer.
 *
 * @see https://docs.prefect.io/v3/how-to-guides/cloud/manage-users/manage-roles
 */
function mayWorker(method: string, path: string): boolean {
  if (path.startsWith('/automations')) return false;
  if (!path.startsWith('/work_pools')) return true;
  return method === 'GET' || /\/(filter|heartbeat|get_scheduled_flow_runs|count)$/.test(path);
}
