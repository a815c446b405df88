import { createServer, IncomingHttpHeaders } from 'node:http';
import { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';

export interface ReceivedTraces {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Protocol Buffers keep strings as they are, so names and ids can be looked for. */
  readonly text: string;
}

/** A receiver of OTLP over HTTP that demands a header, as a vendor's does. */
export interface OtlpReceiver {
  readonly url: string;
  readonly received: readonly ReceivedTraces[];
  /** The headers of requests without the right one. */
  readonly refused: readonly IncomingHttpHeaders[];
  stop(): Promise<void>;
}

export async function startOtlpReceiver(header?: { readonly name: string; readonly value: string }): Promise<OtlpReceiver> {
  const received: ReceivedTraces[] = [];
  const refused: IncomingHttpHeaders[] = [];
  const server = createServer(async (request, response) => {
    const { url, headers } = request;
    const body = await buffer(request);
    if (header && headers[header.name.toLowerCase()] !== header.value) {
      refused.push(headers);
      response.writeHead(401).end();
      return;
    }
    received.push({ path: url!, headers, text: (headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString('utf8') });
    response.end();
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    refused,
    stop: () => new Promise(resolve => {
      server.close(() => resolve());
      server.closeAllConnections();
    }),
  };
}
