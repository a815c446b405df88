import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { goProgram } from './go-program';

/** The digests of an image for one architecture. */
export interface ImageFacts {
  readonly manifest: string;
  readonly config: string;
  readonly layers: readonly string[];
}

/** Docker Hub on loopback: see `../registry/main.go`. */
export interface DockerHub {
  /** What functions are to reach in the place of its hosts. */
  readonly hosts: { readonly [host: string]: number };
  readonly images: { readonly [name: string]: { readonly [architecture: string]: ImageFacts } };
  /** Refuses the next pulls as one too many. */
  limit(times: number, retryAfter?: string): Promise<void>;
  /** Breaks off the next layers. */
  cut(times: number): Promise<void>;
  /** Changes a byte in the next layers. */
  corrupt(times: number): Promise<void>;
  /** How many manifests and layers it was asked for. */
  counts(): Promise<{ readonly pulls: number; readonly layers: number }>;
  stop(): Promise<void>;
}

export async function startDockerHub(megabytes = 1, onProgress?: (line: string) => void): Promise<DockerHub> {
  const program = await goProgram(join(__dirname, '..', 'registry'), onProgress);
  const child = spawn(program, [`${megabytes}`], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = await once(createInterface(child.stdout), 'line');
  const { port, images } = JSON.parse(line);
  const ask = (what: string) => fetch(`http://127.0.0.1:${port}/${what}`, { method: 'POST' });
  return {
    hosts: { 'registry-1.docker.io': port, 'auth.docker.io': port, 'production.cloudflare.docker.com': port },
    images,
    limit: async (times, retryAfter = '') => void await ask(`limit?times=${times}&retryAfter=${encodeURIComponent(retryAfter)}`),
    cut: async times => void await ask(`cut?times=${times}`),
    corrupt: async times => void await ask(`corrupt?times=${times}`),
    counts: async () => (await ask('counts')).json() as any,
    async stop() {
      const ended = once(child, 'close');
      child.stdin.end();
      await ended;
    },
  };
}
