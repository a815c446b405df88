import { createHash } from 'node:crypto';
import { RegistryError, retryAfter } from './patience';

const DOCKER_HUB = 'registry-1.docker.io';
/** A connection that is silent for so long is broken. */
const SILENCE_MS = 60_000;

const INDEXES = ['application/vnd.oci.image.index.v1+json', 'application/vnd.docker.distribution.manifest.list.v2+json'];
const IMAGES = ['application/vnd.oci.image.manifest.v1+json', 'application/vnd.docker.distribution.manifest.v2+json'];

/** Content by its digest, as manifests name it. */
export interface Descriptor {
  readonly digest: string;
  readonly size: number;
  readonly platform?: { readonly os: string; readonly architecture: string };
}

/** The manifest of one image for one platform, as the registry has it. */
export interface ImageManifest {
  readonly text: string;
  readonly mediaType: string;
  readonly digest: string;
  /** Configuration and layers, each once. */
  readonly blobs: readonly Descriptor[];
}

interface FetchedManifest {
  readonly text: string;
  readonly mediaType: string;
  readonly digest: string;
}

/**
 * An image in a public registry, pulled without credentials.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pull
 * @see https://distribution.github.io/distribution/spec/auth/token/
 */
export class PublicImage {
  private readonly host: string;
  private readonly repository: string;
  private readonly tag: string;
  private token?: string;

  /** @param name as Docker writes it: `prefecthq/prefect:3.9.1-python3.12`, `public.ecr.aws/xray/aws-xray-daemon:3.x` */
  constructor(public readonly name: string) {
    const [, host, path, tag] = /^(?:([^/]*[.:][^/]*)\/)?([^:]+):(.+)$/.exec(name)!;
    this.host = host ?? DOCKER_HUB;
    this.repository = host || path.includes('/') ? path : `library/${path}`;
    this.tag = tag;
  }

  /** The manifest for Linux on this architecture. */
  public async manifest(architecture: string): Promise<ImageManifest> {
    const first = await this.fetchManifest(this.tag);
    const entry = INDEXES.includes(first.mediaType) ? this.choose(JSON.parse(first.text).manifests, architecture) : undefined;
    const image = entry ? await this.fetchManifest(entry.digest) : first;
    if (!IMAGES.includes(image.mediaType)) throw new Error(`${this.name} has a manifest of the type ${image.mediaType}, which is no image's.`);
    const { config, layers } = JSON.parse(image.text) as { config: Descriptor; layers: Descriptor[] };
    if (!entry) await this.requireArchitecture(config, architecture);
    return { ...image, blobs: [...new Map([config, ...layers].map(blob => [blob.digest, blob])).values()] };
  }

  /** The bytes of a layer or configuration, as they come. */
  public async *blob(digest: string): AsyncGenerator<Uint8Array> {
    const idle = new AbortController();
    const startTimer = () => setTimeout(() => idle.abort(new Error(`${this.host} has been silent for ${SILENCE_MS / 1000} s.`)), SILENCE_MS);
    let timer = startTimer();
    try {
      const { body } = await this.get(`blobs/${digest}`, {}, idle.signal);
      for await (const chunk of body!) {
        clearTimeout(timer);
        yield chunk;
        timer = startTimer();
      }
    } finally {
      clearTimeout(timer);
    }
  }

  private choose(manifests: readonly Descriptor[], architecture: string): Descriptor {
    const found = manifests.find(({ platform }) => platform?.os === 'linux' && platform.architecture === architecture);
    if (found) return found;
    const offered = manifests.flatMap(({ platform }) => platform && platform.os !== 'unknown' ? [`${platform.os}/${platform.architecture}`] : []);
    throw new RegistryError(`${this.name} is not there for linux/${architecture}, only for ${offered.join(', ')}.`, 404);
  }

  private async requireArchitecture(config: Descriptor, architecture: string): Promise<void> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.blob(config.digest)) chunks.push(chunk);
    const built = JSON.parse(Buffer.concat(chunks).toString());
    this.choose([{ ...config, platform: { os: built.os, architecture: built.architecture } }], architecture);
  }

  private async fetchManifest(reference: string): Promise<FetchedManifest> {
    const answer = await this.get(`manifests/${reference}`, { accept: [...INDEXES, ...IMAGES].join(', ') }, AbortSignal.timeout(SILENCE_MS));
    const bytes = Buffer.from(await answer.arrayBuffer());
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    const expected = reference.startsWith('sha256:') ? reference : answer.headers.get('docker-content-digest') ?? digest;
    if (expected !== digest) throw new Error(`The manifest ${reference} of ${this.name} has the digest ${digest} and not ${expected}.`);
    return { text: bytes.toString(), mediaType: answer.headers.get('content-type')!.split(';')[0], digest };
  }

  private async get(path: string, headers: Record<string, string>, signal: AbortSignal): Promise<Response> {
    const ask = () => fetch(`https://${this.host}/v2/${this.repository}/${path}`, {
      headers: { ...headers, ...(this.token && { authorization: `Bearer ${this.token}` }) },
      signal,
    });
    let answer = await ask();
    if (answer.status === 401) {
      await answer.body?.cancel();
      this.token = await this.anonymousToken(answer.headers.get('www-authenticate') ?? '', signal);
      answer = await ask();
    }
    if (!answer.ok) throw await this.refusal(answer);
    return answer;
  }

  /** A token as the registry's challenge describes it. It lasts for minutes; the next refusal brings another. */
  private async anonymousToken(challenge: string, signal: AbortSignal): Promise<string> {
    const { realm, ...query } = Object.fromEntries([...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]));
    if (!realm) throw new RegistryError(`${this.host} gives ${this.name} to nobody without credentials.`, 401);
    const answer = await fetch(`${realm}?${new URLSearchParams(query)}`, { signal });
    if (!answer.ok) throw await this.refusal(answer);
    const { token, access_token: accessToken } = await answer.json() as { token?: string; access_token?: string };
    return token ?? accessToken!;
  }

  private async refusal(answer: Response): Promise<RegistryError> {
    const said = (await answer.text()).slice(0, 500);
    return new RegistryError(`${new URL(answer.url).host} refuses ${this.name} with status ${answer.status}: ${said}`,
      answer.status, retryAfter(answer.headers.get('retry-after')));
  }
}
