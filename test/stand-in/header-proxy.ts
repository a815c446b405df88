import { createServer, IncomingMessage, request as httpRequest } from 'node:http';
import { AddressInfo, connect, Socket } from 'node:net';

export interface HeaderProxy {
  readonly apiUrl: string;
  /** Requests that were refused for want of the header, as `method path`. */
  readonly refused: string[];
  stop(): Promise<void>;
}

/** A proxy with tokens of its own in front of a Prefect server: it lets through what has its header, and answers 407 to the rest. */
export async function startHeaderProxy(serverUrl: string, header: { readonly name: string; readonly value: string }): Promise<HeaderProxy> {
  const server = new URL(serverUrl);
  const refused: string[] = [];
  const sockets = new Set<Socket>();
  const isAllowed = (incoming: IncomingMessage) => {
    const allowed = incoming.headers[header.name.toLowerCase()] === header.value;
    if (!allowed) refused.push(`${incoming.method} ${incoming.url}`);
    return allowed;
  };
  const proxy = createServer((incoming, outgoing) => {
    if (!isAllowed(incoming)) {
      incoming.resume();
      outgoing.writeHead(407, { 'content-type': 'application/json' }).end(JSON.stringify({ detail: `no ${header.name}` }));
      return;
    }
    const { [header.name.toLowerCase()]: _, ...headers } = incoming.headers;
    const { hostname, port, host } = server;
    const passed = httpRequest({ hostname, port, method: incoming.method, path: incoming.url, headers: { ...headers, host } }, answer => {
      outgoing.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(outgoing);
    });
    passed.on('error', () => outgoing.writeHead(502).end());
    incoming.pipe(passed);
  });
  proxy.on('upgrade', (incoming: IncomingMessage, client: Socket, head: Buffer) => {
    if (!isAllowed(incoming)) return void client.end('HTTP/1.1 407 Proxy Authentication Required\r\nconnection: close\r\n\r\n');
    const upstream = connect(Number(server.port), server.hostname, () => {
      const lines = Object.entries({ ...incoming.headers, host: server.host }).map(([name, value]) => `${name}: ${String(value)}`);
      upstream.write(`GET ${incoming.url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
      upstream.write(head);
      client.pipe(upstream).pipe(client);
    });
    for (const [one, other] of [[client, upstream], [upstream, client]]) {
      sockets.add(one);
      one.on('error', () => other.destroy()).on('close', () => { sockets.delete(one); other.destroy(); });
    }
  });
  await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve));
  return {
    apiUrl: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}${server.pathname}`,
    refused,
    async stop() {
      sockets.forEach(socket => socket.destroy());
      proxy.closeAllConnections();
      await new Promise<void>(resolve => proxy.close(() => resolve()));
    },
  };
}
