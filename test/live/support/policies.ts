import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Template } from '../../validators/types';

/** The template that was deployed from a cloud assembly with one stack. */
export function deployedTemplate(output: string): Template {
  const file = readdirSync(output).find(name => name.endsWith('.template.json'));
  if (!file) throw new Error(`There is no template in ${output}: deploy first.`);
  return JSON.parse(readFileSync(join(output, file), 'utf8'));
}
