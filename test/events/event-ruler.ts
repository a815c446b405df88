import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const REPOSITORY = join(__dirname, '..', '..');
const MAVEN_PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';

export interface Question {
  readonly pattern: unknown;
  readonly event: unknown;
}

/** Whether Amazon EventBridge would match each event with its pattern, by the library that it uses itself. */
export async function matches(questions: readonly Question[]): Promise<boolean[]> {
  const jars = await library();
  return JSON.parse(await run('java', ['-cp', join(jars, '*'), join(__dirname, 'Match.java')], JSON.stringify(questions)));
}

/** The library's jars at their locked hashes, fetched by Maven on first use and kept in `.cache/event-ruler`. */
async function library(): Promise<string> {
  const locked = readFileSync(join(__dirname, 'jars.sha256'), 'utf8');
  const key = createHash('sha256').update(locked).update(readFileSync(join(__dirname, 'pom.xml'))).digest('hex').slice(0, 16);
  const directory = join(REPOSITORY, '.cache', 'event-ruler', key);
  if (existsSync(directory)) return directory;
  const fetched = `${directory}.${process.pid}`;
  await run('mvn', ['--quiet', '--batch-mode', '--file', join(__dirname, 'pom.xml'), MAVEN_PLUGIN, `-DoutputDirectory=${fetched}`, '-DincludeScope=runtime']);
  for (const [hash, name] of locked.trim().split('\n').map((line) => line.split(/\s+/))) {
    const actual = createHash('sha256').update(readFileSync(join(fetched, name))).digest('hex');
    if (actual !== hash) {
      rmSync(fetched, { recursive: true });
      throw new Error(`${name} has the hash ${actual}, not ${hash} as in jars.sha256.`);
    }
  }
  // Another process may have been faster.
  if (existsSync(directory)) rmSync(fetched, { recursive: true });
  else renameSync(fetched, directory);
  return directory;
}

function run(program: string, args: string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    let [output, errors] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => output += chunk);
    child.stderr.on('data', (chunk: Buffer) => errors += chunk);
    child.on('error', () => reject(new Error(`Event patterns are proven with Java 17 and Maven, and there is no program ${program} on the PATH.`)));
    child.on('close', (code) => code === 0 ? resolve(output) : reject(new Error(`${program} ended with ${code}:\n${errors || output}`)));
    child.stdin.end(input);
  });
}
