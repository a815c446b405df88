import { resolve } from 'node:path';
import { buildSync } from 'esbuild';

/** Tests that load the CDK, by themselves or by what they import: the functions know nothing of it, so that the newest is enough. */
export function ofTheCdk(paths: readonly string[]): string[] {
  const { outputs } = buildSync({ entryPoints: [...paths], bundle: true, packages: 'external', platform: 'node', write: false, metafile: true, outdir: 'unused' }).metafile;
  return Object.values(outputs)
    .filter(({ imports }) => imports.some(({ path }) => /^(aws-cdk-lib|constructs)(\/|$)/.test(path)))
    .map(({ entryPoint }) => resolve(entryPoint!));
}
