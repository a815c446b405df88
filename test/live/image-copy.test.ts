import { spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BatchGetImageCommand, CreateRepositoryCommand, ECRClient, GetDownloadUrlForLayerCommand } from '@aws-sdk/client-ecr';
import { REPOSITORY } from './support/cdk';
import { clientConfiguration, StandIn, startStandIn } from '../stand-in/stand-in';
import { DockerHub, ImageFacts, startDockerHub } from '../support/docker-hub';

/** The function that copies images, between a real registry with Docker Hub's ways and an Amazon ECR as strict as AWS's. */
const PREFECT = 'prefecthq/prefect:3.9.1-python3.12';
const PREFECT_AWS = 'prefecthq/prefect-aws:0.7.12-python3.12-prefect3.9.1';

let hub: DockerHub;
let standIn: StandIn;
let ecr: ECRClient;
let repository: string;

jest.setTimeout(60_000);

beforeAll(async () => {
  [hub, standIn] = await Promise.all([startDockerHub(40), startStandIn()]);
  ecr = new ECRClient(clientConfiguration(standIn));
}, 300_000);
beforeEach(async () => {
  repository = `images-${randomUUID()}`;
  await ecr.send(new CreateRepositoryCommand({ repositoryName: repository, imageTagMutability: 'IMMUTABLE' }));
});
afterEach(async () => {
  await hub.limit(0);
  await hub.cut(0);
  await hub.corrupt(0);
});
afterAll(async () => {
  await standIn?.stop();
  await hub?.stop();
});

interface Answer {
  readonly value?: { readonly PhysicalResourceId: string; readonly Data: { readonly Tag: string } };
  readonly error?: { readonly errorMessage: string };
  readonly said: string;
}

/** Calls the bundled function as Lambda does. */
async function copy(properties: Record<string, string> = {}, { type = 'Create', seconds = 60 } = {}): Promise<Answer> {
  const answer = join(standIn.directory, `${randomUUID()}.json`);
  const code = join(REPOSITORY, 'assets', 'images', 'image-copy.lambda');
  const child = spawn('node', [join(REPOSITORY, 'test', 'stand-in', 'run-handler.cjs'), code, 'index.handler', answer, `${seconds + 30}`, randomUUID(), 'arn'], {
    env: { PATH: process.env.PATH, ...standIn.environment, STAND_IN_HOSTS: JSON.stringify(hub.hosts) },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => { said += chunk; });
  child.stdin.end(JSON.stringify({
    RequestType: type,
    PhysicalResourceId: 'before',
    ResourceProperties: { Image: PREFECT, Architecture: 'amd64', RepositoryName: repository, Tag: 'copy', ...properties },
  }));
  await new Promise(resolve => child.on('close', resolve));
  return { ...JSON.parse(await readFile(answer, 'utf8')), said };
}

/** Pulls an image as a container runtime does, and gives the digests of what really came. */
async function pulled(tag: string): Promise<ImageFacts> {
  const { images } = await ecr.send(new BatchGetImageCommand({ repositoryName: repository, imageIds: [{ imageTag: tag }] }));
  const text = images![0].imageManifest!;
  const { config, layers, mediaType = images![0].imageManifestMediaType } = JSON.parse(text);
  expect(images![0].imageManifestMediaType).toBe(mediaType);
  const blob = async (digest: string) => {
    const { downloadUrl } = await ecr.send(new GetDownloadUrlForLayerCommand({ repositoryName: repository, layerDigest: digest }));
    return digestOf(await readFile(fileURLToPath(downloadUrl!)));
  };
  return {
    manifest: digestOf(Buffer.from(text)),
    config: await blob(config.digest),
    layers: await Promise.all(layers.map(({ digest }: { digest: string }) => blob(digest))),
  };
}

const digestOf = (content: Buffer) => `sha256:${createHash('sha256').update(content).digest('hex')}`;

test.each(['amd64', 'arm64'])('of an image for several platforms, the one for %s arrives, and all that is in it has the digest that it had', async architecture => {
  const { value } = await copy({ Architecture: architecture });
  expect(value).toEqual({ PhysicalResourceId: `${repository}:copy`, Data: { Tag: 'copy' } });
  expect(await pulled('copy')).toEqual(hub.images[PREFECT][architecture]);
});

test('images of Docker\'s own media types arrive as they are, and so does one without an index', async () => {
  await copy({ Image: 'docker-types:1', Tag: 'docker' });
  expect(await pulled('docker')).toEqual(hub.images['library/docker-types:1'].amd64);
  await copy({ Image: 'single:1', Architecture: 'arm64', Tag: 'single' });
  expect(await pulled('single')).toEqual(hub.images['library/single:1'].arm64);
});

test('an image that is not there for the architecture is refused at once, with those that it is there for', async () => {
  expect((await copy({ Image: 'single:1' })).error?.errorMessage).toMatch(/^single:1 can't be copied\. single:1 is not there for linux\/amd64, only for linux\/arm64\./);
  expect((await copy({ Architecture: 's390x' })).error?.errorMessage).toContain('not there for linux/s390x, only for linux/arm64, linux/amd64.');
});

test('layers that the repository has from another image are not copied again', async () => {
  await copy();
  const before = await hub.counts();
  await copy({ Image: PREFECT_AWS, Tag: 'aws' });
  // Its own four layers and its configuration.
  expect((await hub.counts()).layers - before.layers).toBe(5);
  expect(await pulled('aws')).toEqual(hub.images[PREFECT_AWS].amd64);
});

test('a second time, as in a rollback, it asks no registry', async () => {
  await copy();
  const before = await hub.counts();
  const { value } = await copy({}, { type: 'Update' });
  expect(value?.Data.Tag).toBe('copy');
  expect(await hub.counts()).toEqual(before);
});

test('two at the same time both succeed', async () => {
  const answers = await Promise.all([copy(), copy()]);
  expect(answers.map(({ error }) => error)).toEqual([undefined, undefined]);
  expect(await pulled('copy')).toEqual(hub.images[PREFECT].amd64);
});

test('where Docker Hub limits pulls for a moment, it waits as long as it is told and goes on', async () => {
  await hub.limit(2, '2');
  const start = Date.now();
  const { value, said } = await copy();
  expect(value?.Data.Tag).toBe('copy');
  expect(Date.now() - start).toBeGreaterThan(4000);
  expect(said).toMatch(/refuses prefecthq\/prefect:3\.9\.1-python3\.12 with status 429: .*unauthenticated pull rate limit.* Try 2 follows in 2 s\./);
});

test('where the limit lasts longer than the function, it says so at once, with the way out', async () => {
  await hub.limit(100, '21600');
  const start = Date.now();
  const { error } = await copy();
  expect(error?.errorMessage).toMatch(/can't be copied\. registry-1\.docker\.io refuses .* 429: .*rate limit.* deploy again later, or set copyImages to false\./);
  expect(Date.now() - start).toBeLessThan(10_000);
});

test('a limit without a word of its end is waited for as long as there is time', async () => {
  await hub.limit(100);
  const { error, said } = await copy({}, { seconds: 8 });
  expect(error?.errorMessage).toContain('429');
  expect(said).toMatch(/Try 2 follows in 1 s\.[^]*Try 3 follows in 2 s\.[^]*Try 4 follows in 4 s\./);
});

test('a layer that breaks off, or comes with another content, is copied anew', async () => {
  await hub.cut(2);
  await hub.corrupt(1);
  const { value, said } = await copy();
  expect(value?.Data.Tag).toBe('copy');
  expect(said).toMatch(/The layer sha256:\w+ came with the digest sha256:/);
  expect(await pulled('copy')).toEqual(hub.images[PREFECT].amd64);
});

test('an image that Docker Hub does not have, or does not show, fails at once with its answer', async () => {
  const start = Date.now();
  const { error } = await copy({ Image: 'prefecthq/prefect:0.0.0' });
  expect(error?.errorMessage).toMatch(/prefecthq\/prefect:0\.0\.0 can't be copied\. .* 404: .*manifest unknown/);
  expect(Date.now() - start).toBeLessThan(10_000);
});

test('its deletion leaves the image to the repository, which is emptied with the stack', async () => {
  await copy();
  expect((await copy({}, { type: 'Delete' })).value?.PhysicalResourceId).toBe('before');
  expect(await pulled('copy')).toEqual(hub.images[PREFECT].amd64);
});
