import { connect, createServer, Socket } from 'node:net';
import { Recorder } from './recorder';
import type { HttpRequest } from '../../server/web-acl';
import { StandIn } from '../../stand-in/stand-in';

const LOOK_EVERY_MS = 250;

/** Stands for the name by which clients find the tasks of a service, and for the load balancer before them. */
export interface Balancer {
  readonly port: number;
  /** What came by. */
  readonly requests: readonly HttpRequest[];
  /** Ports on this machine of the tasks that it sends connections to. */
  targets(): readonly number[];
  stop(): Promise<void>;
}

/** Sends each connection to the next of the tasks that are healthy, of services whose names match. */
export async function startBalancer(standIn: () => StandIn, service: RegExp): Promise<Balancer> {
  let targets: number[] = [];
  let next = 0;
  const sockets = new Set<Socket>();
  const recorder = new Recorder();
  const look = async () => {
    const tasks = await standIn().tasks().catch(() => []);
    targets = tasks
      .filter(({ group, lastStatus, desiredStatus, healthStatus }) =>
        service.test(group) && lastStatus === 'RUNNING' && desiredStatus === 'RUNNING' && healthStatus === 'HEALTHY')
      .flatMap(({ containers }) => containers.flatMap(({ networkBindings }) => networkBindings.map(({ hostPort }) => hostPort)).slice(0, 1));
  };
  const timer = setInterval(() => void look(), LOOK_EVERY_MS);
  const server = createServer(client => {
    if (targets.length === 0) return void client.destroy();
    recorder.readAlong(client);
    const upstream = connect(targets[next++ % targets.length], '127.0.0.1');
    for (const [from, to] of [[client, upstream], [upstream, client]]) {
      sockets.add(from);
      from.pipe(to);
      from.on('error', () => to.destroy()).on('close', () => { sockets.delete(from); to.destroy(); });
    }
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as { port: number }).port,
    targets: () => targets,
    requests: recorder.requests,
    stop: () => new Promise(resolve => {
      clearInterval(timer);
      server.close(() => resolve());
      sockets.forEach(socket => socket.destroy());
    }),
  };
}
