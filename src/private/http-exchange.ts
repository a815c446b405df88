import * as http from 'node:http';
import * as https from 'node:https';
import type { Socket } from 'node:net';

/** Seconds that one request may take. */
const REQUEST_SECONDS = 10;

export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: { readonly [name: string]: string };
  readonly body?: string;
  /** PEM of the one certificate authority to trust, where it isn't a public one. */
  readonly ca?: string;
  /** URL of an HTTP proxy. */
  readonly proxy?: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
  readonly location?: string;
  readonly retryAfter?: string;
}

/**
 * One request and its answer, whatever its status. Throws the reason where there is none.
 *
 * Not by `fetch`: without the package undici, which AWS Lambda's Node.js doesn't have, it takes neither a certificate authority for
 * one request nor a proxy.
 */
export async function exchange({ method, url, headers, body, ca, proxy }: HttpRequest): Promise<HttpAnswer> {
  const signal = AbortSignal.timeout(REQUEST_SECONDS * 1000);
  try {
    const options = { method, headers, signal };
    if (new URL(url).protocol === 'http:') {
      // A proxy is told the whole address, and passes the request on.
      return await send(proxy === undefined
        ? http.request(url, options)
        : http.request(proxy, { ...options, path: url, headers: { ...headers, host: new URL(url).host } }), body);
    }
    // A connection of its own: no agent keeps what goes through a tunnel.
    const through = proxy === undefined ? {} : { agent: new https.Agent(), socket: await tunnel(proxy, new URL(url), signal) };
    return await send(https.request(url, { ...options, ca, ...through }), body);
  } catch (cause) {
    const { name, message, code } = cause as NodeJS.ErrnoException;
    throw new Error(name === 'TimeoutError' || name === 'AbortError' ? `no answer within ${REQUEST_SECONDS} s` : message || code);
  }
}

function send(request: http.ClientRequest, body?: string): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    request.on('response', response => {
      const chunks: Buffer[] = [];
      response.on('data', chunk => chunks.push(chunk));
      response.on('end', () => resolve({
        status: response.statusCode ?? 0,
        text: Buffer.concat(chunks).toString('utf8'),
        location: response.headers.location,
        retryAfter: response.headers['retry-after'],
      }));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** A connection that the proxy passes on without looking into it. */
function tunnel(proxy: string, { hostname, port }: URL, signal: AbortSignal): Promise<Socket> {
  const target = `${hostname}:${port || 443}`;
  return new Promise((resolve, reject) => {
    const request = http.request(proxy, { method: 'CONNECT', path: target, headers: { host: target }, signal });
    request.on('connect', (response, socket) => {
      if (response.statusCode === 200) return resolve(socket);
      socket.destroy();
      reject(new Error(`the proxy ${proxy} answered ${response.statusCode} to CONNECT ${target}`));
    });
    request.on('error', cause => reject(new Error(`the proxy ${proxy}: ${cause.message}`, { cause })));
    request.end();
  });
}
