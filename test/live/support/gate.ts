import { connect, createServer, Server, Socket } from 'node:net';

/** A way to a server that can be shut: connections break, new ones are refused. */
export interface Gate {
  readonly apiUrl: string;
  shut(): Promise<void>;
  open(): Promise<void>;
  /** Has the server refuse what workers ask it for, flow runs, or no more. */
  refusePolls(refuse: boolean): void;
  stop(): Promise<void>;
}

export async function openGate(serverUrl: string): Promise<Gate> {
  const { hostname, port: serverPort, pathname } = new URL(serverUrl);
  const sockets = new Set<Socket>();
  let port = 0;
  let server: Server | undefined;
  let refusing = false;

  const open = () => new Promise<void>((resolve, reject) => {
    if (server?.listening) return resolve();
    server = createServer(client => {
      const upstream = connect(Number(serverPort), hostname);
      client.on('data', request => {
        if (!refusing || !request.includes('get_scheduled_flow_runs')) return;
        upstream.unpipe(client);
        client.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
      });
      for (const [from, to] of [[client, upstream], [upstream, client]]) {
        sockets.add(from);
        from.pipe(to);
        from.on('error', () => to.destroy()).on('close', () => { sockets.delete(from); to.destroy(); });
      }
    });
    server.once('error', reject).listen(port, '127.0.0.1', () => {
      const address = server!.address();
      port = address !== null && typeof address === 'object' ? address.port : port;
      resolve();
    });
  });
  const shut = () => new Promise<void>(resolve => {
    server!.close(() => resolve());
    sockets.forEach(socket => socket.destroy());
  });

  await open();
  return {
    apiUrl: `http://127.0.0.1:${port}${pathname}`,
    open,
    shut,
    refusePolls: refuse => { refusing = refuse; },
    stop: async () => { if (server?.listening) await shut(); },
  };
}
