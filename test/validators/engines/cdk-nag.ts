import { AwsSolutionsChecks, HIPAASecurityChecks, NagPack, NIST80053R5Checks, PCIDSS321Checks } from 'cdk-nag';
import { IConstruct } from 'constructs';
import type { Engine } from '../types';

const PACKS: Record<string, (app: IConstruct) => NagPack> = {
  'AwsSolutions': app => new AwsSolutionsChecks(app),
  'NIST 800-53 R5': app => new NIST80053R5Checks(app),
  'PCI DSS 3.2.1': app => new PCIDSS321Checks(app),
  'HIPAA Security': app => new HIPAASecurityChecks(app),
};

/**
 * A pack of cdk-nag. It looks at constructs, not at JSON: templates without an app (mutants, and the
 * second and later stacks of an app) are left out, their constructs being walked with the first.
 */
const engineOf = (pack: (app: IConstruct) => NagPack): Engine => async (templates) => templates.flatMap((named) => {
  if (!named.app) {
    return [];
  }
  const report = pack(named.app).validateScope(named.app);
  return report.violations.flatMap((violation) => violation.violatingResources.map((resource) => ({
    engine: 'cdk-nag',
    rule: violation.ruleName,
    template: named.name.split('/')[0],
    logicalId: resource.constructPath ?? resource.resourceLogicalId ?? '',
    message: violation.description,
    severity: violation.severity === 'error' ? 'error' as const : 'warning' as const,
  })));
});

/** Each pack by its name. */
export const cdkNag: Record<string, Engine> = Object.fromEntries(Object.entries(PACKS).map(([name, pack]) => [`cdk-nag ${name}`, engineOf(pack)]));
