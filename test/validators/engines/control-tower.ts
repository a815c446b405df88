import { readdirSync, readFileSync } from 'fs';
import { dirname, join } from 'path';
import { engineModule } from './cloudformation-validate';
import type { Engine, Finding } from '../types';

const RULES = join(dirname(require.resolve('@cdklabs/cdk-validator-cfnguard/package.json')), 'rules', 'control-tower', 'cfn-guard');

/** The proactive controls of AWS Control Tower, in the language of cfn-guard. */
export function controlTowerRules(): { name: string; content: string }[] {
  return readdirSync(RULES, { recursive: true, withFileTypes: true }).filter(({ name }) => name.endsWith('.guard'))
    .map(({ name, parentPath }) => ({ name, content: readFileSync(join(parentPath, name), 'utf8') }));
}

/** The controls of AWS Control Tower, evaluated by the same engine as CloudFormation's own rules. */
export const controlTower: Engine = async (templates) => {
  const { CompositeEngine, TemplateContent } = engineModule();
  const types = new Set(templates.flatMap(({ template }) => Object.values(template.Resources).map(({ Type }) => Type)));
  // A rule file names the types that it looks at; without one of them it has nothing to say, and takes its time.
  const guardRules = controlTowerRules().filter(({ content }) => [...types].some((type) => content.includes(type)));
  const engine = new CompositeEngine({ guardRules });
  const findings = new Map<string, Finding>();
  try {
    for (const named of templates) {
      const report = engine.validateTemplate(new TemplateContent(JSON.stringify(named.template), named.name), {
        strict: true,
        severityLevel: 'WARN',
        pseudoParameterOverrides: { accountId: '123456789012', region: 'us-east-1', partition: 'aws', urlSuffix: 'amazonaws.com' },
      });
      for (const { source, entity, ruleDescription, category, propertyPath } of report.diagnostics) {
        if (source !== 'GUARD') continue;
        const [, rule, what] = /\[(CT\.[A-Z0-9.-]+)\]: (.*)/.exec(ruleDescription ?? '') ?? [undefined, category, ''];
        // The engine tells each clause of a rule that fails; the first one that names a place is enough.
        const container = /ContainerDefinitions\.(\d+)/.exec(propertyPath ?? '')?.[1];
        const name = container && named.template.Resources[entity.logicalId].Properties?.ContainerDefinitions[container].Name;
        const finding: Finding = {
          engine: 'control-tower',
          rule,
          template: named.name,
          logicalId: entity?.logicalId ?? '',
          message: name ? `${what} (container ${name})` : what,
          severity: 'error',
        };
        if (finding.logicalId) findings.set([named.name, rule, finding.logicalId, finding.message].join('|'), finding);
      }
      const unplaced = report.diagnostics.filter(({ source, entity, category }: any) => source === 'GUARD' && !entity
        && !report.diagnostics.some((other: any) => other.category === category && other.entity));
      for (const { category, message } of unplaced) {
        findings.set([named.name, category, message].join('|'), { engine: 'control-tower', rule: category, template: named.name, logicalId: '', message, severity: 'error' });
      }
    }
  } finally {
    engine.free();
  }
  return [...findings.values()];
};
