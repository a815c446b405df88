/** Where an event comes from, as far as the patterns look at it. */
export interface Origin {
  readonly clusterArn: string;
  readonly serviceArn: string;
  /** Family of the task definitions of flow runs. */
  readonly family: string;
}

const ACCOUNT = '123456789012';
const REGION = 'us-east-1';

export interface Event {
  readonly 'detail-type': string;
  readonly 'detail': Record<string, unknown>;
  readonly [field: string]: unknown;
}

/** An event as EventBridge hands it to patterns: https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html */
function event(source: string, detailType: string, detail: Record<string, unknown>, resources: string[]): Event {
  return {
    'version': '0',
    'id': '3317b2af-7005-947d-b652-f55e762e571a',
    'detail-type': detailType,
    source,
    'account': ACCOUNT,
    'time': '2026-01-23T17:57:58Z',
    'region': REGION,
    resources,
    detail,
  };
}

/** A task's state change, after the sample in https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html */
export function taskStateChange({ clusterArn, family }: Origin, detail: Record<string, unknown> = {}): Event {
  const taskArn = `${clusterArn.replace(':cluster/', ':task/')}/c13b4cb40f1f4fe4a2971f76ae5a47ad`;
  return event('aws.ecs', 'ECS Task State Change', {
    attachments: [{ id: '1789bcae-ddfb-4d10-8ebe-8ac87ddba5b8', type: 'eni', status: 'ATTACHED', details: [{ name: 'subnetId', value: 'subnet-abcd1234' }] }],
    attributes: [{ name: 'ecs.cpu-architecture', value: 'x86_64' }],
    availabilityZone: `${REGION}d`,
    clusterArn,
    connectivity: 'CONNECTED',
    connectivityAt: '2026-01-23T17:57:38.453Z',
    containers: [{ containerArn: `${taskArn.replace(':task/', ':container/')}/0`, lastStatus: 'STOPPED', name: 'prefect', taskArn, exitCode: 1, cpu: '0' }],
    cpu: '512',
    createdAt: '2026-01-23T17:57:34.402Z',
    desiredStatus: 'STOPPED',
    enableExecuteCommand: false,
    ephemeralStorage: { sizeInGiB: 20 },
    group: `family:${family}`,
    lastStatus: 'STOPPED',
    launchType: 'FARGATE',
    memory: '1024',
    overrides: { containerOverrides: [{ name: 'prefect' }] },
    platformVersion: '1.4.0',
    pullStartedAt: '2026-01-23T17:57:38.453Z',
    pullStoppedAt: '2026-01-23T17:57:48.103Z',
    startedAt: '2026-01-23T17:57:58.103Z',
    stopCode: 'EssentialContainerExited',
    stoppedAt: '2026-01-23T17:57:58.103Z',
    stoppedReason: 'Essential container in task exited',
    stoppingAt: '2026-01-23T17:57:48.103Z',
    taskArn,
    taskDefinitionArn: `arn:aws:ecs:${REGION}:${ACCOUNT}:task-definition/${family}:1`,
    updatedAt: '2026-01-23T17:57:58.103Z',
    version: 4,
    ...detail,
  }, [taskArn]);
}

/** A task of the worker's service, not of a flow run. */
export function serviceTaskStateChange(origin: Origin, detail: Record<string, unknown> = {}): Event {
  return taskStateChange(origin, {
    group: `service:${serviceName(origin)}`,
    startedBy: 'ecs-svc/1234567890123456789',
    taskDefinitionArn: `arn:aws:ecs:${REGION}:${ACCOUNT}:task-definition/WorkerTaskDefinition:7`,
    ...detail,
  });
}

/** A deployment's state change, after the samples in https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service_deployment_events.html */
export function deploymentStateChange({ serviceArn }: Origin, eventName: string, detail: Record<string, unknown> = {}): Event {
  return event('aws.ecs', 'ECS Deployment State Change', {
    eventType: eventName === 'SERVICE_DEPLOYMENT_FAILED' ? 'ERROR' : 'INFO',
    eventName,
    deploymentId: 'ecs-svc/123',
    updatedAt: '2026-01-23T11:11:11Z',
    reason: `ECS deployment deploymentId ${eventName}`,
    ...detail,
  }, [serviceArn]);
}

/** A service's action, after the samples in https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service_events.html */
export function serviceAction({ clusterArn, serviceArn }: Origin, eventName: string, eventType = 'WARN'): Event {
  return event('aws.ecs', 'ECS Service Action', { eventType, eventName, clusterArn, createdAt: '2026-01-23T12:59:26.113Z' }, [serviceArn]);
}

/** The same, of somebody else's worker in the same account. */
export function elsewhere(origin: Origin): Origin {
  return {
    clusterArn: `${origin.clusterArn}-other`,
    serviceArn: origin.serviceArn.replace(/\/[^/]+$/, '/other'),
    family: 'other',
  };
}

function serviceName({ serviceArn }: Origin): string {
  return serviceArn.split('/').pop()!;
}
