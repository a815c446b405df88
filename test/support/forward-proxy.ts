import { createServer, IncomingMessage, request as httpRequest, ServerResponse } from 'node:http';
import { AddressInfo, connect, isIP, Socket } from 'node:net';
import type { Duplex } from 'node:stream';

export interface ForwardProxy {
  /** For `HTTP_PROXY` and `HTTPS_PROXY`. */
  readonly url: string;
  /** What it was asked for, as `GET prefect.example.com:4200/api/health` and `CONNECT sts.amazonaws.com:443`, in the order of arrival. */
  readonly asked: string[];
  /** What of that it refused. */
  readonly refused: string[];
  stop(): Promise<void>;
}

/**
 * A forward proxy as companies have: requests with a whole URL over plain HTTP, tunnels by CONNECT. It is on another machine, where the
 * loopback and link-local addresses of whoever asks mean nothing, so it refuses them.
 *
 * @param hosts names that only the proxy can resolve, each with the port on this machine that stands for it
 */
export async function startForwardProxy(hosts: { readonly [name: string]: number } = {}): Promise<ForwardProxy> {
  const [asked, refused] = [[] as string[], [] as string[]];
  const sockets = new Set<Duplex>();

  const targetOf = (question: string, { hostname, port }: { hostname: string; port: number }) => {
    asked.push(question);
    if (hostname in hosts) return { hostname: '127.0.0.1', port: hosts[hostname] };
    const unreachable = hostname === 'localhost' || isIP(hostname) && /^(127\.|169\.254\.)/.test(hostname);
    if (!unreachable) return { hostname, port };
    refused.push(question);
    return undefined;
  };

  const proxy = createServer((incoming: IncomingMessage, outgoing: ServerResponse) => {
    const url = URL.canParse(incoming.url!) ? new URL(incoming.url!) : undefined;
    if (!url) {
      outgoing.writeHead(400).end('a proxy is asked for a whole URL');
      return;
    }
    const port = Number(url.port) || 80;
    const target = targetOf(`${incoming.method} ${url.hostname}:${port}${url.pathname}`, { hostname: url.hostname, port });
    if (!target) {
      outgoing.writeHead(403).end('not from here');
      return;
    }
    const { 'proxy-connection': _, ...headers } = incoming.headers;
    const passed = httpRequest({ ...target, method: incoming.method, path: `${url.pathname}${url.search}`, headers }, answer => {
      outgoing.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(outgoing);
    });
    passed.on('error', error => { outgoing.headersSent ? outgoing.destroy() : outgoing.writeHead(502).end(error.message); });
    incoming.pipe(passed);
  });
  proxy.on('connect', (incoming: IncomingMessage, client: Duplex, head: Buffer) => {
    const [, hostname, port] = /^\[?(.+?)\]?:(\d+)$/.exec(incoming.url!) ?? [];
    const target = targetOf(`CONNECT ${incoming.url}`, { hostname, port: Number(port) });
    if (!target) {
      client.end('HTTP/1.1 403 Forbidden\r\n\r\n');
      return;
    }
    const upstream = connect(target.port, target.hostname, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.write(head);
      client.pipe(upstream).pipe(client);
    });
    for (const [one, other] of [[client, upstream], [upstream, client]]) one.on('error', () => other.destroy()).on('close', () => other.destroy());
  });
  proxy.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });

  await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    asked,
    refused,
    stop() {
      for (const socket of sockets) socket.destroy();
      return new Promise<void>(resolve => proxy.close(() => resolve()));
    },
  };
}
