import { readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { runPython, runTypeScript } from './support/languages';
import { packAll } from './support/packages';
import { ROOT, WORK } from './support/run';

/** The cookbook's recipes, written in Python too: each gives the templates and assets that TypeScript gives, with the packages just made. */
jest.setTimeout(20 * 60_000);

const EXAMPLES = join(ROOT, 'examples');
const TWINS = join(EXAMPLES, 'python', 'recipes');
const OUT = join(WORK, 'out', 'recipes');

const recipes = namesIn(EXAMPLES, '.ts');

function namesIn(folder: string, extension: string): string[] {
  return readdirSync(folder).filter(file => file.endsWith(extension)).map(file => basename(file, extension)).sort();
}

/** All files of a cloud assembly that are deployed: templates, and which assets they need, by hash. */
function assembly(language: string, recipe: string): Record<string, unknown> {
  const folder = join(OUT, language, recipe);
  const deployed = readdirSync(folder).filter(file => /\.(template|assets)\.json$/.test(file));
  expect(deployed.length).toBeGreaterThan(1);
  return Object.fromEntries(deployed.map(file => [file, JSON.parse(readFileSync(join(folder, file), 'utf8'))]));
}

const assetFolders = (language: string, recipe: string) => readdirSync(join(OUT, language, recipe)).filter(file => file.startsWith('asset.')).sort();

beforeAll(async () => {
  await packAll();
  await rm(OUT, { recursive: true, force: true });
  await Promise.all([
    runTypeScript('recipes', [join(OUT, 'typescript')]),
    runPython(TWINS, [join(__dirname, 'python', 'recipes.py'), join(OUT, 'python')], { PYTHONPATH: TWINS }),
  ]);
});

test('every recipe has its twin in Python', () => {
  expect(namesIn(TWINS, '.py')).toEqual(recipes.map(name => name.replaceAll('-', '_')));
});

test.each(recipes)('gives the templates and assets of TypeScript: %s', recipe => {
  expect(assembly('python', recipe)).toEqual(assembly('typescript', recipe));
  expect(assetFolders('python', recipe)).toEqual(assetFolders('typescript', recipe));
});
