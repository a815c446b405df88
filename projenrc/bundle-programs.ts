import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What workers and flow runs run, which comes along as an asset: each a program in one piece, as it is handed to `python -c`. */
const SOURCES = join('src', 'task');
const PROGRAMS = ['launcher.py', 'supervisor.py', 'flow_run.py', 'health_check.py'];

const read = (file: string) => readFileSync(join(SOURCES, file), 'utf8');
const IMPORT = /^from (\w+) import .*\n/gm;

/** A program with the modules that it imports of ours in place of these lines, each once. */
function bundled(text: string, included = new Set<string>()): string {
  return text.replace(IMPORT, (line, module) => {
    if (!existsSync(join(SOURCES, `${module}.py`))) return line;
    if (included.has(module)) return '';
    included.add(module);
    return bundled(read(`${module}.py`).replace(/^"""[^]*?"""\n\nfrom __future__ .*\n\n/, ''), included);
  });
}

/** Its modules' imports, each once. */
function withImportsOnce(text: string): string {
  const seen = new Set<string>();
  return text.replace(/^(?:import|from) .*\n/gm, line => seen.has(line) ? '' : (seen.add(line), line));
}

/** Without what readers of the source have comments for, but its first words: a task definition holds 64 KiB. */
function compact(text: string): string {
  return text.replace(/^[ \t]*(?:#.*|"""[^"]*""")\n/gm, (comment, offset) => offset === 0 ? comment : '').replace(/ {2}#:? .*$/gm, '').replace(/\n{2,}(?=[ \t])/g, '\n').replace(/\n{3,}/g, '\n\n');
}

/** Its modules are one in the end, and a name can't be two things. */
function requireNamesOnce(file: string, text: string): void {
  const names = [...text.matchAll(/^(?:(?:def|class) (\w+)|(\w+)(?:: [^=\n]*)? = )/gm)].map(([, one, other]) => one ?? other);
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  if (twice.length > 0) throw new Error(`${file} has several ${twice.join(', ')}.`);
}

mkdirSync(join('assets', 'task'), { recursive: true });
for (const file of PROGRAMS) {
  const text = compact(withImportsOnce(bundled(read(file))));
  requireNamesOnce(file, text);
  writeFileSync(join('assets', 'task', file), text);
}

/** What a server's tasks run, and the certificates that they trust. */
for (const file of ['launcher.py', 'health_check.py', 'services_health.py', 'certificates']) {
  cpSync(join('src', 'server', file), join('assets', 'server', file), { recursive: true });
}
