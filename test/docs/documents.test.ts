import { execFile } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { documents, filledIn } from '../../docs/tools/documents';

const ROOT = join(__dirname, '..', '..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

interface Snippet {
  readonly location: { readonly api: { readonly fqn?: string }; readonly field?: { readonly line: number } };
  readonly translations: { readonly [language: string]: { readonly source: string } };
}

describe('every snippet of the README and the API', () => {
  let snippets: Snippet[];
  let problems: string;

  beforeAll(async () => {
    const tablet = join(ROOT, '.cache', 'snippets.json');
    // Nothing from an earlier run.
    for (const path of [tablet, join(ROOT, '.jsii.tabl.json')]) rmSync(path, { force: true });
    const run = promisify(execFile)('npx', ['jsii-rosetta', 'extract', '--strict', '--cache-to', tablet, '.'], { cwd: ROOT });
    problems = await run.then(() => '', error => error.stdout + error.stderr);
    snippets = Object.values(JSON.parse(readFileSync(tablet, 'utf8')).snippets);
  }, 180_000);

  test('compiles', () => {
    expect(problems).toBe('');
    // What jsii compiled is the README that is there now.
    expect(JSON.parse(read('.jsii')).readme.markdown).toBe(read('README.md'));
    expect(snippets.filter(({ location }) => location.api.fqn === undefined).length).toBe(read('README.md').match(/^```ts/gm)!.length);
  });

  test.each(['README.md', 'docs/languages.md'])('in %s has a language that is checked', path => {
    const languages = [...read(path).matchAll(/^```(\S+)/gm)].map(([, language]) => language);
    expect(languages.filter(language => !['ts', 'python', 'java', 'go', 'csharp', 'sh', 'text'].includes(language))).toEqual([]);
    // Those that rosetta doesn't compile are whole files, for their own compilers.
    const blocks = [...read(path).matchAll(/(.*)\n+```(python|java|go|csharp)\n/g)];
    expect(blocks.filter(([, before]) => !before.startsWith('<!-- file: examples/'))).toEqual([]);
  });

  test('says the same in Python', () => {
    const quickStart = snippets.find(({ translations }) => translations.$.source === read('examples/quick-start/app.ts').trimEnd());
    expect(`${quickStart?.translations.python.source}\n`).toBe(read('examples/quick-start/app.py'));
  });
});

describe.each(documents())('%s', path => {
  test('shows files and tables as they are now', () => expect(read(path)).toBe(filledIn(read(path), path)));

  test('links to files and headings that exist', () => {
    const links = [...read(path).replace(/^```[^]*?^```$/gm, '').matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)/g)];
    const broken = links.filter(([, file, anchor]) => {
      const target = file ? join(dirname(path), file) : path;
      if (!existsSync(join(ROOT, target))) return true;
      return anchor !== undefined && !anchors(read(target)).has(anchor);
    });
    expect(broken.map(([link]) => link)).toEqual([]);
  });

  test('names no machine', () => expect(read(path)).not.toMatch(/(^|[\s`'"(])\/(home|root|work|Users)\/|192\.168\.|\.local\b/));
});

/** The anchors that GitHub makes of headings, and those that are written out. */
function anchors(text: string): Set<string> {
  const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading.toLowerCase().replace(/<[^>]*>/g, '').trim().replace(/[^\p{L}\p{N}\- _]/gu, '').replace(/ /g, '-'));
  return new Set([...headings, ...[...text.matchAll(/(?:id|name)="([^"]+)"/g)].map(([, id]) => id)]);
}

test.each(documents().filter(path => path.startsWith('docs/')))('%s shows no TypeScript that nobody compiles', path => {
  const blocks = [...read(path).matchAll(/(.*)\n+```(?:ts|typescript)\n/g)];
  expect(blocks.filter(([, before]) => !before.startsWith('<!-- file: examples/')).map(([block]) => block)).toEqual([]);
});
