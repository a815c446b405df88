import { Resolver } from '../intrinsics';
import { nearerTwin } from '../neighbours';
import { asArray, ofType, targetOf } from '../template';
import type { Remark, Rule } from '../types';
import { followsDemand, workersOf } from '../workers';

const TARGET = 'AWS::ApplicationAutoScaling::ScalableTarget';
const POLICY = 'AWS::ApplicationAutoScaling::ScalingPolicy';

/** What scales is the service that the target names, each policy belongs to a target, and what follows demand has bounds. */
export const scalableTargets: Rule = (template, { named }) => {
  const resolver = new Resolver(template, { imports: named.imports });
  const services = new Map(
    ofType(template, 'AWS::ECS::Service').map(([id, { Properties = {} }]) => [
      `service/${String(resolver.resolve(Properties.Cluster)).split('/').pop()}/${resolver.resolve({ 'Fn::GetAtt': [id, 'Name'] })}`,
      id,
    ]),
  );
  const owners = new Map<string, string>();
  const targets = ofType(template, TARGET).flatMap(([logicalId, { Properties = {} }]): Remark[] => {
    const { ResourceId, ServiceNamespace, ScalableDimension, ScheduledActions, MaxCapacity } = resolver.resolve(Properties);
    const service = services.get(ResourceId);
    const faults: string[] = [];
    if (!service) faults.push(`It scales ${ResourceId}, which is no service in its cluster: ${[...services.keys()].join(', ')}.`);
    if (service && owners.has(service)) faults.push(`${owners.get(service)} scales ${service} already.`);
    const twin = service && nearerTwin(template, logicalId, service);
    if (twin) faults.push(`It scales ${service}, where ${twin} is its own.`);
    if (ServiceNamespace !== 'ecs' || ScalableDimension !== 'ecs:service:DesiredCount') {
      faults.push('Of a service, ecs:service:DesiredCount is what scales.');
    }
    for (const { ScheduledActionName: name, ScalableTargetAction: action = {} } of asArray<any>(ScheduledActions)) {
      if (action.MinCapacity === undefined && action.MaxCapacity === undefined) faults.push(`The schedule ${name} changes nothing.`);
      if (Number(action.MinCapacity) > Number(action.MaxCapacity ?? MaxCapacity)) {
        faults.push(`The schedule ${name} wants at least ${action.MinCapacity} and at most ${action.MaxCapacity ?? MaxCapacity}.`);
      }
      if (Number(action.MaxCapacity ?? MaxCapacity) !== Number(MaxCapacity)) {
        faults.push(`The schedule ${name} leaves a largest number of ${action.MaxCapacity} behind, where ${MaxCapacity} is said.`);
      }
    }
    if (service) owners.set(service, logicalId);
    return faults.map((message) => ({ logicalId, message }));
  });
  const policies = ofType(template, POLICY).flatMap(([logicalId, { Properties = {} }]): Remark[] => {
    const target = targetOf(template, Properties.ScalingTargetId);
    if (!target || template.Resources[target].Type !== TARGET) return [{ logicalId, message: 'It is the policy of no scalable target.' }];
    const twin = nearerTwin(template, logicalId, target);
    return twin ? [{ logicalId, message: `It scales ${target}, where ${twin} is its own.` }] : [];
  });
  const unbounded = workersOf(resolver)
    .filter(({ service, documents }) => !owners.has(service) && documents.some(({ value }) => followsDemand(value)))
    .map(({ service }): Remark => ({ logicalId: service, message: 'Its number of tasks follows demand, and no scalable target says between which bounds.' }));
  return [...targets, ...policies, ...unbounded];
};
