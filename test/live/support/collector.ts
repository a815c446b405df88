import { join } from 'node:path';
import { REPOSITORY } from './cdk';
import { pythonEnvironment } from '../../python/environment';
import { StandInOptions } from '../../stand-in/stand-in';
import { goProgram } from '../../support/go-program';

const SOURCE = join(REPOSITORY, 'test', 'collector');

/** The image of flows that the tests trace: the official one with prefect-otel. */
export const TRACED_IMAGE = 'traced-flows:1.0.0';

/** What the images of traced tasks hold; the collector is the upstream one. */
export async function tracedImages(collectorImage: string, onProgress?: (line: string) => void): Promise<StandInOptions['images']> {
  const [collector, { bin }] = await Promise.all([goProgram(SOURCE, onProgress), pythonEnvironment(onProgress, 'traced-image')]);
  return {
    [collectorImage]: { entryPoint: [collector], programs: { '/healthcheck': [collector, 'healthcheck'] }, ports: [4318, 13133] },
    [TRACED_IMAGE]: { path: [bin] },
  };
}
