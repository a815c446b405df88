import { aws_kms as kms, aws_sns as sns, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AlarmOptions, AlarmSettings, ObservabilityOptions, PrefectFargateWorkerProps, WorkerType, WorkPool } from '../../src';
import { addWorker, newStack, resource, resources, templateOf, text, warnings } from '../support/worker';

type Props = Partial<PrefectFargateWorkerProps>;

/** A worker of each kind, which have all alarms between them. */
const KINDS: Props[] = [{}, { workerType: WorkerType.PROCESS }, { scaling: { standby: {} } }];
const CRITICAL = ['FewerTasksThanWanted', 'NoWorkerOnline', 'PublisherFailing', 'PublisherSilent', 'RescueFailing', 'WorkerUnhealthy'];

/** Where the alarms and the messages of EventBridge go, by their names. */
function targets(template: Template): Record<string, string> {
  const alarms = ['AWS::CloudWatch::Alarm', 'AWS::CloudWatch::CompositeAlarm'].flatMap(type => Object.entries(template.findResources(type)));
  const rules = Object.entries(template.findResources('AWS::Events::Rule'));
  const named = (pattern: RegExp, all: [string, any][], target: (properties: any) => unknown) => all
    .flatMap(([id, { Properties }]) => pattern.exec(id)?.slice(1).map(name => [name, text(target(Properties))]) ?? []);
  return Object.fromEntries([
    ...named(/ObservabilityAlarms(\w+)[0-9A-F]{8}$/, alarms, ({ AlarmActions }) => AlarmActions[0]),
    ...named(/ObservabilityEvents(\w+)[0-9A-F]{8}$/, rules, ({ Targets }) => Targets[0].Arn),
  ]);
}

const observed = (observability: ObservabilityOptions, props: Props = {}) => targets(templateOf({ ...props, observability }));
const keyOf = (name: string) => name[0].toLowerCase() + name.slice(1) as Exclude<keyof AlarmOptions, 'enabled'>;
/** Of each kind, with nothing set. */
const UNSET = KINDS.map(kind => observed({}, kind));
const ALL = [...new Set(UNSET.flatMap(Object.keys))].sort();

/** A topic of the user's for each of these names. */
function withTopics<T>(names: readonly string[], use: (topics: Record<string, sns.Topic>, stack: Stack) => T): T {
  const stack = newStack();
  return use(Object.fromEntries(names.map(name => [name, new sns.Topic(stack, name)])), stack);
}

describe('an alarm', () => {
  test.each(ALL)('%s can be switched off by itself, and have a topic by itself', name => {
    const index = UNSET.findIndex(alarms => name in alarms);
    const [kind, before] = [KINDS[index], UNSET[index]];
    const off = observed({ alarms: { [keyOf(name)]: { enabled: false } } }, kind);
    expect(Object.keys(off).sort()).toEqual(Object.keys(before).filter(other => other !== name).sort());

    withTopics(['Own'], ({ Own }, stack) => {
      addWorker(stack, { ...kind, observability: { alarms: { [keyOf(name)]: { topic: Own } } } });
      const template = Template.fromStack(stack);
      const own = `{${resource(template, 'AWS::SNS::Topic', /^Own/).logicalId}}`;
      expect(Object.entries(targets(template)).filter(([, topic]) => topic === own).map(([other]) => other)).toEqual([name]);
      const service = name in before && /^(DeploymentFailed|TaskFailed)$/.test(name) ? 'events.amazonaws.com' : 'cloudwatch.amazonaws.com';
      const [{ Properties }] = resources(template, 'AWS::SNS::TopicPolicy').filter(policy => text(policy.Properties.Topics[0]) === own);
      expect(Properties.PolicyDocument.Statement.map(({ Principal }: any) => Principal.Service)).toEqual([service]);
    });
  });

  test('that is the only one switched on has no other beside it', () => {
    expect(Object.keys(observed({ alarms: { enabled: false, crashedRuns: { enabled: true } } }))).toEqual(['CrashedRuns']);
  });

  test('that is off is not waited for by the one that combines them', () => {
    const template = templateOf({ observability: { alarms: { publisherSilent: { enabled: false } } } });
    const { AlarmRule, AlarmDescription } = resource(template, 'AWS::CloudWatch::CompositeAlarm').Properties;
    expect(text(AlarmRule)).not.toContain('PublisherSilent');
    expect(AlarmDescription).not.toContain('PublisherSilent');
    expect(text(AlarmRule)).toContain('PublisherFailing');
  });

  test('that combines others is not there without them, and throws where it is asked for', () => {
    const off = Object.fromEntries(CRITICAL.filter(name => name !== 'WorkerUnhealthy').map(name => [keyOf(name), { enabled: false }]));
    expect(Object.keys(observed({ alarms: off }))).not.toContain('WorkerUnhealthy');
    expect(() => observed({ alarms: { ...off, workerUnhealthy: { enabled: true } } })).toThrow(
      'observability.alarms.workerUnhealthy.enabled is true: it combines the alarms that page, and all of them are off; enable one of them, or remove it.');
  });

  test.each<[keyof AlarmOptions, Props, string]>([
    ['eventsUnread', { workerType: WorkerType.PROCESS }, 'an ECS worker'],
    ['deadLetters', { workerType: WorkerType.PROCESS }, 'an ECS worker'],
    ['workPoolChanged', { workPool: WorkPool.existing('etl') }, 'a worker of a managed work pool'],
    ['natPortsExhausted', { network: { natGateways: 0 } }, 'a worker whose VPC is created for it, with NAT gateways'],
    ['standbyTookOver', {}, 'a standby'],
  ])('%s that a worker has not is refused where it is asked for, and its other settings are left alone', (key, props, owner) => {
    const asked = (settings: AlarmSettings) => observed({ alarms: { [key]: settings } }, props);
    expect(() => asked({ enabled: true })).toThrow(`observability.alarms.${key}.enabled is true: only ${owner} has this alarm; remove it.`);
    expect(asked({ enabled: false })).toEqual(observed({}, props));
  });

  test('has settings that workers of both types share', () => {
    const alarms: AlarmOptions = { eventsUnread: { enabled: false }, highCpu: { threshold: 50 } };
    for (const props of KINDS) expect(observed({ alarms }, props)).toMatchObject({ HighCpu: expect.any(String) });
  });
});

describe('the topics', () => {
  const used = (observability: (topics: Record<string, sns.Topic>) => ObservabilityOptions) => withTopics(['Page', 'Inform', 'All'], (topics, stack) => {
    const worker = addWorker(stack, { observability: observability(topics) });
    const template = Template.fromStack(stack);
    const names = Object.fromEntries(Object.entries(targets(template)).map(([name, topic]) => [name, /^\{(Page|Inform|All)/.exec(topic)?.[1] ?? 'created']));
    const attributes = [worker.alarmTopic, worker.pageTopic, worker.informTopic].map(topic => topic && (Object.entries(topics).find(([, own]) => own === topic)?.[0] ?? 'created'));
    return { names, attributes, created: resources(template, 'AWS::SNS::Topic').length - 3 };
  });
  const severities = (page: string, inform: string) => Object.fromEntries(ALL.filter(name => name !== 'StandbyTookOver').map(name => [name, CRITICAL.includes(name) ? page : inform]));

  test.each<[string, (topics: Record<string, sns.Topic>) => ObservabilityOptions, [string, string, number, unknown[]]]>([
    ['one that is created, for all', () => ({}), ['created', 'created', 1, ['created', 'created', 'created']]],
    ['yours, for all', ({ All }) => ({ alarmTopic: All }), ['All', 'All', 0, ['All', 'All', 'All']]],
    ['one that pages, and one that is created for the rest', ({ Page }) => ({ pageTopic: Page }), ['Page', 'created', 1, ['created', 'Page', 'created']]],
    ['one that informs, and one that is created for what pages', ({ Inform }) => ({ informTopic: Inform }), ['created', 'Inform', 1, ['created', 'created', 'Inform']]],
    ['one for each severity', ({ Page, Inform }) => ({ pageTopic: Page, informTopic: Inform }), ['Page', 'Inform', 0, [undefined, 'Page', 'Inform']]],
    ['one that pages, and yours for the rest', ({ Page, All }) => ({ pageTopic: Page, alarmTopic: All }), ['Page', 'All', 0, ['All', 'Page', 'All']]],
  ])('are %s', (_, observability, [page, inform, created, attributes]) => {
    expect(used(observability)).toEqual({ names: severities(page, inform), created, attributes });
  });

  test('can\'t be three', () => {
    expect(() => used(({ Page, Inform, All }) => ({ pageTopic: Page, informTopic: Inform, alarmTopic: All }))).toThrow(
      'observability.alarmTopic is "Stack/All": with pageTopic and informTopic, nothing is left for it; remove one of the three.');
  });

  test('let each publisher in where it publishes, and nobody else', () => {
    const publishers = withTopics(['Page', 'Inform'], (topics, stack) => {
      addWorker(stack, { observability: { pageTopic: topics.Page, informTopic: topics.Inform } });
      const policies = resources(Template.fromStack(stack), 'AWS::SNS::TopicPolicy');
      const services = ({ PolicyDocument: { Statement } }: any) => Statement.map(({ Principal }: any) => Principal.Service);
      return Object.fromEntries(policies.map(({ Properties }) => [text(Properties.Topics[0]).slice(1, 5), services(Properties)]));
    });
    expect(publishers).toEqual({ Page: ['cloudwatch.amazonaws.com'], Info: ['cloudwatch.amazonaws.com', 'events.amazonaws.com'] });
  });

  test('that are imported bring the policies that they need', () => {
    const stack = newStack();
    const arn = 'arn:aws:sns:us-east-1:123456789012:pager';
    addWorker(stack, { observability: { alarmTopic: sns.Topic.fromTopicArn(stack, 'Pager', arn) } });
    const said = (sid: string) => warnings(stack, `imported.topic.${sid}`).map(warning => JSON.parse(/\{.*\}/.exec(warning)![0]));
    expect(said('Alarms')).toEqual([{
      Sid: 'Alarms',
      Effect: 'Allow',
      Principal: { Service: 'cloudwatch.amazonaws.com' },
      Action: 'sns:Publish',
      Resource: arn,
      Condition: { StringEquals: { 'aws:SourceAccount': '${AWS::AccountId}' } },
    }]);
    expect(said('Rules')).toEqual([{ Sid: 'Rules', Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Action: 'sns:Publish', Resource: arn }]);
  });

  test('with a key of the app get the permission to use it', () => {
    const stack = newStack();
    const masterKey = new kms.Key(stack, 'Mine');
    addWorker(stack, { observability: { alarmTopic: new sns.Topic(stack, 'Own', { masterKey }) } });
    const { KeyPolicy } = resource(Template.fromStack(stack), 'AWS::KMS::Key', /^Mine/).Properties;
    const sids = KeyPolicy.Statement.map(({ Sid }: any) => Sid).filter(Boolean);
    // Older versions of the CDK don't tell the key of a topic.
    expect(sids).toEqual('masterKey' in sns.Topic.fromTopicArn(stack, 'Any', 'arn:aws:sns:us-east-1:123456789012:any') ? ['AlarmTopic'] : []);
  });

  test('of the app bring no warning', () => {
    const stack = newStack();
    addWorker(stack, { observability: { alarmTopic: new sns.Topic(stack, 'Own') } });
    expect(warnings(stack, 'imported')).toEqual([]);
  });
});
