import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { pythonEnvironment } from './environment';

/**
 * Puts another Prefect into the tests' environment: `npx tsx test/python/prefect-version.ts newest`.
 * For CI, whose environment is its own; delete `.cache/python` to have the locked one again. The lowest ones that are supported
 * have locks of their own, and run in each build: test/live/versions.test.ts.
 */
const VERSIONS: Record<string, readonly string[]> = {
  newest: ['prefect>=3.9.1,<4', 'prefect-aws>=0.7.12'],
};

async function main([name]: readonly string[]): Promise<void> {
  const versions = VERSIONS[name];
  if (!versions) throw new Error(`Say which: ${Object.keys(VERSIONS).join(' or ')}.`);
  const { bin, python } = await pythonEnvironment(line => console.log(line));
  const uv = (...args: string[]) => execFileSync(join(bin, 'uv'), ['pip', ...args, '--python', python], { stdio: 'inherit' });
  uv('install', '--upgrade-package', 'prefect', '--upgrade-package', 'prefect-aws', ...versions);
}

main(process.argv.slice(2)).catch(error => {
  console.error(error.message);
  process.exitCode = 1;
});
