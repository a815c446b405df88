import { Alarm, Deployment, Policy, ScheduledAction } from './deployment';
import { ofType, refersTo, Template, text } from './intrinsics';
import { alarmRule } from '../aws/alarm';
import { metricKey, Statistic } from '../aws/metrics';
import { Bounds } from '../aws/scalable-target';
import { rateSeconds } from '../aws/schedule';
import { CapacityProviders } from '../aws/service';
import { PublisherSettings } from '../prefect/publisher';
import { WorkerSettings } from '../prefect/worker';

/** Reads from a synthesized template how its one worker of a type scales. */
export function readTemplate(template: Template, workerType: 'process' | 'ecs' = 'process'): Deployment {
  const services = ofType(template, 'AWS::ECS::Service').filter(([, { TaskDefinition }]) => command(template, TaskDefinition).includes(workerType));
  if (services.length !== 1) throw new Error(`The template has ${services.length} services with a worker of the type ${workerType}: the simulator plays one.`);
  const [serviceId, service] = services[0];
  const worker = workerSettings(template, service);

  const [target] = ofType(template, 'AWS::ApplicationAutoScaling::ScalableTarget').filter(([, { ResourceId }]) => refersTo(ResourceId, serviceId));
  const count = Number(service.DesiredCount ?? 1);
  if (target === undefined) {
    return {
      workerType,
      bounds: { min: count, max: count },
      desired: count,
      policies: [],
      alarms: [],
      scheduledActions: [],
      worker,
      capacity: capacityProviders(service),
    };
  }
  const [targetId, { MinCapacity, MaxCapacity, ScheduledActions = [] }] = target;
  const policies = ofType(template, 'AWS::ApplicationAutoScaling::ScalingPolicy')
    .filter(([, { ScalingTargetId }]) => refersTo(ScalingTargetId, targetId))
    .map(([id, properties]) => policy(id, properties));
  const bounds = { min: Number(MinCapacity), max: Number(MaxCapacity) };
  const alarms = ofType(template, 'AWS::CloudWatch::Alarm').flatMap(([id, properties]) => alarm(id, properties, policies));
  return {
    workerType,
    bounds,
    desired: service.DesiredCount === undefined ? bounds.min : count,
    policies,
    alarms,
    scheduledActions: ScheduledActions.map((action: any): ScheduledAction => ({
      schedule: { expression: action.Schedule, timeZone: action.Timezone },
      bounds: { min: action.ScalableTargetAction.MinCapacity, max: action.ScalableTargetAction.MaxCapacity },
    })),
    publisher: publisher(template, serviceId, worker, bounds),
    worker,
    capacity: capacityProviders(service),
  };
}

function taskDefinition(template: Template, reference: any): Record<string, any> {
  return ofType(template, 'AWS::ECS::TaskDefinition').find(([id]) => refersTo(reference, id))?.[1] ?? {};
}

function command(template: Template, reference: any): string[] {
  return (taskDefinition(template, reference).ContainerDefinitions ?? []).flatMap((container: any) => (container.Command ?? []).map(text));
}

function workerSettings(template: Template, service: Record<string, any>): WorkerSettings {
  const words = command(template, service.TaskDefinition);
  const values = (option: string) => words.flatMap((word, index) => (word === option ? [words[index + 1]] : []));
  const queues = values('--work-queue');
  const role = taskDefinition(template, service.TaskDefinition).TaskRoleArn;
  return {
    flowRunLimit: Number(values('--limit')[0] ?? Infinity),
    queues: queues.length === 0 ? undefined : queues,
    vcpu: Number(taskDefinition(template, service.TaskDefinition).Cpu ?? 1024) / 1024,
    supervised: ofType(template, 'AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy').some(([, { Roles = [], PolicyDocument }]) =>
      Roles.some((of: any) => JSON.stringify(role ?? '').includes(JSON.stringify(of.Ref ?? null)))
      && JSON.stringify(PolicyDocument).includes('"ecs:UpdateTaskProtection"')),
  };
}

function capacityProviders(service: Record<string, any>): CapacityProviders {
  const providers: any[] = service.CapacityProviderStrategy ?? [];
  const of = (name: string) => providers.find(({ CapacityProvider }) => CapacityProvider === name) ?? {};
  const [onDemand, spot] = [of('FARGATE'), of('FARGATE_SPOT')];
  return { onDemandBase: onDemand.Base ?? 0, onDemandWeight: onDemand.Weight ?? (providers.length === 0 ? 1 : 0), spotWeight: spot.Weight ?? 0 };
}

function policy(id: string, properties: Record<string, any>): Policy {
  const { PolicyType, StepScalingPolicyConfiguration: step, TargetTrackingScalingPolicyConfiguration: tracking } = properties;
  if (PolicyType === 'StepScaling') {
    return {
      kind: 'step',
      id,
      adjustmentType: step.AdjustmentType,
      steps: step.StepAdjustments.map((of: any) => (
        { lower: of.MetricIntervalLowerBound, upper: of.MetricIntervalUpperBound, adjustment: of.ScalingAdjustment })),
      cooldown: step.Cooldown ?? 300,
      minAdjustmentMagnitude: step.MinAdjustmentMagnitude,
      aggregation: step.MetricAggregationType ?? 'Average',
    };
  }
  const metric = tracking?.PredefinedMetricSpecification?.PredefinedMetricType;
  if (metric !== 'ECSServiceAverageCPUUtilization' && metric !== 'ECSServiceAverageMemoryUtilization') {
    throw new Error(`${id}: the simulator plays step scaling and target tracking of CPU and memory, not ${PolicyType} of ${metric}.`);
  }
  return {
    kind: 'target-tracking',
    id,
    metric,
    target: tracking.TargetValue,
    scaleOutCooldown: tracking.ScaleOutCooldown ?? 300,
    scaleInCooldown: tracking.ScaleInCooldown ?? 300,
    disableScaleIn: tracking.DisableScaleIn ?? false,
  };
}

/** The alarm, where it calls a policy. */
function alarm(id: string, properties: Record<string, any>, policies: readonly Policy[]): Alarm[] {
  const ids = policies.filter(of => refersTo(properties.AlarmActions, of.id)).map(of => of.id);
  if (ids.length === 0) return [];
  if (properties.MetricName === undefined) throw new Error(`${id}: the simulator plays alarms on one metric, not on metric math.`);
  const dimensions = Object.fromEntries((properties.Dimensions ?? []).map(({ Name, Value }: any) => [Name, text(Value)]));
  return [{
    rule: alarmRule(properties),
    metric: metricKey(properties.Namespace, properties.MetricName, dimensions),
    statistic: (properties.Statistic ?? 'Average') as Statistic,
    period: Number(properties.Period),
    policies: ids,
  }];
}

/**
 * The rule whose function sets the service's desired count, by the settings that it hands over. Others, too, know the service: what tells
 * this one is that it knows how soon runs count, and may update the service.
 */
function publisher(template: Template, serviceId: string, worker: WorkerSettings, { min, max }: Bounds): PublisherSettings | undefined {
  const publishers = ofType(template, 'AWS::Events::Rule').flatMap(([, { Targets = [], ...rule }]) => {
    const told = Targets[0]?.Input;
    const configuration = told === undefined ? {} : JSON.parse(text(told));
    const knows = configuration.leadTimeSeconds !== undefined && rule.ScheduleExpression !== undefined && refersTo(told, serviceId);
    return knows ? [{ rule, configuration, role: roleOf(template, Targets[0].Arn) }] : [];
  });
  const mayScale = publishers.filter(({ role }) => ofType(template, 'AWS::IAM::Policy').some(([, { Roles, PolicyDocument }]) =>
    JSON.stringify(Roles) === JSON.stringify([{ Ref: role }]) && PolicyDocument.Statement.some((statement: any) =>
      [statement.Action].flat().includes('ecs:UpdateService') && refersTo(statement.Resource, serviceId))));
  // A fixed number follows nothing.
  if (mayScale.length === 0 && min === max) return undefined;
  // Without one, nothing would ever follow demand, and every trace would cost nothing.
  if (mayScale.length !== 1) {
    throw new Error(`${mayScale.length} functions that are told how soon runs count may update ${serviceId}: the simulator plays one.`);
  }
  const [{ rule, configuration }] = mayScale;
  return {
    workPool: configuration.workPool,
    worker: configuration.worker,
    workQueues: configuration.workQueues,
    flowRunLimit: configuration.workers === undefined ? configuration.flowRunLimit ?? worker.flowRunLimit : undefined,
    workers: configuration.workers,
    spareFlowRuns: configuration.spareFlowRuns,
    warmTaskHours: configuration.warmTaskHours,
    leadTimeSeconds: configuration.leadTimeSeconds,
    pollSeconds: configuration.pollSeconds,
    invocationSeconds: rateSeconds(rule.ScheduleExpression),
    scaleInMinutes: configuration.scaleInMinutes,
  };
}

/** The logical id of a function's role. */
function roleOf(template: Template, reference: any): string | undefined {
  const [, { Role }] = ofType(template, 'AWS::Lambda::Function').find(([id]) => refersTo(reference, id)) ?? [undefined, {} as Record<string, any>];
  return Role?.['Fn::GetAtt']?.[0];
}
