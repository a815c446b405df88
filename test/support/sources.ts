import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const SRC = join(__dirname, '..', '..', 'src');

/** The files of src/ that these import, with themselves. */
function reached(...files: string[]): Set<string> {
  const seen = new Set<string>();
  const visit = (file: string) => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const [, path] of read(file).matchAll(/^(?:import|export)(?! type).* from '(\.[^']*)';$/gm)) visit(`${join(dirname(file), path)}.ts`);
  };
  files.forEach(visit);
  return seen;
}

const read = (file: string) => readFileSync(join(SRC, file), 'utf8');

/** The files of src/ that run in apps and in no function, with their text. */
export function ofAppsOnly(): { readonly file: string; readonly text: string }[] {
  const ofFunctions = reached(...readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.lambda.ts')));
  const ofApps = [...reached('index.ts')].filter(file => !ofFunctions.has(file));
  if (ofApps.length < 60) throw new Error(`Only ${ofApps.length} files of src/ are found: the imports are read wrongly.`);
  return ofApps.map(file => ({ file, text: read(file) }));
}
