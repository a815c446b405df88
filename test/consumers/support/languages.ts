import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { cp, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, delimiter, join, sep } from 'node:path';
import { build } from 'esbuild';
import { DIST, MAVEN_REPOSITORY, requireTool, ROOT, run, WORK } from './run';
import { pythonEnvironment } from '../../python/environment';

/** How an app of one language is built and run against the package just made. */
export interface Language {
  readonly name: string;
  /** Throws with what to install where a tool is missing. */
  readonly requireTools: () => Promise<void>;
  /** Synthesizes all scenarios, each into a folder of `out`. One process: jsii takes seconds to start. */
  readonly synthesize: (out: string) => Promise<void>;
  /** The starter's program, whose place the quick start of the README can take. */
  readonly program: string;
  /** What the starter's build wants above the quick start. */
  readonly heading?: string;
  /** Makes a copy of the starter run here, where a user's copy would take the package from a registry, and returns its environment. */
  readonly prepareStarter: (folder: string) => Promise<NodeJS.ProcessEnv>;
}

const here = join(__dirname, '..');

const typescript: Language = {
  name: 'typescript',
  program: 'app.ts',
  requireTools: async () => {},
  synthesize: out => runTypeScript('app', [out]),
  prepareStarter: async folder => {
    await installForNode(folder);
    return { PATH: [join(ROOT, 'node_modules', '.bin'), process.env.PATH].join(delimiter) };
  },
};

/** Runs one of the programs here where the package just built is installed. */
export async function runTypeScript(program: string, args: readonly string[]): Promise<void> {
  const folder = join(WORK, 'typescript');
  await installForNode(folder);
  await build({
    entryPoints: [join(here, 'typescript', `${program}.ts`)],
    outfile: join(folder, `${program}.js`),
    bundle: true,
    platform: 'node',
    packages: 'external',
    // The recipes look for their images beside themselves, and the bundle is elsewhere.
    define: { __dirname: JSON.stringify(join(ROOT, 'examples')) },
    plugins: [{
      // The scenarios are written against src/, and so are the recipes by a path of their tsconfig; here they use the package, as a user's app does.
      name: 'package-for-source',
      setup: ({ onResolve }) => onResolve({ filter: /\/src$|^cdk-prefect-fargate-worker$/ }, () => ({ path: 'cdk-prefect-fargate-worker', external: true })),
    }],
  });
  await run('node', [`${program}.js`, ...args], { cwd: folder });
}

/** The npm package beside the lowest aws-cdk-lib, as `npm install` would lay them. */
async function installForNode(folder: string): Promise<void> {
  const modules = join(folder, 'node_modules');
  await rm(modules, { recursive: true, force: true });
  await mkdir(join(modules, 'cdk-prefect-fargate-worker'), { recursive: true });
  const [tarball] = readdirSync(join(DIST, 'js'));
  await run('tar', ['-xzf', join(DIST, 'js', tarball), '-C', join(modules, 'cdk-prefect-fargate-worker'), '--strip-components', '1']);
  for (const name of ['aws-cdk-lib', 'constructs']) await symlink(join(ROOT, 'test', 'lowest', 'node_modules', name), join(modules, name));
}

const python: Language = {
  name: 'python',
  program: 'app.py',
  requireTools: async () => {},
  synthesize: async out => {
    const { bin } = await virtualEnvironment();
    await run(join(bin, 'python'), [join(here, 'python', 'app.py'), out]);
  },
  prepareStarter: async () => {
    const { bin } = await virtualEnvironment();
    return { PATH: [bin, process.env.PATH].join(delimiter) };
  },
};

/** An environment with the wheel just built, and what it needs by hash. */
async function virtualEnvironment(): Promise<{ readonly bin: string }> {
  const lock = join(here, 'python', 'requirements.lock');
  const { bin: tools, python: interpreter } = await pythonEnvironment();
  const directory = join(WORK, 'python', createHash('sha256').update(readFileSync(lock)).digest('hex').slice(0, 16));
  const bin = join(directory, 'bin');
  const install = (...args: string[]) => run(join(tools, 'uv'), ['pip', 'install', '--python', join(bin, 'python'), ...args]);
  if (!existsSync(join(directory, '.ready'))) {
    await run(join(tools, 'uv'), ['venv', '--clear', '--python', interpreter, directory]);
    // Compiling aws_cdk takes as long as importing it otherwise would each time.
    await install('--compile-bytecode', '--require-hashes', '-r', lock);
    await writeFile(join(directory, '.ready'), '');
  }
  const wheel = readdirSync(join(DIST, 'python')).find(name => name.endsWith('.whl'))!;
  await install('--no-deps', '--reinstall', join(DIST, 'python', wheel));
  return { bin };
}

const java: Language = {
  name: 'java',
  program: 'src/main/java/com/example/App.java',
  heading: 'package com.example;\n\n',
  requireTools: async () => {
    await requireTool('javac of a JDK', ['-version'], /javac (\d+)/, 11, '`apt install default-jdk` or `brew install openjdk`');
    await requireTool('mvn (Maven)', ['--version'], /Maven (\d+)/, 3, '`apt install maven` or `brew install maven`');
  },
  synthesize: async out => {
    const folder = join(WORK, 'java');
    await rm(folder, { recursive: true, force: true });
    await cp(join(here, 'java'), folder, { recursive: true });
    await run('mvn', ['--batch-mode', '--quiet', `-Dmaven.repo.local=${MAVEN_REPOSITORY}`, 'compile', 'exec:java', `-Dexec.args=${out}`], { cwd: folder });
  },
  prepareStarter: async folder => {
    await mkdir(join(folder, '.mvn'));
    await writeFile(join(folder, '.mvn', 'maven.config'), `--batch-mode\n-Dmaven.repo.local=${MAVEN_REPOSITORY}\n`);
    return {};
  },
};

const GO_MODULE = 'github.com/cdk-prefect/cdk-prefect-fargate-worker-go/cdkprefectfargateworker';

const go: Language = {
  name: 'go',
  program: 'main.go',
  requireTools: () => requireTool('go', ['version'], /go1\.(\d+)/, 25, '`brew install go` or from go.dev/dl (1.25 or later)'),
  synthesize: async out => {
    await run('go', ['build', '-o', join(WORK, 'go', 'app'), '.'], { cwd: join(here, 'go') });
    await run(join(WORK, 'go', 'app'), [out]);
  },
  prepareStarter: async folder => {
    for (const file of ['go.mod', 'go.sum']) await cp(join(here, 'go', file), join(folder, file));
    await run('go', ['mod', 'edit', '-replace', `${GO_MODULE}=${join(DIST, 'go', 'cdkprefectfargateworker')}`], { cwd: folder });
    return {};
  },
};

export const reference = typescript;
export const others: readonly Language[] = [python, java, go];

/** Runs a copy of the language's starter, or the quick start in its place, by the command in its cdk.json, as the CDK CLI does. */
export async function synthesizeStarter(language: Language, out: string, { quickStart = false } = {}): Promise<void> {
  const folder = join(WORK, 'starters', language.name);
  await rm(folder, { recursive: true, force: true });
  await cp(join(ROOT, 'examples', 'starters', language.name), folder, {
    recursive: true,
    filter: source => !source.split(sep).some(part => ['node_modules', 'target', '.venv', 'cdk.out'].includes(part)),
  });
  if (quickStart) {
    const source = readFileSync(join(ROOT, 'examples', 'quick-start', basename(language.program)), 'utf8');
    await writeFile(join(folder, language.program), `${language.heading ?? ''}${source}`);
  }
  const env = await language.prepareStarter(folder);
  const { app, context } = JSON.parse(readFileSync(join(folder, 'cdk.json'), 'utf8'));
  await run('sh', ['-c', app], { cwd: folder, env: { ...env, CDK_OUTDIR: out, CDK_CONTEXT_JSON: JSON.stringify(context ?? {}) } });
}

/** Runs Python where the wheel just built is installed, in a folder of the examples. */
export async function runPython(folder: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const { bin } = await virtualEnvironment();
  return run(join(bin, 'python'), [...args], { cwd: folder, env: { ...env, PYTHONDONTWRITEBYTECODE: '1' } });
}
