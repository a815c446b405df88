import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DIST, ROOT, run } from './run';

/** One file of the npm package. */
export interface PackedFile {
  readonly path: string;
  readonly size: number;
}

export interface NpmPackage {
  readonly files: readonly PackedFile[];
  readonly integrity: string;
}

/** What `npm publish` would send, from npm itself. */
export async function npmPackage(): Promise<NpmPackage> {
  const [pack] = JSON.parse(await run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts']));
  return pack;
}

/** Packages the library for every language, unless `dist` holds the packages of just this state of it. */
export async function packAll(): Promise<void> {
  const stamp = join(DIST, '.integrity');
  const { integrity } = await npmPackage();
  const maker = readFileSync(join(ROOT, 'projenrc', 'package.ts'), 'utf8').length;
  const wanted = `${integrity} ${maker}`;
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  await run('npx', ['projen', 'package-all']);
  writeFileSync(stamp, wanted);
}
