import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suppressions } from './suppressions';
import type { Finding, NamedTemplate } from './types';
import { WATCHING_RULES } from '../../src/compliance/config-rules';
import { FINDINGS, WILDCARDS } from '../../src/private/acknowledged-findings';
import { SERVER_FINDINGS } from '../../src/server/acknowledged-findings';

const FILE = join(__dirname, '..', '..', 'docs', 'compliance.md');
const START = '<!-- made by test/validators/report.ts: NAME -->';
const END = '<!-- end of NAME -->';

const NAMES: Record<string, string> = {
  'cloudformation-validate': 'CloudFormation',
  'cdk-nag': 'cdk-nag',
  'cfn-lint': 'cfn-lint',
  'checkov': 'checkov',
  'control-tower': 'Control Tower',
  'rules': 'our own',
};

/** The tables of docs/compliance.md, by name, with the marks between which they stand. */
export function tables(): Record<string, string> {
  return {
    exceptions: marked('exceptions', ['finding of', 'why it is right as it is'], exceptions()),
    rules: marked('rules', ['managed rule', 'finds that', 'what to do then'],
      WATCHING_RULES.map(({ identifier, finding, fix }) => [`\`${identifier}\``, finding, fix])),
  };
}

function marked(name: string, titles: string[], rows: string[][]): string {
  const lines = [titles, titles.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return [START.replace('NAME', name), '', ...lines, '', END.replace('NAME', name)].join('\n');
}

/** One line for each reason, with the rules that it answers. */
function exceptions(): string[][] {
  const byReason = new Map<string, string[]>();
  const add = (reason: string, name: string) => byReason.set(reason, [...new Set([...byReason.get(reason) ?? [], name])]);
  for (const { rules, reason } of [...FINDINGS, ...SERVER_FINDINGS]) [...new Set(rules.map(short))].forEach(rule => add(reason, `cdk-nag ${rule}`));
  for (const { actions, reason } of WILDCARDS) add(reason, `cdk-nag AwsSolutions-IAM5 of ${actions.join(', ')}`);
  for (const { engine, rule, reason } of suppressions) add(reason, `${NAMES[engine] ?? engine} ${readable(rule)}`);
  return [...byReason].map(([reason, rules]) => [rules.join('<br>'), reason]);
}

/** A rule without the pack of one industry, and without the beginning of an ARN. */
function short(rule: string): string {
  return rule.replace(/^(HIPAA\.Security|NIST\.800\.53\.R5|PCI\.DSS\.321)-/, '').replace(/Policy::.*\//, '');
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
  const text = Object.entries(tables()).reduce((before, [name, table]) => {
    const [start, end] = [START, END].map((mark) => mark.replace('NAME', name));
    return before.slice(0, before.indexOf(start)) + table + before.slice(before.indexOf(end) + end.length);
  }, readCompliance());
  writeFileSync(FILE, text);
}
