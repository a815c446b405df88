import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';

/** That bench/README.md has what the benches write, and that each of them can be run. */
const ROOT = join(__dirname, '..', '..');
const read = (...file: string[]) => readFileSync(join(ROOT, ...file), 'utf8');
const readme = read('bench', 'README.md');
const { scripts } = JSON.parse(read('package.json'));
const benches = Object.keys(scripts).filter(name => name.startsWith('bench:'));
const sections = [...readme.matchAll(/<!-- ((?!end of )[^>]+) -->\n([^]*?)<!-- end of \1 -->/g)].map(([, name, text]) => ({ name, text }));

test('each npm script that it names is there', () => {
  for (const [, script] of readme.matchAll(/npm run ([\w:-]+)/g)) expect(scripts).toHaveProperty([script]);
});

test.each(benches)('npm run bench plays %s and has it write what it found, and the page says what that is', name => {
  const { tasks } = JSON.parse(read('.projen', 'tasks.json'));
  expect(tasks.bench.steps.map(({ exec }: { exec: string }) => exec)).toContain(`projen ${name} --update`);
  expect(readme).toContain(`| \`npm run ${name}\` |`);
});

test('what the benches import runs without jest', () => {
  const entryPoints = readdirSync(join(ROOT, 'bench')).filter(file => file.endsWith('.ts')).map(file => join(ROOT, 'bench', file));
  const { metafile } = buildSync({ entryPoints, absWorkingDir: ROOT, bundle: true, write: false, outdir: 'out', metafile: true, platform: 'node', packages: 'external' });
  expect(Object.keys(metafile.inputs)).toContain('test/live/support/prefect.ts');
  expect(Object.keys(metafile.inputs).filter(file => /^(?:(?:before|after)(?:All|Each)|test|describe|jest\.\w+)\(/m.test(read(file)))).toEqual([]);
});

const written = sections.filter(({ name }) => !name.startsWith('scaling'));

test.each(written)('a bench writes the table $name', ({ name, text }) => {
  const programs = readdirSync(join(ROOT, 'bench')).filter(file => file.endsWith('.ts')).map(file => read('bench', file));
  expect(programs.filter(program => program.includes(`report('${name}', `))).toHaveLength(1);
  expect(text).toMatch(/^\| .*\n\|( -+:? \|)+\n\| /m);
});

test('it shows each picture of bench/plots, and no other', () => {
  const shown = written.flatMap(({ text }) => [...text.matchAll(/\]\((plots\/[^)]+)\)/g)].map(([, file]) => file));
  expect(shown.sort()).toEqual(readdirSync(join(ROOT, 'bench', 'plots')).map(file => `plots/${file}`).sort());
  for (const file of shown) expect(existsSync(join(ROOT, 'bench', file)) && read('bench', file)).toMatch(/^<svg [^]*<\/svg>\n$/);
});
