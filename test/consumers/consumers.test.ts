import { readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { scenarios } from '../scenarios';
import { Language, others, reference, synthesizeStarter } from './support/languages';
import { packAll } from './support/packages';
import { WORK } from './support/run';

/**
 * Small real apps in each language, run against the packages just made, with the lowest aws-cdk-lib. Whatever language an app
 * is written in, it gets the template that TypeScript gives, and the same assets.
 */
jest.setTimeout(20 * 60_000);

const MISTAKES = ['a work pool\'s name', 'a worker\'s size'];

const out = (language: Language) => join(WORK, 'out', language.name);

interface Mistake {
  readonly message: string;
  readonly shown: string;
}

/** All files of a cloud assembly that are deployed: templates, and which assets they need, by hash. */
function assembly(language: Language, name: string): Record<string, unknown> {
  const folder = join(out(language), name);
  const deployed = readdirSync(folder).filter(file => /\.(template|assets)\.json$/.test(file));
  expect(deployed.length).toBeGreaterThan(1);
  return Object.fromEntries(deployed.map(file => [file, JSON.parse(readFileSync(join(folder, file), 'utf8'))]));
}

function assetFolders(language: Language, name: string): string[] {
  return readdirSync(join(out(language), name)).filter(file => file.startsWith('asset.')).sort();
}

const mistakes = (language: Language): Record<string, Mistake> => JSON.parse(readFileSync(join(out(language), 'mistakes.json'), 'utf8'));

async function runApps(language: Language): Promise<void> {
  const start = Date.now();
  await rm(out(language), { recursive: true, force: true });
  await language.synthesize(out(language));
  const scenariosDone = Date.now();
  await synthesizeStarter(language, join(out(language), 'starter'));
  const starterDone = Date.now();
  await synthesizeStarter(language, join(out(language), 'quick-start'), { quickStart: true });
  const seconds = (milliseconds: number) => (milliseconds / 1000).toFixed(1);
  process.stdout.write(`${language.name}: ${scenarios.length} scenarios in ${seconds(scenariosDone - start)} s, `
    + `the starter in ${seconds(starterDone - scenariosDone)} s, the quick start in ${seconds(Date.now() - starterDone)} s\n`);
}

beforeAll(async () => {
  for (const language of others) await language.requireTools();
  await packAll();
  await runApps(reference);
});

describe.each(others)('$name', language => {
  beforeAll(() => runApps(language));

  test.each(scenarios)('gives the templates and assets of TypeScript: $name', ({ name }) => {
    expect(assembly(language, name)).toEqual(assembly(reference, name));
    expect(assetFolders(language, name)).toEqual(assetFolders(reference, name));
  });

  test.each(['starter', 'quick-start'])('gives the template of TypeScript with its %s', name => {
    expect(assembly(language, name)).toEqual(assembly(reference, name));
  });

  test.each(MISTAKES)('says what is wrong before it shows any frame: %s', name => {
    const sentence = mistakes(reference)[name].message;
    const { message, shown } = mistakes(language)[name];
    // jsii puts the JavaScript class of an error that a static method throws before its message.
    expect(message.split('\n')[0].replace(/^ValidationError: /, '')).toBe(sentence);
    // What the user sees has frames of jsii too, but never before the sentence.
    expect(shown.split(/\n\s+at /)[0]).toContain(sentence);
  });
});
