import { AwsSolutionsChecks } from 'cdk-nag';
import type { Engine } from '../types';

/**
 * AwsSolutions of cdk-nag. It looks at constructs, not at JSON: templates without an app (mutants, and the
 * second and later stacks of an app) are left out, their constructs being walked with the first.
 */
export const cdkNag: Engine = async (templates) => templates.flatMap((named) => {
  if (!named.app) {
    return [];
  }
  const report = new AwsSolutionsChecks(named.app).validateScope(named.app);
  return report.violations.flatMap((violation) => violation.violatingResources.map((resource) => ({
    engine: 'cdk-nag',
    rule: violation.ruleName,
    template: named.name.split('/')[0],
    logicalId: resource.constructPath ?? resource.resourceLogicalId ?? '',
    message: violation.description,
    severity: violation.severity === 'error' ? 'error' as const : 'warning' as const,
  })));
});
