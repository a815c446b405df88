import { App, aws_ecs as ecs, aws_kms as kms, aws_logs as logs, NestedStack, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { PrefectApi, PrefectFargateWorker, PrefectFargateWorkerProps, WorkerType, WorkPool } from '../../src';
import { addWorker, cloud, connectedVpc, newSecret, newStack, resource, resources, selfHosted, settingsOf, statementsOf, templateOf, text } from '../support/worker';

const { ECS, PROCESS } = WorkerType;

type Resources = Record<string, { Type: string; Properties?: any; DependsOn?: string[] }>;
const all = (stack: Stack): Resources => Template.fromStack(stack).toJSON().Resources;

/** Workers in one VPC and cluster, which the stack has for all of them. */
function together(types: Record<string, WorkerType>, props: (id: string, stack: Stack) => Partial<PrefectFargateWorkerProps> = () => ({})): Stack {
  const stack = newStack();
  const api = cloud(stack);
  const vpc = connectedVpc(stack);
  const cluster = new ecs.Cluster(stack, 'Cluster', { vpc });
  for (const [id, workerType] of Object.entries(types)) {
    addWorker(stack, { api, vpc, cluster, workerType, workPool: WorkPool.managed(id.toLowerCase()), ...props(id, stack) }, id);
  }
  return stack;
}

/** Whose a resource is: a worker's, or nobody's, by the construct that it is below. */
const below = (id: string, resources_: Resources) => Object.entries(resources_).filter(([logicalId]) => logicalId.startsWith(id));

describe('a further worker in the VPC and cluster of others', () => {
  const count = (types: WorkerType[]) => Object.keys(all(together(Object.fromEntries(types.map((type, index) => [`Worker${index}`, type]))))).length;

  test.each([[ECS, 45], [PROCESS, 40]])('adds few resources: of the type %s fewer than %d', (type, limit) => {
    const added = count([ECS, PROCESS, type]) - count([ECS, PROCESS]);
    expect(added).toBeGreaterThan(20);
    expect(added).toBeLessThan(limit);
  });

  test.each([[ECS, 9, 6], [PROCESS, 13, 10]])('is, of the type %s, the last of %d by their resources, and of %d by a template that is indented', (type, byResources, bySize) => {
    const of = (workers: number) => {
      const stack = newStack();
      let first: PrefectFargateWorker | undefined;
      for (let index = 0; index < workers; index++) {
        const worker = addWorker(stack, { workerType: type, workPool: WorkPool.managed(`pool${index}`), vpc: first?.vpc, cluster: first?.cluster }, `Worker${index}`);
        first ??= worker;
      }
      const template = Template.fromStack(stack).toJSON();
      return { resources: Object.keys(template.Resources).length, size: JSON.stringify(template, undefined, 1).length };
    };
    const [one, two] = [of(1), of(2)];
    const fit = (what: 'resources' | 'size', limit: number) => 1 + Math.floor((limit - one[what]) / (two[what] - one[what]));
    // As docs/scale.md says.
    expect(fit('resources', 500)).toBe(byResources);
    // Of an older aws-cdk-lib, templates are shorter.
    expect(fit('size', 1024 * 1024)).toBeGreaterThanOrEqual(bySize);
  });

  test('adds no function, no role that a function has, no key, no topic, no dashboard and no query', () => {
    const types = (workers: Record<string, WorkerType>) => Object.values(all(together(workers))).map(({ Type }) => Type).sort();
    const one = types({ One: ECS });
    const two = types({ One: ECS, Two: ECS });
    for (const type of ['AWS::Lambda::Function', 'AWS::Lambda::EventInvokeConfig', 'AWS::KMS::Key', 'AWS::SNS::Topic', 'AWS::CloudWatch::Dashboard', 'AWS::Logs::QueryDefinition', 'AWS::ECR::Repository']) {
      expect(two.filter(other => other === type)).toEqual(one.filter(other => other === type));
    }
  });
});

describe('functions', () => {
  const stack = together({ First: ECS, Second: PROCESS });
  const template = Template.fromStack(stack);

  test.each(['Demand', 'Rescue'])('of %s have a turn of each worker, with its settings', room => {
    const { logicalId } = resource(template, 'AWS::Lambda::Function', new RegExp(`${room}Function`));
    for (const id of ['First', 'Second']) {
      const rule = resource(template, 'AWS::Events::Rule', new RegExp(`^${id}${room}Schedule`));
      expect(rule.Properties.ScheduleExpression).toBe('rate(1 minute)');
      expect(rule.Properties.Targets[0].Arn).toEqual({ 'Fn::GetAtt': [logicalId, 'Arn'] });
      expect(settingsOf(template, new RegExp(`^${id}${room}Schedule`))).toMatchObject({ workPool: id.toLowerCase(), worker: expect.stringMatching(`^Stack${id}`) });
    }
    const callers = resources(template, 'AWS::Lambda::Permission').filter(({ Properties }) => JSON.stringify(Properties.FunctionName).includes(logicalId));
    expect(callers.filter(({ Properties }) => /Schedule/.test(JSON.stringify(Properties.SourceArn)))).toHaveLength(2);
  });

  test('know no worker by their variables', () => {
    for (const { Properties } of resources(template, 'AWS::Lambda::Function')) expect(JSON.stringify(Properties.Environment ?? {})).not.toMatch(/first|second|StackFirst|Service/);
  });

  test('may do what they do for the workers of the stack, and nothing for others', () => {
    const services = ['First', 'Second'].map(id => `{${resource(template, 'AWS::ECS::Service', new RegExp(`^${id}`)).logicalId}}`);
    const on = (role: RegExp, action: string) => statementsOf(template, role)
      .filter(({ Action }) => [Action].flat().includes(action)).flatMap(({ Resource }) => text([Resource].flat()));
    expect(on(/DemandRole/, 'ecs:DescribeServices')).toEqual(services);
    expect(on(/RescueRole/, 'ecs:UpdateService')).toEqual(services);
    expect(on(/RescueRole/, 'ecs:StopTask')).toEqual([expect.stringMatching(/:task\/\{Cluster\w+\}\/\*$/)]);
    // Without ECS workers there is nothing to stop.
    expect(on(/RescueRole/, 'ecs:UpdateService')).toHaveLength(2);
    expect(statementsOf(Template.fromStack(together({ First: PROCESS, Second: PROCESS })), /RescueRole/).flatMap(({ Action }) => Action)).not.toContain('ecs:StopTask');
    const sids = statementsOf(template, /RescueRole/).map(({ Sid }) => Sid).filter(sid => sid !== undefined);
    expect(new Set(sids).size).toBe(sids.length);
  });

  test('stop tasks in the clusters of ECS workers only', () => {
    const own = newStack();
    const api = cloud(own);
    const [one, two] = [ECS, PROCESS].map((workerType, index) => addWorker(own, { api, workerType, workPool: WorkPool.managed(`pool${index}`) }, `Worker${index}`));
    const clusters = statementsOf(Template.fromStack(own), /RescueRole/).filter(({ Action }) => [Action].flat().includes('ecs:StopTask')).map(({ Condition }) => Condition.ArnEquals['ecs:cluster']);
    expect(clusters).toEqual([own.resolve(one.cluster.clusterArn)]);
    expect(clusters).not.toContainEqual(own.resolve(two.cluster.clusterArn));
  });

  test.each<[string, (stack: Stack) => Partial<PrefectFargateWorkerProps>]>([
    ['another API', own => ({ api: PrefectApi.cloud({ accountId: '11111111-2222-3333-4444-555555555556', workspaceId: '66666666-7777-8888-9999-000000000000', apiKey: newSecret(own, 'ApiKey') }) })],
    ['another key of the same API', own => ({ api: cloud(own, 'field') })],
    ['functions in the VPC', () => ({ network: { functionsInVpc: true } })],
    ['a key of its own', own => ({ encryptionKey: new kms.Key(own, 'Mine') })],
  ])('are others for %s', (_, props) => {
    const functions = (own: Stack) => Object.keys(Template.fromStack(own).findResources('AWS::Lambda::Function')).filter(id => /(Demand|Rescue|WorkPool)Function/.test(id) && !/Provider/.test(id));
    expect(functions(together({ First: ECS, Second: PROCESS }))).toHaveLength(3);
    expect(functions(together({ First: ECS, Second: PROCESS }, (id, own) => (id === 'Second' ? props(own) : {})))).toHaveLength(6);
  });

  test('are the same for two objects that describe one API', () => {
    const own = together({ First: ECS, Second: PROCESS }, (_, of) => ({ api: cloud(of) }));
    expect(resources(Template.fromStack(own), 'AWS::Events::Rule').filter(({ Properties }) => Properties.ScheduleExpression)).toHaveLength(4);
    expect(Object.keys(Template.fromStack(own).findResources('AWS::Lambda::Function')).filter(id => /DemandFunction/.test(id))).toHaveLength(1);
  });

  test('of one API have one certificate', () => {
    const own = newStack();
    const vpc = connectedVpc(own);
    addWorker(own, { api: selfHosted(own), vpc }, 'First');
    const second = () => addWorker(own, { api: selfHosted(own, { tlsCaCertificate: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' }), vpc, workPool: WorkPool.managed('other') }, 'Second');
    expect(second).toThrow('another worker of the stack has another one for https://prefect.example.com:4200/api; give both the same.');
  });

  test('are not confused by secrets of two stacks that have one logical id', () => {
    const app = new App({ analyticsReporting: false, treeMetadata: false });
    const [one, two, workers] = ['One', 'Two', 'Workers'].map(id => new Stack(app, id));
    for (const from of [one, two]) addWorker(workers, { api: cloud(from), workPool: WorkPool.managed(from.node.id) }, from.node.id);
    expect(Object.keys(Template.fromStack(workers).findResources('AWS::Lambda::Function')).filter(id => /DemandFunction/.test(id))).toHaveLength(2);
  });

  test('keep their logs as long as any of their workers asks for', () => {
    const retention = (...days: logs.RetentionDays[]) => {
      const own = together(Object.fromEntries(days.map((_, index) => [`Worker${index}`, ECS])), id => ({ observability: { logRetention: days[Number(id.slice(-1))] } }));
      return [...new Set(Object.entries(all(own)).filter(([id, { Type }]) => Type === 'AWS::Logs::LogGroup' && id.startsWith('PrefectWorkersShared')).map(([, { Properties }]) => Properties.RetentionInDays))];
    };
    expect(retention(logs.RetentionDays.ONE_WEEK, logs.RetentionDays.ONE_YEAR, logs.RetentionDays.ONE_MONTH)).toEqual([365]);
    expect(retention(logs.RetentionDays.ONE_YEAR, logs.RetentionDays.ONE_WEEK)).toEqual([365]);
    expect(retention(logs.RetentionDays.ONE_YEAR, logs.RetentionDays.INFINITE, logs.RetentionDays.ONE_WEEK)).toEqual([undefined]);
  });
});

describe('without its first worker', () => {
  const types = { First: ECS, Second: PROCESS, Third: ECS };
  const { First: _, ...rest } = types;
  const [before, after] = [types, rest].map(workers => all(together(workers)));

  test('a stack has all the rest as before, and nothing is replaced', () => {
    expect(Object.keys(after).filter(id => !(id in before))).toEqual([]);
    expect(Object.keys(before).filter(id => !(id in after)).filter(id => !id.startsWith('First'))).toEqual([]);
    for (const id of ['Second', 'Third']) {
      expect(below(id, after).length).toBeGreaterThan(25);
      expect(below(id, before)).toEqual(below(id, after));
    }
  });

  test('what the stack shares differs only in what it may do and show', () => {
    const changed = Object.keys(after).filter(id => JSON.stringify(before[id]) !== JSON.stringify(after[id]));
    expect([...new Set(changed.map(id => after[id].Type))].sort()).toEqual(['AWS::CloudWatch::Dashboard', 'AWS::Events::Rule', 'AWS::IAM::Policy', 'AWS::KMS::Key', 'AWS::Logs::QueryDefinition']);
    // In the key's policy, the order of the statements.
    const statements = (resources_: Resources) => Object.values(resources_).find(({ Type }) => Type === 'AWS::KMS::Key')!.Properties.KeyPolicy.Statement.map((one: object) => JSON.stringify(one)).sort();
    expect(statements(before)).toEqual(statements(after));
  });

  test('the others may do no more than they need', () => {
    expect(JSON.stringify(after).match(/"First[A-Z]\w+/g)).toBeNull();
  });

  test.each(['RETAIN', 'DESTROY'] as const)('the key of the logs and the repository of the images have the id that they had (%s)', policy => {
    const ids = (workers: Record<string, WorkerType>) => Object.entries(all(together(workers, () => ({ removalPolicy: RemovalPolicy[policy] }))))
      .filter(([, { Type }]) => ['AWS::KMS::Key', 'AWS::ECR::Repository', 'AWS::SNS::Topic'].includes(Type)).map(([id]) => id).sort();
    expect(ids(rest)).toEqual(ids(types));
    expect(ids(rest)).toHaveLength(3);
  });
});

describe('CloudFormation', () => {
  const tasks = /FlowRunTasks/;

  test('asks one function for every pool of the stack, whatever becomes of their APIs: it may not ask another', () => {
    const own = newStack();
    const vpc = connectedVpc(own);
    addWorker(own, { workPool: WorkPool.managed('one') }, 'One');
    addWorker(own, { workPool: WorkPool.managed('two'), api: selfHosted(own), vpc, network: { functionsInVpc: true } }, 'Two');
    const template = Template.fromStack(own);
    const asked = resources(template, 'Custom::PrefectWorkPool').map(({ Properties }) => text(Properties.ServiceToken));
    expect(new Set(asked).size).toBe(1);
    expect(asked[0]).toBe(text(resource(templateOf(), 'Custom::PrefectWorkPool').Properties.ServiceToken));
    expect(new Set(resources(template, 'Custom::PrefectWorkPool').map(({ Properties }) => text(Properties.Function))).size).toBe(2);
  });

  test('may still call a pool\'s function, and that end its tasks, while the last worker that needs them is removed', () => {
    const template = templateOf();
    const { DependsOn = [] } = resource(template, 'Custom::PrefectFlowRunTasks', tasks);
    const policies = Object.entries<any>(template.findResources('AWS::IAM::Policy')).filter(([id]) => DependsOn.includes(id));
    const allowed = policies.flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement).flatMap(({ Action }: any) => Action);
    expect(allowed).toEqual(expect.arrayContaining(['lambda:InvokeFunction', 'ecs:StopTask', 'ecs:ListTasks']));
    const roles = policies.flatMap(([, { Properties }]) => text(Properties.Roles));
    expect(roles).toEqual(expect.arrayContaining([expect.stringMatching(/WorkPoolProviderRole/), expect.stringMatching(/WorkPoolRole/)]));
  });
});

test('a key of the user\'s has a repository, a topic and functions of its own, in whichever order workers come', () => {
  const order = (...ids: string[]) => Object.keys(all(together(Object.fromEntries(ids.map(id => [id, ECS])), (id, own) => (
    id === 'Mine' ? { encryptionKey: own.node.tryFindChild('Key') as kms.Key ?? new kms.Key(own, 'Key') } : {})))).sort();
  expect(order('Mine', 'Default')).toEqual(order('Default', 'Mine'));
  expect(order('Mine', 'Default').filter(id => /^PrefectImages\w*Repository/.test(id))).toHaveLength(2);
});

test('two stacks of one pool share nothing', () => {
  const app = new App({ analyticsReporting: false, treeMetadata: false });
  const stacks = ['One', 'Two'].map(id => new Stack(app, id));
  for (const stack of stacks) addWorker(stack, { workPool: WorkPool.existing('etl') });
  const [one, two] = stacks.map(stack => Template.fromStack(stack));
  expect(JSON.stringify(two.toJSON())).not.toContain('Fn::ImportValue');
  expect(settingsOf(one, /Demand/).worker).not.toBe(settingsOf(two, /Demand/).worker);
  expect(resource(one, 'AWS::Logs::QueryDefinition', /Errors/).Properties.Name).not.toBe(resource(two, 'AWS::Logs::QueryDefinition', /Errors/).Properties.Name);
});

test('the group of the stack\'s functions in a VPC lets them out to the APIs of all its workers', () => {
  const own = newStack();
  const vpc = connectedVpc(own);
  const workers = [4200, 8443].map(port => addWorker(own, { api: selfHosted(own, { url: `https://prefect.example.com:${port}/api` }), vpc, workPool: WorkPool.managed(`pool${port}`) }, `Worker${port}`));
  expect(workers[0].functionSecurityGroup).toBe(workers[1].functionSecurityGroup);
  const { SecurityGroupEgress } = resource(Template.fromStack(own), 'AWS::EC2::SecurityGroup', /FunctionSecurityGroup/).Properties;
  expect(SecurityGroupEgress.map(({ FromPort }: any) => FromPort).sort((a: number, b: number) => a - b)).toEqual([53, 53, 443, 4200, 8443]);
});

test('in a nested stack workers share what is in that', () => {
  const stack = newStack();
  const nested = new NestedStack(stack, 'Nested');
  addWorker(nested, {}, 'First');
  expect(stack.node.tryFindChild('PrefectWorkersShared')).toBeUndefined();
  expect(nested.node.tryFindChild('PrefectWorkersShared')).toBeDefined();
});
