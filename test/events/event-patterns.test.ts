import { matches } from './event-ruler';
import { deploymentStateChange, elsewhere, Event, Origin, serviceAction, serviceTaskStateChange, taskStateChange } from './samples';
import { scenarios } from '../scenarios';
import { Resolver } from '../validators/intrinsics';
import { synthesize } from '../validators/synth';
import { ofType, pathOf, targetOf } from '../validators/template';
import type { NamedTemplate } from '../validators/types';

/** What a rule has to take and to leave. */
interface Expectation {
  /** Path of the rule inside of its worker. */
  readonly rule: RegExp;
  readonly takes: (origin: Origin) => Record<string, Event>;
  readonly leaves: (origin: Origin) => Record<string, Event>;
}

const FAILED = 'SERVICE_DEPLOYMENT_FAILED';
const BY_HAND = { stopCode: 'UserInitiated', stoppedReason: 'Wrong data' };

const EXPECTATIONS: readonly Expectation[] = [
  {
    rule: /^WorkPool\/Events\/Rule$/,
    takes: (origin) => ({
      'a flow run that ended': taskStateChange(origin),
      'a flow run that started': taskStateChange(origin, { lastStatus: 'RUNNING', desiredStatus: 'RUNNING', stopCode: undefined, stoppedReason: undefined }),
      'a later revision': taskStateChange(origin, { taskDefinitionArn: `arn:aws:ecs:us-east-1:123456789012:task-definition/${origin.family}:42` }),
    }),
    leaves: (origin) => ({
      'a worker': serviceTaskStateChange(origin),
      'a flow run in another cluster': taskStateChange({ ...origin, clusterArn: elsewhere(origin).clusterArn }),
      'a task of another family': taskStateChange({ ...origin, family: elsewhere(origin).family }),
      'a deployment': deploymentStateChange(origin, FAILED),
      'a service action': serviceAction(origin, 'SERVICE_TASK_PLACEMENT_FAILURE'),
    }),
  },
  {
    rule: /^Rescue\/Schedule$/,
    takes: (origin) => ({
      'a flow run whose task somebody stops': taskStateChange(origin, { ...BY_HAND, lastStatus: 'RUNNING' }),
      'the same a moment later': taskStateChange(origin, { ...BY_HAND, lastStatus: 'DEACTIVATING' }),
    }),
    leaves: (origin) => ({
      'what has stopped, and been looked at': taskStateChange(origin, BY_HAND),
      'a Spot interruption': taskStateChange(origin, { stopCode: 'SpotInterruption', stoppedReason: 'Your Spot Task was interrupted.', lastStatus: 'DEACTIVATING' }),
      'a flow run of another worker': taskStateChange({ ...origin, family: elsewhere(origin).family }, { ...BY_HAND, lastStatus: 'RUNNING' }),
      'a flow run in another cluster': taskStateChange({ ...origin, clusterArn: elsewhere(origin).clusterArn }, { ...BY_HAND, lastStatus: 'DEACTIVATING' }),
    }),
  },
  {
    rule: /\/TaskEnds\/Rule$/,
    takes: (origin) => ({
      'a flow run that ended': taskStateChange(origin),
      'a flow run that was interrupted on Spot': taskStateChange(origin, { stopCode: 'SpotInterruption', capacityProviderName: 'FARGATE_SPOT' }),
      'one whose image could not be pulled, which is billed too': taskStateChange(origin, { stopCode: 'TaskFailedToStart', startedAt: undefined }),
    }),
    leaves: (origin) => ({
      'a flow run that is stopping': taskStateChange(origin, { lastStatus: 'DEPROVISIONING' }),
      'one for which there was no capacity, which is not billed': taskStateChange(origin, { stopCode: 'TaskFailedToStart', pullStartedAt: undefined, startedAt: undefined }),
      'a flow run in another cluster': taskStateChange({ ...origin, clusterArn: elsewhere(origin).clusterArn }),
      'a deployment': deploymentStateChange(origin, FAILED),
    }),
  },
  {
    rule: /^Observability\/Events\/DeploymentFailed$/,
    takes: (origin) => ({ 'a failed deployment': deploymentStateChange(origin, FAILED) }),
    leaves: (origin) => ({
      'a deployment that began': deploymentStateChange(origin, 'SERVICE_DEPLOYMENT_IN_PROGRESS'),
      'a completed deployment': deploymentStateChange(origin, 'SERVICE_DEPLOYMENT_COMPLETED'),
      'a failed deployment of another service': deploymentStateChange(elsewhere(origin), FAILED),
      'a service action': serviceAction(origin, 'SERVICE_TASK_PLACEMENT_FAILURE'),
    }),
  },
  {
    rule: /^Observability\/Events\/TaskFailed$/,
    takes: (origin) => ({
      'a worker that ended by itself': serviceTaskStateChange(origin),
      'a worker that did not start': serviceTaskStateChange(origin, {
        stopCode: 'TaskFailedToStart', stoppedReason: 'CannotPullContainerError: pull image manifest has been retried 7 time(s)',
      }),
      'an unhealthy worker': serviceTaskStateChange(origin, { stopCode: 'ServiceSchedulerInitiated', stoppedReason: 'Task failed container health checks' }),
    }),
    leaves: (origin) => ({
      'scale-in': serviceTaskStateChange(origin, { stopCode: 'ServiceSchedulerInitiated', stoppedReason: 'Scaling activity initiated by (deployment ecs-svc/1)' }),
      'a Spot interruption': serviceTaskStateChange(origin, { stopCode: 'SpotInterruption', stoppedReason: 'Your Spot Task was interrupted.' }),
      'somebody who stopped it': serviceTaskStateChange(origin, { stopCode: 'UserInitiated', stoppedReason: 'Task stopped by user' }),
      'a worker that is stopping': serviceTaskStateChange(origin, { lastStatus: 'DEACTIVATING' }),
      'a worker of another service': serviceTaskStateChange(elsewhere(origin)),
      'a flow run': taskStateChange(origin),
    }),
  },
];

interface Case {
  readonly name: string;
  readonly pattern: unknown;
  readonly event: Event;
  readonly taken: boolean;
}

const templates = synthesize(scenarios);

/** A worker's rules: those below a construct that has a service. */
function rulesOf(named: NamedTemplate) {
  const { template } = named;
  const resolver = new Resolver(template, { imports: named.imports });
  const services = ofType(template, 'AWS::ECS::Service').map(([id, { Properties }]) => {
    const worker = pathOf(template, id).replace(/\/Service\/Service\/Service$/, '');
    const cluster = targetOf(template, Properties!.Cluster);
    const clusterArn = cluster ? resolver.arn(cluster) : resolver.formatArn('ecs', `cluster/${resolver.resolve(Properties!.Cluster)}`);
    const pool = ofType(template, 'Custom::PrefectWorkPool').find(([other]) => pathOf(template, other).startsWith(`${worker}/`));
    const configuration = pool && JSON.parse(resolver.resolve(pool[1].Properties!.Configuration));
    return { worker, origin: { clusterArn, serviceArn: resolver.arn(id), family: configuration?.template.taskDefinition?.family.replace('{{ family }}', 'own') ?? 'prefect_etl' } };
  });
  return ofType(template, 'AWS::Events::Rule').filter(([, { Properties }]) => Properties?.EventPattern).map(([id, { Properties }]) => {
    const path = pathOf(template, id);
    const own = services.find(({ worker }) => path.startsWith(`${worker}/`));
    // What the workers share, the first one has as well as any.
    const service = own ?? services[0];
    return {
      name: `${named.name}: ${path}`,
      inWorker: (own ? path.slice(own.worker.length + 1) : path).replace(/\/Resource$/, ''),
      origin: service.origin,
      pattern: resolver.resolve(Properties!.EventPattern),
    };
  });
}

const rules = templates.flatMap(rulesOf);
const cases: Case[] = rules.flatMap(({ name, inWorker, origin, pattern }) => {
  const expectation = EXPECTATIONS.find(({ rule }) => rule.test(inWorker));
  const of = (events: Record<string, Event>, taken: boolean) =>
    Object.entries(events).map(([what, event]) => ({ name: `${name} ${taken ? 'takes' : 'leaves'} ${what}`, pattern, event, taken }));
  return expectation ? [...of(expectation.takes(origin), true), ...of(expectation.leaves(origin), false)] : [];
});

let answers: Promise<boolean[]>;
// The first run fetches the library with Maven.
beforeAll(async () => {
  answers = matches(cases);
  await answers;
}, 300_000);

test('every rule with a pattern says what it takes and what it leaves', () => {
  expect(rules.length).toBeGreaterThan(0);
  expect(rules.filter(({ inWorker }) => !EXPECTATIONS.some(({ rule }) => rule.test(inWorker))).map(({ name }) => name)).toEqual([]);
});

test('every expectation is of a rule', () => {
  expect(EXPECTATIONS.filter(({ rule }) => !rules.some(({ inWorker }) => rule.test(inWorker))).map(({ rule }) => String(rule))).toEqual([]);
});

test.each(cases.map((one, index) => [one.name, index] as const))('%s', async (_, index) => {
  expect((await answers)[index]).toBe(cases[index].taken);
});
