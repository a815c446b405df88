import { createRequire } from 'module';
import type { Engine, Finding } from '../types';

const ENGINE = 'cloudformation-validate';

/** The places a template has to be valid in: one region per partition, and a second commercial one. */
const PLACES = [
  { region: 'us-east-1', partition: 'aws', urlSuffix: 'amazonaws.com' },
  { region: 'eu-central-1', partition: 'aws', urlSuffix: 'amazonaws.com' },
  { region: 'us-gov-west-1', partition: 'aws-us-gov', urlSuffix: 'amazonaws.com' },
  { region: 'cn-north-1', partition: 'aws-cn', urlSuffix: 'amazonaws.com.cn' },
];

/** The validator is a bundled dependency of aws-cdk-lib, so it is looked up from there. */
export function engineModule(): any {
  return createRequire(require.resolve('aws-cdk-lib/package.json'))('@aws/cloudformation-validate');
}

/**
 * CloudFormation's provider schemas and rules. Strict mode counts here what the CDK lets pass at synth,
 * for instance a log retention of 31 days.
 */
export const cloudformationValidate: Engine = async (templates) => {
  const { CompositeEngine, TemplateContent } = engineModule();
  const engine = new CompositeEngine();
  const findings = new Map<string, Finding>();
  try {
    for (const named of templates) {
      const content = new TemplateContent(JSON.stringify(named.template), named.name);
      for (const place of PLACES.filter(({ region }) => !named.env.region || region === named.env.region || region === 'us-east-1')) {
        const report = engine.validateTemplate(content, {
          strict: true,
          severityLevel: 'WARN',
          pseudoParameterOverrides: { accountId: '123456789012', ...place },
        });
        for (const diagnostic of report.diagnostics) {
          const finding: Finding = {
            engine: ENGINE,
            rule: diagnostic.ruleId,
            template: named.name,
            logicalId: diagnostic.entity?.name ?? diagnostic.entity?.logicalId ?? '',
            message: `${diagnostic.message} (${diagnostic.propertyPath ?? 'template'}, in ${place.region})`,
            severity: diagnostic.severity === 'WARN' ? 'warning' : 'error',
          };
          findings.set([finding.template, finding.rule, finding.logicalId, diagnostic.propertyPath, diagnostic.message].join('|'), finding);
        }
      }
    }
  } finally {
    engine.free();
  }
  return [...findings.values()];
};
