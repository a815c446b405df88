import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, IncomingMessage, RequestListener, Server, ServerResponse, request } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { AddressInfo, connect, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PrefectClient } from '../src/private/prefect-client';

const started: Server[] = [];
const sockets = new Set<Socket>();

async function listen(server: Server): Promise<number> {
  started.push(server);
  server.on('connection', socket => sockets.add(socket));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

afterEach(async () => {
  sockets.forEach(socket => socket.destroy());
  sockets.clear();
  await Promise.all(started.splice(0).map(server => new Promise(resolve => server.close(resolve))));
});

/** A forward proxy, which notes what it is asked for. */
async function startProxy(refusal?: number): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const proxy = createServer((incoming, outgoing) => {
    asked.push(`${incoming.method} ${incoming.url}`);
    incoming.pipe(request(incoming.url!, { method: incoming.method, headers: incoming.headers }, answer => {
      outgoing.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(outgoing);
    }));
  });
  proxy.on('connect', (incoming: IncomingMessage, client: Socket) => {
    asked.push(`${incoming.method} ${incoming.url}`);
    if (refusal) {
      client.end(`HTTP/1.1 ${refusal} Refused\r\nconnection: close\r\n\r\n`);
      return;
    }
    const [host, port] = incoming.url!.split(':');
    const upstream = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      client.pipe(upstream).pipe(client);
    });
    upstream.on('error', () => client.destroy());
    client.on('error', () => upstream.destroy());
  });
  return { url: `http://127.0.0.1:${await listen(proxy)}`, asked };
}

const seen: { method?: string; url?: string; headers: IncomingMessage['headers']; body: string }[] = [];
const api: RequestListener = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
  let body = '';
  for await (const chunk of incoming) body += chunk;
  seen.push({ method: incoming.method, url: incoming.url, headers: incoming.headers, body });
  outgoing.end('{"answer": true}');
};
beforeEach(() => void seen.splice(0));

describe('through a proxy', () => {
  const directory = mkdtempSync(join(tmpdir(), 'certificate-'));
  const [keyFile, certificateFile] = [join(directory, 'key.pem'), join(directory, 'certificate.pem')];
  beforeAll(() => {
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1',
      '-keyout', keyFile, '-out', certificateFile, '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'], { stdio: 'ignore' });
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  const startSecureApi = async () => {
    const [key, cert] = [keyFile, certificateFile].map(file => readFileSync(file, 'utf8'));
    return { url: `https://localhost:${await listen(createSecureServer({ key, cert }, api))}/api`, ca: cert };
  };

  test('an https API is reached by a tunnel, and trusted for its own certificate', async () => {
    const { url, ca } = await startSecureApi();
    const proxy = await startProxy();
    const client = new PrefectClient({ url, ca, proxy: proxy.url, headers: { authorization: 'Bearer key' } });
    await expect(client.request('POST', '/flow_runs/count', { a: 1 })).resolves.toEqual({ answer: true });
    await expect(client.request('GET', '/again')).resolves.toEqual({ answer: true });
    expect(proxy.asked).toEqual(Array(2).fill(`CONNECT localhost:${new URL(url).port}`));
    expect(seen).toEqual([
      expect.objectContaining({ method: 'POST', url: '/api/flow_runs/count', body: '{"a":1}', headers: expect.objectContaining({ authorization: 'Bearer key' }) }),
      expect.objectContaining({ method: 'GET', url: '/api/again' }),
    ]);
  });

  test('an https API whose certificate is another\'s is not spoken with', async () => {
    const { url } = await startSecureApi();
    const proxy = await startProxy();
    await expect(new PrefectClient({ url, proxy: proxy.url, headers: {}, patienceSeconds: 0 }).request('GET', '/x'))
      .rejects.toThrow(`The Prefect API at ${url} can't be reached (self-signed certificate).`);
    expect(seen).toEqual([]);
  });

  test('an http API is asked for by its whole address', async () => {
    const url = `http://127.0.0.1:${await listen(createServer(api))}/api`;
    const proxy = await startProxy();
    await expect(new PrefectClient({ url, proxy: proxy.url, headers: {} }).request('GET', '/version?x=1')).resolves.toEqual({ answer: true });
    expect(proxy.asked).toEqual([`GET ${url}/version?x=1`]);
    expect(seen[0]).toMatchObject({ url: '/api/version?x=1', headers: { host: new URL(url).host } });
  });

  test('that refuses, the reason is told', async () => {
    const proxy = await startProxy(407);
    await expect(new PrefectClient({ url: 'https://prefect.example.com/api', proxy: proxy.url, headers: {}, patienceSeconds: 0 }).request('GET', '/x'))
      .rejects.toThrow(`The Prefect API at https://prefect.example.com/api can't be reached (the proxy ${proxy.url} answered 407 to CONNECT prefect.example.com:443).`);
  });

  test('that is not there, the reason is told', async () => {
    await expect(new PrefectClient({ url: 'https://prefect.example.com/api', proxy: 'http://127.0.0.1:9', headers: {}, patienceSeconds: 0 }).request('GET', '/x'))
      .rejects.toThrow('can\'t be reached (the proxy http://127.0.0.1:9: connect ECONNREFUSED 127.0.0.1:9).');
  });
});

test('every request says who asks', async () => {
  const url = `http://127.0.0.1:${await listen(createServer(api))}/api`;
  await new PrefectClient({ url, headers: {} }).request('GET', '/x');
  expect(seen[0].headers['user-agent']).toBe('cdk-prefect-fargate-worker');
});

describe('an API with a limit of requests', () => {
  /** Lets that many requests pass, and refuses what comes before the time that it names; notes when each came and what it was answered. */
  const startLimitedApi = async (most: number, retryAfter: () => string, seconds = 1) => {
    const came: { at: number; status: number }[] = [];
    let restsUntil = 0;
    const url = `http://127.0.0.1:${await listen(createServer((incoming, outgoing) => {
      const at = Date.now();
      if (at >= restsUntil && came.filter(({ status }) => status === 200).length === most && restsUntil === 0) restsUntil = at + seconds * 1000;
      const status = at < restsUntil ? 429 : 200;
      came.push({ at, status });
      incoming.resume();
      outgoing.writeHead(status, status === 429 ? { 'retry-after': retryAfter() } : {});
      outgoing.end('{"answer": true}');
    }))}/api`;
    return { url, came };
  };
  const inThe = (came: { at: number; status: number }[], milliseconds: number) => {
    const refused = came.find(({ status }) => status === 429)!.at;
    return came.filter(({ at }) => at > refused + 50 && at < refused + milliseconds);
  };

  test.each([['seconds', () => '1'], ['a date', () => new Date(Date.now() + 2000).toUTCString()]])('is left alone by all who ask at the same time for as long as it says in %s', async (_, retryAfter) => {
    const { url, came } = await startLimitedApi(5, retryAfter);
    const clients = [1, 2].map(() => new PrefectClient({ url, headers: {} }));
    const some = (count: number) => Promise.all(Array.from({ length: count }, (_none, index) => clients[index % 2].request('POST', '/x', { index })));
    await some(5);
    const refused = some(1);
    await new Promise(resolve => setTimeout(resolve, 200));
    // They have not been refused themselves, and one must not be repeated.
    await Promise.all([refused, some(10), clients[1].once('POST', '/set_state', {})]);
    expect(inThe(came, 950)).toEqual([]);
    expect(came.filter(({ status }) => status === 429)).toHaveLength(1);
    expect(came.filter(({ status }) => status === 200)).toHaveLength(17);
  });

  test('has not heard what it refused, which may be sent again where it must not be repeated', async () => {
    const { url, came } = await startLimitedApi(0, () => '1');
    await expect(new PrefectClient({ url, headers: {} }).once('POST', '/set_state', {})).resolves.toEqual({ answer: true });
    expect(came.map(({ status }) => status)).toEqual([429, 200]);
  });

  test('is not asked at all where there is no time to wait for it', async () => {
    const { url, came } = await startLimitedApi(0, () => '30', 30);
    const client = new PrefectClient({ url, headers: {}, patienceSeconds: 2 });
    await expect(client.request('GET', '/x')).rejects.toThrow('answered 429');
    await expect(client.request('GET', '/y')).rejects.toThrow(/answered 429 to GET http:.*\/api\/y: no requests before 20.*Z, so this one was not sent/);
    expect(came).toHaveLength(1);
  });
});
