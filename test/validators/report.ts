import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suppressions } from './suppressions';
import type { Finding, NamedTemplate } from './types';

const FILE = join(__dirname, '..', '..', 'docs', 'compliance.md');
const START = '<!-- exceptions: made by test/validators/report.ts -->';
const END = '<!-- end of exceptions -->';

const NAMES: Record<string, string> = {
  'cloudformation-validate': 'CloudFormation',
  'cdk-nag': 'cdk-nag',
  'cfn-lint': 'cfn-lint',
  'checkov': 'checkov',
  'control-tower': 'Control Tower',
  'rules': 'our own',
};

/** The exceptions as a table: one line for each reason, with the rules that it answers. */
export function exceptionsTable(): string {
  const byReason = new Map<string, string[]>();
  for (const { engine, rule, reason } of suppressions) {
    const name = `${NAMES[engine] ?? engine} ${readable(rule)}`;
    byReason.set(reason, [...new Set([...byReason.get(reason) ?? [], name])]);
  }
  const lines = [...byReason].map(([reason, rules]) => `| ${rules.join('<br>')} | ${reason} |`);
  return [START, '', '| finding of | why it is right as it is |', '| --- | --- |', ...lines, '', END].join('\n');
}

/** A rule's pattern as a person would write it. */
function readable(rule: string | RegExp): string {
  if (typeof rule === 'string') return rule;
  return rule.source.replace(/^\^|\$$/g, '').replace(/NIST\\\.800\\\.53\\\.R5/g, 'NIST').replace(/PCI\\\.DSS\\\.321/g, 'PCI').replace(/HIPAA\\\.Security/g, 'HIPAA')
    .replace(/\[\^\*\]\+/g, '…').replace(/\.\*/g, '…').replace(/\\(.)/g, '$1').replace(/[()]/g, '').replace(/\?/g, '').replace(/\|/g, '/');
}

/** How much each checker found in each template, before exceptions. */
export function countsTable(found: Record<string, Finding[]>, templates: readonly NamedTemplate[]): string {
  const names = [...new Set(templates.map(({ name }) => name))];
  const row = (title: string, cells: (string | number)[]) => `${title.padEnd(26)}${cells.map((cell) => String(cell).padStart(18)).join('')}`;
  return [
    row('', names),
    row('resources', templates.map(({ template }) => Object.keys(template.Resources).length)),
    ...Object.entries(found).map(([engine, findings]) => row(engine, names.map((name) => findings.filter(({ template }) => template === name || template === name.split('/')[0]).length))),
  ].join('\n');
}

export function readCompliance(): string {
  return readFileSync(FILE, 'utf8');
}

if (require.main === module) {
  mkdirSync(dirname(FILE), { recursive: true });
  const text = readCompliance();
  writeFileSync(FILE, text.slice(0, text.indexOf(START)) + exceptionsTable() + text.slice(text.indexOf(END) + END.length));
}
