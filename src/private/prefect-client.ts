import { STATUS_CODES } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { CSRF_TOKEN_PATH, csrfHeaders, demandsCsrfToken } from './csrf';
import { exchange, HttpAnswer } from './http-exchange';

/** Seconds within which a request is tried again. */
const PATIENCE_SECONDS = 30;

/** The longest that an API is believed to want no requests. */
const LONGEST_REST_SECONDS = 600;

export interface PrefectClientOptions {
  /** URL of the API, ending in /api or in a workspace. */
  readonly url: string;
  /** HTTP headers of each request, with the authentication. */
  readonly headers: { readonly [name: string]: string };
  /** PEM of the one certificate authority to trust, where it isn't a public one. */
  readonly ca?: string;
  /** URL of an HTTP proxy through which the API is reached. */
  readonly proxy?: string;
  /** Seconds within which a request is tried again; 30 where nothing is said. */
  readonly patienceSeconds?: number;
}

/** What a refusal means where the API's words may leave it open. */
const MEANING: { readonly [status: number]: string } = {
  401: 'The key or the authentication string is unknown, expired, or of another account.',
  402: 'The account\'s plan doesn\'t offer it: a worker needs hybrid work pools, which Prefect Cloud\'s plan Hobby has not.',
  403: 'The key\'s role doesn\'t allow it (on Prefect Cloud, work pools and automations need the role Developer), or the account\'s plan doesn\'t '
    + '(a worker needs hybrid work pools, which Prefect Cloud\'s plan Hobby has not).',
};

/** The API's refusal, in its own words. */
export class PrefectApiError extends Error {
  constructor(method: string, url: string, readonly status: number, answer: string, readonly retryAfterSeconds = 0) {
    const words = answer.trim().slice(0, 1000) || STATUS_CODES[status];
    super([`The Prefect API answered ${status} to ${method} ${url}: ${words}`, MEANING[status]].filter(part => part !== undefined).join(' – '));
  }
}

/** What an API has taught, by its URL: kept for the function's next invocations. */
interface ApiState {
  /** Headers without which it refuses writes. */
  csrf?: Record<string, string>;
  /** The most objects that it gives at a time. */
  most?: number;
  /** Until when, in milliseconds, it has had enough requests: its limit is one of the account, and so of all that ask at the same time. */
  restsUntil?: number;
}
const apiStates = new Map<string, ApiState>();

/** Speaks JSON with a Prefect API from a Lambda function, without a dependency. */
export class PrefectClient {
  private readonly state: ApiState;

  constructor(private readonly options: PrefectClientOptions) {
    this.state = apiStates.get(options.url) ?? {};
    apiStates.set(options.url, this.state);
  }

  /** A GET that gives undefined where there is nothing. */
  public async find<T>(path: string): Promise<T | undefined> {
    try {
      return await this.request<T>('GET', path);
    } catch (error) {
      if (error instanceof PrefectApiError && error.status === 404) return undefined;
      throw error;
    }
  }

  /**
   * Sends a request; overload and outages are tried again for a while, a refusal is thrown at once. Where its `limit` is above
   * what the server gives at a time, several requests stand for one.
   */
  public async request<T>(method: string, path: string, body?: unknown): Promise<T> {
    const { limit } = Object(body);
    const send = (part?: object) => this.patiently<T>(mayPass, method, path, part ? { ...Object(body), ...part } : body);
    if (limit === undefined) return send();
    try {
      return await (limit > (this.state.most ?? limit) ? this.inParts(send, body as Limited, this.state.most!) : send());
    } catch (error) {
      const most = limitOf(error);
      if (most === undefined || most >= limit) throw error;
      this.state.most = most;
      return this.inParts(send, body as Limited, most);
    }
  }

  private async inParts<T>(send: (part?: object) => Promise<T>, { limit, offset = 0, page = 1 }: Limited, most: number): Promise<T> {
    const found: unknown[] = [];
    // Whole parts have to come before a later page.
    const before = (page - 1) * limit;
    let size = most;
    while (before % size !== 0) size--;
    for (let part = before / size + 1; ; part++) {
      const answer = await send({ limit: size, ...(part > 1 && { offset: offset + found.length, page: part }) }) as unknown[] | Page;
      const some = Array.isArray(answer) ? answer : answer.results;
      found.push(...some);
      if (some.length < size || found.length >= limit) {
        const whole = found.slice(0, limit);
        return (Array.isArray(answer) ? whole : { ...answer, results: whole }) as T;
      }
    }
  }

  /**
   * Sends a request that is not to be repeated: it may have been heard although its answer is lost, and its effect may be there.
   * One that comes too soon has not been heard.
   */
  public once<T>(method: string, path: string, body?: unknown): Promise<T> {
    return this.patiently(isTooSoon, method, path, body);
  }

  private async patiently<T>(mayRepeat: (error: unknown) => boolean, method: string, path: string, body?: unknown): Promise<T> {
    const giveUp = Date.now() + (this.options.patienceSeconds ?? PATIENCE_SECONDS) * 1000;
    for (let backOff = 500; ; backOff *= 2) {
      await this.rest(giveUp, method, path);
      try {
        return await this.send<T>(method, path, body);
      } catch (error) {
        const now = Date.now();
        const resume = now + Math.max(backOff, error instanceof PrefectApiError ? error.retryAfterSeconds * 1000 : 0);
        if (isTooSoon(error)) this.state.restsUntil = Math.max(this.state.restsUntil ?? 0, Math.min(resume, now + LONGEST_REST_SECONDS * 1000));
        if (!mayRepeat(error) || resume > giveUp) throw error;
        await sleep(resume - Date.now());
      }
    }
  }

  /** Waits for as long as the API wants no requests, whichever of them was told; fails where that is longer than there is time. */
  private async rest(giveUp: number, method: string, path: string): Promise<void> {
    for (let until = this.state.restsUntil ?? 0; until > Date.now(); until = this.state.restsUntil!) {
      if (until > giveUp) {
        throw new PrefectApiError(method, this.urlOf(path), 429, `no requests before ${new Date(until).toISOString()}, so this one was not sent`);
      }
      await sleep(until - Date.now());
    }
  }

  private urlOf(path: string): string {
    return `${this.options.url.replace(/\/$/, '')}${path}`;
  }

  private async send<T>(method: string, path: string, body?: unknown): Promise<T> {
    const url = this.urlOf(path);
    const json = body === undefined ? undefined : JSON.stringify(body);
    const { status, text, location, retryAfter } = await this.withCsrfToken(method, () => this.exchange(method, url, json));
    if (status >= 300 && status < 400) {
      throw new PrefectApiError(method, url, 404, `a redirect to ${location}; a Prefect API doesn't redirect, so this is another server's URL`);
    }
    if (status >= 400) throw new PrefectApiError(method, url, status, text, secondsUntil(retryAfter));
    if (text === '') return undefined as T;
    try {
      return JSON.parse(text) as T;
    } catch {
      throw new PrefectApiError(method, url, 404, `no JSON but ${JSON.stringify(text.slice(0, 100))}; is this the URL of a Prefect API?`);
    }
  }

  /** A refusal for want of a token is no answer yet: the server has not looked at the request. */
  private async withCsrfToken(method: string, send: () => Promise<HttpAnswer>): Promise<HttpAnswer> {
    const answer = await send();
    if (method === 'GET' || !demandsCsrfToken(answer.status, answer.text)) return answer;
    this.state.csrf = csrfHeaders(await this.request('GET', CSRF_TOKEN_PATH));
    return send();
  }

  private async exchange(method: string, url: string, body?: string): Promise<HttpAnswer> {
    const { url: api, headers, ca, proxy } = this.options;
    try {
      return await exchange({
        method,
        url,
        body,
        ca,
        proxy,
        headers: {
          ...headers,
          ...this.state.csrf,
          'accept': 'application/json',
          'user-agent': 'cdk-prefect-fargate-worker',
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
      });
    } catch (error) {
      throw new Error(`The Prefect API at ${api} can't be reached (${(error as Error).message}).`);
    }
  }
}

interface Limited {
  readonly limit: number;
  readonly offset?: number;
  /** From 1 on, where the API has pages. */
  readonly page?: number;
}

interface Page {
  readonly results: readonly unknown[];
}

/** Whether an error is overload or an outage, and no refusal. */
function mayPass(error: unknown): boolean {
  return !(error instanceof PrefectApiError) || error.status >= 500 || isTooSoon(error);
}

function isTooSoon(error: unknown): boolean {
  return error instanceof PrefectApiError && error.status === 429;
}

/** The header Retry-After holds seconds or a date. */
function secondsUntil(retryAfter = ''): number {
  const seconds = Number(retryAfter);
  return Number.isNaN(seconds) ? Math.max(0, (Date.parse(retryAfter) - Date.now()) / 1000) || 0 : seconds;
}

/** What a server with a lower `PREFECT_SERVER_API_DEFAULT_LIMIT` allows, by its own words. */
function limitOf(error: unknown): number | undefined {
  if (!(error instanceof PrefectApiError && error.status === 422)) return undefined;
  return Number(/Invalid limit: must be less than or equal to (\d+)/.exec(error.message)?.[1]) || undefined;
}
