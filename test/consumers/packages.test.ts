import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { dependencies } from '../lowest/package.json';
import { NpmPackage, npmPackage, packAll } from './support/packages';
import { DIST, run } from './support/run';

jest.setTimeout(10 * 60_000);

beforeAll(() => packAll());

describe('the npm package', () => {
  let npm: NpmPackage;
  let paths: string[];
  beforeAll(async () => {
    npm = await npmPackage();
    paths = npm.files.map(({ path }) => path);
  });

  test('has the compiled library, its types, the API for jsii and its documents', () => {
    expect(paths).toEqual(expect.arrayContaining(['lib/index.js', 'lib/index.d.ts', '.jsii', 'package.json', 'README.md', 'API.md', 'LICENSE']));
  });

  test('has each function bundled, so that users need neither esbuild nor Docker', async () => {
    const functions = (await run('git', ['ls-files', 'src/**/*.lambda.ts'])).trim().split('\n');
    expect(functions.length).toBeGreaterThan(0);
    expect(paths).toEqual(expect.arrayContaining(functions.map(file => `assets/${file.slice('src/'.length, -'.ts'.length)}/index.js`)));
  });

  test('has nothing else', () => {
    const expected = /^(lib\/.*(\.js|\.d\.ts)|assets\/.*\/(index\.js|\w+\.py)|assets\/server\/certificates\/[\w-]+\.pem|\.jsii|package\.json|README\.md|API\.md|LICENSE|CHANGELOG\.md)$/;
    expect(paths.filter(path => !expected.test(path))).toEqual([]);
    expect(paths.filter(path => /\.lambda\.(js|d\.ts)$/.test(path) && path.startsWith('lib/'))).toEqual([]);
  });
});

describe('size', () => {
  test.each([
    ['js', '.tgz', 600],
    ['python', '.whl', 700],
  ])('%s: the %s is under %d KB', (language, extension, kilobytes) => {
    const [file] = readdirSync(join(DIST, language)).filter(name => name.endsWith(extension));
    expect(statSync(join(DIST, language, file)).size).toBeLessThan(kilobytes * 1000);
  });
});

test.each([
  ['js', async (directory: string) => run('tar', ['-xOzf', join(directory, readdirSync(directory).find(name => name.endsWith('.tgz'))!), 'package/README.md'])],
  ['python', wheelReadme],
])('%s: the README leads to the repository, since a registry shows it without the files beside it', async (language, readme) => {
  const targets = [...(await readme(join(DIST, language))).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target);
  expect(targets.length).toBeGreaterThan(50);
  expect(targets.filter(target => !/^(https:|#)/.test(target))).toEqual([]);
  expect(targets).toContain('https://github.com/cdk-prefect/cdk-prefect-fargate-worker/raw/main/docs/architecture.png');
});

test('the wheel has the quick start in both languages, each under its own heading', async () => {
  const readme = await wheelReadme(join(DIST, 'python'));
  const under = (heading: string) => readme.split(`### In ${heading}\n`)[1].split('\n### ')[0];
  expect(under('Python')).toContain('PrefectFargateWorker(stack, "Worker",');
  expect(under('TypeScript')).toContain('new PrefectFargateWorker(stack, \'Worker\', {');
  // What is in TypeScript elsewhere is in Python here.
  expect(readme).toContain('bucket.grant_read_write(worker)');
});

test('the Go module asks for the lowest supported versions', async () => {
  const { Require } = JSON.parse(await run('go', ['mod', 'edit', '-json'], { cwd: join(DIST, 'go', 'cdkprefectfargateworker') }));
  const asked = Object.fromEntries(Require.map(({ Path, Version }: Record<string, string>) => [Path, Version]));
  expect(asked['github.com/aws/aws-cdk-go/awscdk/v2']).toBe(`v${dependencies['aws-cdk-lib']}`);
});

function wheelReadme(directory: string): Promise<string> {
  return run('python3', ['-c', 'import glob, sys, zipfile; wheel = zipfile.ZipFile(glob.glob(sys.argv[1] + "/*.whl")[0]);'
    + 'print(next(wheel.read(name).decode() for name in wheel.namelist() if name.endswith("/METADATA")))', directory]);
}
