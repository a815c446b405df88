import { createHash } from 'node:crypto';
import {
  BatchCheckLayerAvailabilityCommand, CompleteLayerUploadCommand, DescribeImagesCommand, ECRClient, ECRServiceException, InitiateLayerUploadCommand,
  PutImageCommand, UploadLayerPartCommand,
} from '@aws-sdk/client-ecr';
import type { Descriptor, ImageManifest } from './registry';

/** Amazon ECR takes parts of 5 MiB to 10 MiB; only the last one may be smaller. */
const LARGEST_PART = 10 * 1024 * 1024;
const LAYERS_A_QUESTION = 100;

/** A repository in Amazon ECR, written to through its API, which needs permissions and no login. */
export class PrivateRepository {
  private readonly client = new ECRClient({ maxAttempts: 8 });

  constructor(private readonly repositoryName: string) {}

  /** An image is there once all its layers are. */
  public async has(imageTag: string): Promise<boolean> {
    const { repositoryName } = this;
    return !await refusedWith(['ImageNotFoundException'], this.client.send(new DescribeImagesCommand({ repositoryName, imageIds: [{ imageTag }] })));
  }

  /** Those of the layers that the repository doesn't have yet. */
  public async missing(layers: readonly Descriptor[]): Promise<Descriptor[]> {
    const { repositoryName } = this;
    const present = new Set<string | undefined>();
    for (let start = 0; start < layers.length; start += LAYERS_A_QUESTION) {
      const layerDigests = layers.slice(start, start + LAYERS_A_QUESTION).map(({ digest }) => digest);
      const answer = await this.client.send(new BatchCheckLayerAvailabilityCommand({ repositoryName, layerDigests }));
      answer.layers?.filter(({ layerAvailability }) => layerAvailability === 'AVAILABLE').forEach(({ layerDigest }) => present.add(layerDigest));
    }
    return layers.filter(({ digest }) => !present.has(digest));
  }

  /** Uploads a layer part by part as its bytes come, and completes it only where they are what its digest promises. */
  public async upload(layer: Descriptor, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    const { repositoryName } = this;
    const { uploadId, partSize = LARGEST_PART } = await this.client.send(new InitiateLayerUploadCommand({ repositoryName }));
    const part = Buffer.alloc(Math.min(partSize, LARGEST_PART, layer.size));
    const hash = createHash('sha256');
    let sent = 0;
    let filled = 0;
    const sendPart = async () => {
      await this.client.send(new UploadLayerPartCommand({
        repositoryName, uploadId, partFirstByte: sent, partLastByte: sent + filled - 1, layerPartBlob: part.subarray(0, filled),
      }));
      sent += filled;
      filled = 0;
    };
    for await (const chunk of bytes) {
      hash.update(chunk);
      for (let read = 0; read < chunk.length;) {
        const taken = Math.min(part.length - filled, chunk.length - read);
        part.set(chunk.subarray(read, read + taken), filled);
        filled += taken;
        read += taken;
        if (filled === part.length) await sendPart();
      }
    }
    if (filled > 0) await sendPart();
    const digest = `sha256:${hash.digest('hex')}`;
    if (digest !== layer.digest) throw new Error(`The layer ${layer.digest} came with the digest ${digest}, in ${sent} of ${layer.size} bytes.`);
    // Another copy may have been quicker.
    await refusedWith(['LayerAlreadyExistsException'],
      this.client.send(new CompleteLayerUploadCommand({ repositoryName, uploadId, layerDigests: [digest] })));
  }

  /** Names the image whose layers are all there. */
  public async put(manifest: ImageManifest, imageTag: string): Promise<void> {
    await refusedWith(['ImageAlreadyExistsException', 'ImageTagAlreadyExistsException'], this.client.send(new PutImageCommand({
      repositoryName: this.repositoryName,
      imageManifest: manifest.text,
      imageManifestMediaType: manifest.mediaType,
      imageDigest: manifest.digest,
      imageTag,
    })));
  }
}

/** Whether the call was refused for one of these reasons, and not for another. */
async function refusedWith(reasons: readonly string[], call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return false;
  } catch (error) {
    if (error instanceof ECRServiceException && reasons.includes(error.name)) return true;
    throw error;
  }
}
