import { App, CfnResource, Stack } from 'aws-cdk-lib';
import { PARTS, Plan, writePlain } from './plain';

/** What a cluster adds at the end of synthesis only. */
const BY_AN_ASPECT = 'AWS::ECS::ClusterCapacityProviderAssociations';

/**
 * Finds how often each part has to be written for a stack to have at least the resources that the library's stack has, type by type. So the bench follows
 * the library: one alarm more there is one more here.
 */
export function planOf(wanted: { readonly [type: string]: number }): Plan {
  const plan: { [part: string]: number } = {};
  for (const [part, { type }] of Object.entries(PARTS)) {
    const without = countTypes(plan)[type] ?? 0;
    plan[part] = 1;
    const each = Math.max(1, (countTypes(plan)[type] ?? 0) - without);
    plan[part] = Math.max(part === 'network' ? 1 : 0, Math.ceil(((wanted[type] ?? 0) - without) / each));
  }
  const made = countTypes(plan);
  const lacking = Object.entries(wanted).filter(([type, number]) => (made[type] ?? 0) < number && type !== BY_AN_ASPECT).map(([type]) => type);
  if (lacking.length > 0) throw new Error(`bench/plain.ts has no part for ${lacking.join(', ')}: add one to PARTS.`);
  return plan;
}

function countTypes(plan: Plan): { [type: string]: number } {
  const stack = new Stack(new App({ analyticsReporting: false }), 'Plan');
  writePlain(stack, plan);
  const counts: { [type: string]: number } = {};
  for (const { cfnResourceType: type } of stack.node.findAll().filter(CfnResource.isCfnResource)) counts[type] = (counts[type] ?? 0) + 1;
  return counts;
}
