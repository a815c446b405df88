import type { Finding, NamedTemplate, Rule } from '../types';
import { alarms } from './alarms';
import { configRules } from './config-rules';
import { dashboards } from './dashboards';
import { dependencies } from './dependencies';
import { deployments } from './deployments';
import { identityPolicies } from './iam';
import { keyPolicies } from './key-policies';
import { knownNames } from './names';
import { networkPath } from './network-path';
import { noIngress } from './no-ingress';
import { portable } from './portable';
import { scalingPolicies } from './scaling-policies';
import { secrets } from './secrets';
import { queues } from './sqs';

/** The rules of our own, for what no engine sees. Each has a mutant in mutants/ that shows it works. */
export const rules: Record<string, Rule> = {
  'alarms': alarms,
  'config-rules': configRules,
  'dashboards': dashboards,
  'dependencies': dependencies,
  'deployments': deployments,
  'iam': identityPolicies,
  'key-policies': keyPolicies,
  'names': knownNames,
  'network-path': networkPath,
  'no-ingress': noIngress,
  'portable': portable,
  'scaling-policies': scalingPolicies,
  'secrets': secrets,
  'sqs': queues,
};

/** Runs the rules on each template, as one engine named `rules`. */
export async function applyRules(templates: NamedTemplate[], names = Object.keys(rules)): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const named of templates) {
    for (const rule of names) {
      const remarks = await rules[rule](named.template, { named });
      findings.push(...remarks.map((remark): Finding => ({ engine: 'rules', rule, template: named.name, severity: 'error', ...remark })));
    }
  }
  return findings;
}
