import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ts from 'typescript';
import { documents } from './documents';

/**
 * Looks for words that a reader stumbles over, in documents, docstrings, comments and messages: `npm run prose`. A well-kept list of wordy and
 * weak phrases (write-good), and the words of this project, each with what to write instead.
 */
const ROOT = join(__dirname, '..', '..');
// It has no types.
// eslint-disable-next-line @typescript-eslint/no-require-imports
const writeGood: (text: string, options: object) => { readonly index: number; readonly offset: number; readonly reason: string }[] = require('write-good');

/** Passive voice is right where the one who acts doesn't matter, and the words here are AWS's or Prefect's, or exact. */
const OPTIONS = { passive: false, thereIs: false, so: false, illusion: false };
const ALLOWED = new Set([
  'just', 'rarely', 'slowly', 'easily', 'shortly', 'is a number', 'in the process of', 'at this time', 'point in time', 'in between', 'as to',
  'additional', 'advise', 'all of', 'appropriate', 'attempt', 'attempts', 'combined', 'component', 'daily', 'delete', 'directly', 'early',
  'equivalent', 'evaluate', 'exactly', 'expiration', 'few', 'forward', 'function', 'hourly', 'however', 'initial', 'it is', 'it was', 'many',
  'maximum', 'minimum', 'modify', 'monitor', 'monthly', 'multiple', 'nearly', 'newly', 'only', 'option', 'other than', 'provide', 'provides',
  'quite', 'really', 'request', 'retain', 'several', 'similarly', 'submit', 'type', 'type of', 'usually', 'utilization', 'validate', 'very',
  'weekly', 'yearly',
]);

/** What not to write, and what instead. */
const VOCABULARY: readonly (readonly [RegExp, string])[] = [
  [/\brights\b/gi, 'permissions'],
  [/\bway out\b/gi, 'fix, or egress'],
  [/\b(is|are|was|were) made\b(?! (of|up|by hand|at))/gi, 'created'],
  [/\bof yours\b/gi, 'your own …'],
  [/\bgoes off\b/gi, 'is raised'],
  [/\bno fault\b/gi, 'what it is'],
  [/\bin vain\b/gi, 'is wasted'],
  [/\bas (it|they) should not\b/gi, 'in the wrong state'],
  [/\bhas to go\b/gi, 'stops, or is deleted'],
  [/\bnothing beside\b/gi, 'nothing else'],
  [/\bnobody works\b/gi, 'no work is'],
  [/\d %/g, 'no space before %'],
  [/\b(make|makes|making) (a|an|the) (stack|bucket|role|pool|work pool|key|topic|VPC|secret|destination|deployment|automation|queue)\b/gi, 'create'],
  [/\bmade (for you|by you)\b/gi, 'created'],
  [/\b(make|makes|made|making) (it|them)( all)? (anew|again)\b|\bto have one made\b/gi, 'create'],
  [/\banew\b/gi, 'again, or new'],
  [/\bis (it|they) let\b|\b(is|are) let alone\b/gi, 'stays as it is'],
  [/\b(is|are) no (JSON|certificate|name|number|valid)\b/gi, 'is not a …'],
  [/\bsomething else than\b/gi, 'not a …'],
  [/\bis there twice\b/gi, 'is listed twice'],
  [/\bnobody (knows|may)\b/gi, 'who can\'t, or that it is unknown'],
  [/\bnot known\b/gi, 'unknown, or who doesn\'t know it'],
  [/\b(pool|template|stack|construct|it) (brought )?goes(?= (when|with)\b|[,.])/gi, 'is deleted, or removed'],
  [/\bt(ake|akes|ook) no (more tasks|names?|permissions)\b/gi, 'does not accept'],
  [/\b(bring|brings) along\b/gi, 'name, or contain'],
  [/\bflow runs that run\b(?! out)/gi, 'running flow runs'],
  [/\b(a|no|the) way to (the internet|the API|it)\b/gi, 'route'],
  [/\b(that|which) (is|are) there(?= already|[,.;]|\n)/gi, 'existing, or running'],
  [/\bmend(s|ed|ing)?\b/gi, 'fix'],
  [/\bin clear\b(?! text)/gi, 'in clear text'],
  [/\blower the one\b/gi, 'lower one'],
  [/\bhow the worker is\b/gi, 'the state of the worker'],
  [/\bstands (here|there|nowhere)\b/gi, 'is written, or is'],
  [/\brescue function\b/gi, 'reconciler'],
];

export interface Remark {
  readonly where: string;
  readonly what: string;
  readonly why: string;
}

/** Everything that people read, by where it stands. */
export function texts(): Map<string, string> {
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.ts'));
  return new Map([
    ...documents().filter(path => path !== 'bench/README.md').map((path): [string, string] => [path, prose(readFileSync(join(ROOT, path), 'utf8'))]),
    ...sources.map((name): [string, string] => [join('src', name), spoken(readFileSync(join(ROOT, 'src', name), 'utf8'))]),
  ]);
}

/** What of a text a reader would stumble over. */
export function remarks(where: string, text: string): Remark[] {
  const around = (index: number, length: number) => text.slice(Math.max(0, index - 40), index + length + 40).replace(/\s+/g, ' ');
  return [
    ...writeGood(text, OPTIONS).filter(({ index, offset }) => !ALLOWED.has(text.slice(index, index + offset).toLowerCase().replace(/\s+/g, ' '))).map(({ index, offset, reason }) => ({ where, what: around(index, offset), why: reason })),
    ...VOCABULARY.flatMap(([pattern, instead]) => [...text.matchAll(pattern)].map(found => ({ where, what: around(found.index, found[0].length), why: `"${found[0]}": write ${instead}` }))),
  ];
}

/** Markdown without code, comments and addresses. */
function prose(markdown: string): string {
  return markdown.replace(/^```[^]*?^```$/gm, '').replace(/`[^`\n]*`/g, (_, at: number) => `code${at}`).replace(/<!--[^]*?-->/g, '').replace(/\]\([^)]*\)/g, ']');
}

/** What a string says, without its quotes and what is filled in; in backticks it would pass for code. */
function sentence(literal: string): string {
  return literal.slice(1, -1).replace(/\$\{[^{}]*(\{[^{}]*\}[^{}]*)*\}/g, 'code').replace(/\\(.)/g, '$1');
}

/** The comments of a program, and the sentences among its strings. */
function spoken(program: string): string {
  const file = ts.createSourceFile('program.ts', program, ts.ScriptTarget.Latest, true);
  const said: string[] = [...program.matchAll(/\/\*\*?[^]*?\*\/|(?<=^|\s)\/\/ .*$/gm)].map(([comment]) => comment.replace(/^\s*(\/\*\*?|\*\/|\*|\/\/)/gm, '').replace(/\*\//g, ''));
  const visit = (node: ts.Node): void => {
    if ((ts.isStringLiteralLike(node) || ts.isTemplateExpression(node)) && node.getText().split(' ').length > 4) said.push(sentence(node.getText()));
    ts.forEachChild(node, visit);
  };
  visit(file);
  return prose(said.join('\n\n'));
}

if (require.main === module) {
  const all = [...texts()].flatMap(([where, text]) => remarks(where, text));
  for (const { where, what, why } of all) console.log(`${where}: ${why}\n    … ${what} …`);
  console.log(`${all.length} remarks`);
  process.exitCode = all.length > 0 ? 1 : 0;
}
