import type { Finding, NamedTemplate, Rule } from '../types';
import { alarmSenses } from './alarm-senses';
import { alarms } from './alarms';
import { configRules } from './config-rules';
import { containers } from './containers';
import { dashboards } from './dashboards';
import { dependencies } from './dependencies';
import { deployments } from './deployments';
import { dimensions } from './dimensions';
import { events } from './events';
import { firewalls } from './firewalls';
import { forms } from './forms';
import { grants } from './grants';
import { identityPolicies } from './iam';
import { keyPolicies } from './key-policies';
import { loadBalancers } from './load-balancers';
import { logReaders } from './log-readers';
import { knownNames } from './names';
import { needs } from './needs';
import { networkPath } from './network-path';
import { noIngress } from './no-ingress';
import { ownership } from './ownership';
import { permissions } from './permissions';
import { portable } from './portable';
import { prefect } from './prefect';
import { refusals } from './refusals';
import { routes } from './routes';
import { scalableTargets } from './scalable-targets';
import { scalingPolicies } from './scaling-policies';
import { schedules } from './schedules';
import { secrets } from './secrets';
import { servers } from './servers';
import { settings } from './settings';
import { queues } from './sqs';
import { stores } from './stores';
import { tasks } from './tasks';

/** The rules of our own, for what no engine sees. Each has a mutant in mutants/ that shows it works. */
export const rules: Record<string, Rule> = {
  'alarms': alarms,
  'alarm-senses': alarmSenses,
  'config-rules': configRules,
  'containers': containers,
  'dashboards': dashboards,
  'dependencies': dependencies,
  'deployments': deployments,
  'dimensions': dimensions,
  'events': events,
  'firewalls': firewalls,
  'forms': forms,
  'grants': grants,
  'iam': identityPolicies,
  'key-policies': keyPolicies,
  'load-balancers': loadBalancers,
  'log-readers': logReaders,
  'names': knownNames,
  'needs': needs,
  'network-path': networkPath,
  'no-ingress': noIngress,
  'ownership': ownership,
  'permissions': permissions,
  'portable': portable,
  'prefect': prefect,
  'refusals': refusals,
  'routes': routes,
  'scalable-targets': scalableTargets,
  'scaling-policies': scalingPolicies,
  'schedules': schedules,
  'secrets': secrets,
  'servers': servers,
  'settings': settings,
  'sqs': queues,
  'stores': stores,
  'tasks': tasks,
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
