import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UNIT } from '../paths';
import { ofTheCdk } from '../support/of-the-cdk';

/** Compiles the library and runs its unit tests against the lowest aws-cdk-lib and constructs of the peer dependencies. */
const here = __dirname;
const root = join(here, '..', '..');
const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
const run = (command: string, ...args: string[]) => execFileSync(command, args, { cwd: root, stdio: 'inherit' });

const wanted: Record<string, string> = json(join(here, 'package.json')).dependencies;
const supported: Record<string, string> = json(join(root, 'package.json')).peerDependencies;
for (const [name, version] of Object.entries(wanted)) {
  if (supported[name] !== `^${version}`) {
    throw new Error(`package.json supports ${name} ${supported[name]}, and test/lowest/package.json tests ${version}: make them the same.`);
  }
}

const installed = (name: string) => join(here, 'node_modules', name, 'package.json');
if (!Object.entries(wanted).every(([name, version]) => existsSync(installed(name)) && json(installed(name)).version === version)) {
  run('npm', 'ci', '--prefix', here, '--no-audit', '--no-fund', '--ignore-scripts');
}
run('npx', 'tsc', '--project', join(here, 'tsconfig.json'));
// The ids of resources belong to this library, but some of their properties to the CDK's version: snapshots are the newest's.
const tests = execFileSync('npx', ['jest', '--listTests', UNIT], { cwd: root, encoding: 'utf8' }).trim().split('\n').filter(path => !path.endsWith('snapshots.test.ts'));
run('npx', 'jest', '--config', join(here, 'jest.config.js'), '--maxWorkers=100%', '--testPathIgnorePatterns', '/node_modules/', '--runTestsByPath', ...ofTheCdk(tests));
