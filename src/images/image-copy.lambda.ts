import type { CdkCustomResourceEvent, CdkCustomResourceResponse, Context } from 'aws-lambda';
import { describe, Patience, RegistryError } from './patience';
import { PrivateRepository } from './private-repository';
import { PublicImage } from './registry';

/** How many layers are on their way at a time. Each takes the memory of its part, in three forms. */
const LAYERS_AT_A_TIME = 3;
/** What is left of the function's time for its answer. */
const RESERVE_MS = 30_000;

/** Copies an image of a public registry, for one architecture, to a repository in Amazon ECR. */
export async function handler(event: CdkCustomResourceEvent, context: Context): Promise<CdkCustomResourceResponse> {
  // The repository is emptied when it is deleted, and its life-cycle rule ends old versions: one that is replaced may still be in use.
  if (event.RequestType === 'Delete') return { PhysicalResourceId: event.PhysicalResourceId };
  const { Image, Architecture, RepositoryName, Tag } = event.ResourceProperties;
  const repository = new PrivateRepository(RepositoryName);
  // So a rollback, or a second try, needs no public registry.
  if (!await repository.has(Tag)) {
    await copy(new PublicImage(Image), Architecture, repository, Tag, new Patience(Date.now() + context.getRemainingTimeInMillis() - RESERVE_MS));
  }
  return { PhysicalResourceId: `${RepositoryName}:${Tag}`, Data: { Tag } };
}

async function copy(image: PublicImage, architecture: string, repository: PrivateRepository, tag: string, patience: Patience): Promise<void> {
  try {
    const manifest = await patience.tryAgain(image.name, () => image.manifest(architecture));
    const layers = await repository.missing(manifest.blobs);
    const waiting = layers.sort((one, other) => other.size - one.size);
    const copyLayers = async (): Promise<void> => {
      const layer = waiting.shift();
      if (!layer) return;
      await patience.tryAgain(layer.digest, () => repository.upload(layer, image.blob(layer.digest)));
      await copyLayers();
    };
    await Promise.all(Array.from({ length: LAYERS_AT_A_TIME }, copyLayers));
    await repository.put(manifest, tag);
  } catch (error) {
    throw new Error(`${image.name} can't be copied. ${describe(error)} ${fix(error)}`);
  }
}

function fix(error: unknown): string {
  return error instanceof RegistryError && error.isLimit
    ? 'Functions share their addresses with others, whose pulls count as well: deploy again later, or set copyImages to false.'
    : 'Deploy again, or set copyImages to false and give images of your own with image and flowRunDefaults.';
}
