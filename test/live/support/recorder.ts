import { createServer, IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { HttpRequest } from '../../server/web-acl';

/** Reads along what clients send, without taking part: a server that nobody is connected to understands a copy of their bytes. */
export class Recorder {
  public readonly requests: HttpRequest[] = [];
  private readonly http = createServer((request, response) => void this.note(request).then(() => response.end()))
    // What follows a WebSocket's first request is no HTTP.
    .on('upgrade', request => void this.requests.push({ method: request.method!, url: request.url!, headers: flat(request), body: '' }))
    .on('clientError', () => undefined);

  public readAlong(client: Socket): void {
    const copy = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
    client.on('data', chunk => copy.push(chunk)).on('close', () => copy.push(null)).on('error', () => copy.destroy());
    copy.on('error', () => undefined);
    this.http.emit('connection', copy);
  }

  private async note(request: IncomingMessage): Promise<void> {
    let body = '';
    for await (const chunk of request) body += chunk;
    this.requests.push({ method: request.method!, url: request.url!, headers: flat(request), body });
  }
}

function flat({ headers }: IncomingMessage): HttpRequest['headers'] {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join('; ') : value]));
}
