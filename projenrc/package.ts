import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../package.json';

/**
 * Packages the compiled library for the languages named, or for all of them: `npx tsx projenrc/package.ts python go`.
 *
 * Every language gets what npm users get, and asks for the lowest aws-cdk-lib that the library supports: Go's module file names
 * the version that the package was made beside, which would be the newest here and then be forced upon everybody.
 */
const root = join(__dirname, '..');
const staged = join(root, '.cache', 'package');
const dist = join(root, 'dist');
const tablet = join(root, '.cache', 'package.tabl.json');
const LANGUAGES = ['js', 'python', 'java', 'go', 'dotnet'];

async function main(languages: string[]): Promise<void> {
  const unknown = languages.filter(language => !LANGUAGES.includes(language));
  if (unknown.length > 0) throw new Error(`No package is made for ${unknown.join(', ')}; there are ${LANGUAGES.join(', ')}.`);
  if (!existsSync(join(root, '.jsii'))) throw new Error('There is nothing to package yet: compile first, with `npx projen test:build`.');

  run('npx', 'jsii-rosetta', 'extract', '--cache-to', tablet, root);
  stage();
  languages.forEach(language => rmSync(join(dist, language), { recursive: true, force: true }));
  const codeOnly = languages.filter(language => language === 'dotnet' && !found('dotnet'));
  const whole = languages.filter(language => !codeOnly.includes(language));
  if (codeOnly.length > 0) console.log('The .NET SDK is not installed: dist/dotnet gets the code only, and no package.');
  await Promise.all([
    pacmak(whole),
    pacmak(codeOnly, '--code-only'),
  ]);
}

/** What npm would publish, beside the lowest supported versions of what it depends on. */
function stage(): void {
  rmSync(staged, { recursive: true, force: true });
  mkdirSync(staged, { recursive: true });
  run('npm', 'pack', '--ignore-scripts', '--silent', '--pack-destination', staged);
  const [tarball] = readdirSync(staged);
  run('tar', '-xzf', join(staged, tarball), '-C', staged, '--strip-components', '1');
  rmSync(join(staged, tarball));
  adaptReadme();

  const lowest = join(root, 'test', 'lowest');
  if (!existsSync(join(lowest, 'node_modules', 'aws-cdk-lib'))) {
    run('npm', 'ci', '--prefix', lowest, '--no-audit', '--no-fund', '--ignore-scripts');
  }
  symlinkSync(join(lowest, 'node_modules'), join(staged, 'node_modules'));
}

/**
 * Registries show the README without the files beside it, so what it links to is in the repository there. And each language's README has its
 * TypeScript translated, but for the quick start under the heading of that name: Python's is beside it.
 */
function adaptReadme(): void {
  const home = repository.url.replace(/\.git$/, '');
  const whole = (markdown: string) => markdown.replace(/^```ts (nofixture)$/gm, '```tsx $1').replace(/(!?)\[([^\]]*)\]\((?!https?:|#)([^)\s]+)\)/g,
    (_, image, text, target) => `${image}[${text}](${home}/${image ? 'raw' : 'blob'}/main/${target})`);
  const [readme, assembly] = [join(staged, 'README.md'), join(staged, '.jsii')];
  writeFileSync(readme, whole(readFileSync(readme, 'utf8')));
  const described = JSON.parse(readFileSync(assembly, 'utf8'));
  described.readme.markdown = whole(described.readme.markdown);
  writeFileSync(assembly, JSON.stringify(described));
}

function pacmak(languages: readonly string[], ...options: readonly string[]): Promise<void> {
  if (languages.length === 0) return Promise.resolve();
  const args = ['jsii-pacmak', staged, '--verbose', ...options, '--outdir', dist, '--rosetta-tablet', tablet,
    '--maven-local-repository', join(root, '.cache', 'maven'), '--targets', ...languages];
  return new Promise((resolve, reject) => {
    spawn('npx', args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
      .on('error', reject)
      .on('close', code => code === 0 ? resolve() : reject(new Error(`Packaging for ${languages.join(', ')} failed; the reason is above.`)));
  });
}

function run(command: string, ...args: readonly string[]): void {
  execFileSync(command, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
}

function found(command: string): boolean {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
}

const named = process.argv.slice(2);
main(named.length > 0 ? named : LANGUAGES).catch(error => {
  console.error(error.message);
  process.exitCode = 1;
});
