import { Template } from 'aws-cdk-lib/assertions';
import type { CdkCustomResourceEvent } from 'aws-lambda';
import { WorkerType, WorkPool } from '../../src';
import { FlowRunTasksConfiguration } from '../../src/work-pool/configuration';
import { handler } from '../../src/work-pool/work-pool.lambda';
import { Answer, OFFERED, PrefectServer, Request } from '../support/prefect-server';
import { configuration, event } from '../support/work-pool-events';
import { addWorker, newStack, resource, statementsOf, templateOf, text } from '../support/worker';

const TYPE = 'Custom::PrefectFlowRunTasks';

describe('what ends the flow runs of a stack that is deleted', () => {
  const stack = newStack();
  addWorker(stack);
  const template = Template.fromStack(stack);
  const tasks = resource(template, TYPE);

  test('knows the cluster, the families and the pool', () => {
    expect(JSON.parse(text(tasks.Properties.Configuration))).toMatchObject({
      workPool: 'etl',
      cluster: `{${resource(template, 'AWS::ECS::Cluster').logicalId}.Arn}`,
      family: expect.stringMatching(/^prefect-Stack-Worker-[0-9A-F]+$/),
    });
  });

  test('goes after the workers, and before the pool and all that tasks use to the end', () => {
    expect(resource(template, 'AWS::ECS::Service').DependsOn).toContain(tasks.logicalId);
    expect(tasks.DependsOn).toEqual(expect.arrayContaining([
      resource(template, 'Custom::PrefectWorkPool').logicalId,
      resource(template, 'AWS::IAM::Policy', /FlowRunExecutionRole/).logicalId,
      ...Object.keys(template.findResources('AWS::EC2::Route')).filter(id => /PrivateSubnet/.test(id)),
      ...Object.keys(template.findResources('AWS::EC2::VPCEndpoint')),
    ]));
  });

  test('may find, look at and stop tasks of this cluster', () => {
    const inThisCluster = { ArnEquals: { 'ecs:cluster': `{${resource(template, 'AWS::ECS::Cluster').logicalId}.Arn}` } };
    const ecs = text(statementsOf(template, /Functions\w+WorkPoolRole/)).filter(({ Action }: any) => [Action].flat().some(action => action.startsWith('ecs:')));
    expect(ecs).toEqual([
      expect.objectContaining({ Action: ['ecs:DescribeTasks', 'ecs:StopTask'], Resource: expect.stringMatching(/:task\/\{WorkerCluster\w+\}\/\*$/), Condition: inThisCluster }),
      expect.objectContaining({ Action: 'ecs:ListTasks', Resource: '*', Condition: inThisCluster }),
    ]);
  });

  test('is one resource more, and no function', () => {
    const resources = (workerType: WorkerType) => Object.values(templateOf({ workerType }).toJSON().Resources as Record<string, { Type: string }>);
    expect(resources(WorkerType.ECS).filter(({ Type }) => Type === TYPE)).toHaveLength(1);
    expect(resources(WorkerType.PROCESS).filter(({ Type }) => Type === TYPE)).toHaveLength(0);
    const functions = (workerType: WorkerType) => resources(workerType).filter(({ Type }) => Type === 'AWS::Lambda::Function').length;
    expect(functions(WorkerType.ECS)).toBe(functions(WorkerType.PROCESS));
  });

  test('is not there for a pool that exists, whose families may be anybody\'s', () => {
    templateOf({ workPool: WorkPool.existing('etl') }).resourceCountIs(TYPE, 0);
  });
});

describe('its function', () => {
  const CLUSTER = 'arn:aws:ecs:us-east-1:123456789012:cluster/data';
  let server: PrefectServer;
  /** Tasks that ECS holds, by ARN: the family and the last status of each. */
  let tasks: Map<string, { family: string; lastStatus: string; desiredStatus: string }>;
  let cluster: boolean;
  let stopped: any[];

  beforeEach(async () => {
    server = await PrefectServer.start();
    server.standInForAws();
    process.env.FLOW_RUN_PATIENCE_SECONDS = '0';
    [tasks, cluster, stopped] = [new Map(), true, []];
    server.instead = ecs;
    server.pools.set('etl', poolIn(CLUSTER));
  });
  afterEach(() => server.stop());

  const poolIn = (arn: string) => {
    const template = structuredClone(OFFERED.ecs);
    template.variables.properties.cluster.default = arn;
    return { type: 'ecs', is_paused: false, description: 'Nightly.', base_job_template: template };
  };

  function ecs({ headers, body }: Request): Answer | undefined {
    const action = /^AmazonEC2ContainerServiceV20141113\.(\w+)$/.exec(headers['x-amz-target'] as string)?.[1];
    if (!action) return undefined;
    if (!cluster) return { status: 400, body: { __type: 'ClusterNotFoundException', message: 'Cluster not found.' } };
    if (action === 'ListTasks') return { status: 200, body: { taskArns: [...tasks].filter(([, task]) => task.desiredStatus === body.desiredStatus).map(([arn]) => arn) } };
    if (action === 'DescribeTasks') {
      return {
        status: 200,
        body: { tasks: body.tasks.map((arn: string) => ({ taskArn: arn, taskDefinitionArn: `arn:aws:ecs:us-east-1:1:task-definition/${tasks.get(arn)!.family}:1`, ...tasks.get(arn) })) },
      };
    }
    stopped.push(body);
    tasks.set(body.task, { ...tasks.get(body.task)!, desiredStatus: 'STOPPED', lastStatus: 'STOPPED' });
    return { status: 200, body: {} };
  }

  const where = (arn = CLUSTER): FlowRunTasksConfiguration =>
    ({ api: { url: `${server.origin}/api`, isCloud: false, secrets: {} }, workPool: 'etl', cluster: arn, family: 'prefect-Worker-1A' });
  const asked = (type: 'Create' | 'Update' | 'Delete', configured = where()) =>
    ({ ...event(type, configured as any, configured as any), ResourceType: TYPE, PhysicalResourceId: 'before' }) as CdkCustomResourceEvent;

  test('does nothing until then, and is another resource for another cluster, so that what runs in the last one ends', async () => {
    const [one, other] = [await handler(asked('Create')), await handler(asked('Update', where(`${CLUSTER}-2`)))];
    expect(one.PhysicalResourceId).not.toBe(other.PhysicalResourceId);
    expect(server.requests).toEqual([]);
  });

  test('stops tasks of its families, and of no others', async () => {
    const running = { desiredStatus: 'RUNNING', lastStatus: 'RUNNING' };
    tasks.set('ours', { family: 'prefect-Worker-1A', ...running }).set('theirs', { family: 'prefect-Worker-2B', ...running });
    await handler(asked('Delete'));
    expect(stopped).toEqual([{ cluster: CLUSTER, task: 'ours', reason: 'The stack of its worker is deleted.' }]);
  });

  test('waits for a task that is stopping already, which holds its network interface', async () => {
    tasks.set('ours', { family: 'prefect-Worker-1A', desiredStatus: 'STOPPED', lastStatus: 'DEPROVISIONING' });
    setTimeout(() => tasks.set('ours', { family: 'prefect-Worker-1A', desiredStatus: 'STOPPED', lastStatus: 'STOPPED' }), 500);
    const start = Date.now();
    await handler(asked('Delete'));
    expect(Date.now() - start).toBeGreaterThan(500);
    expect(stopped).toEqual([]);
  });

  test('pauses the pool, whose flow runs would start in a cluster that is gone', async () => {
    await handler(asked('Delete'));
    expect(server.pools.get('etl')).toMatchObject({
      is_paused: true, description: 'Nightly. Paused because the stack of its worker was deleted; the next deployment resumes it.',
    });
  });

  test('leaves a pool alone that another stack has taken over, or that is gone', async () => {
    server.pools.set('etl', poolIn(`${CLUSTER}-of-another-stack`));
    await handler(asked('Delete'));
    expect(server.pools.get('etl')).toMatchObject({ is_paused: false, description: 'Nightly.' });
    server.pools.delete('etl');
    await expect(handler(asked('Delete'))).resolves.toBeDefined();
  });

  test('ends tasks where the API is gone before the stack, and nothing where the cluster is', async () => {
    tasks.set('ours', { family: 'prefect-Worker-1A', desiredStatus: 'RUNNING', lastStatus: 'RUNNING' });
    await handler(asked('Delete', { ...where(), api: { url: 'http://127.0.0.1:9/api', isCloud: false, secrets: {} } }));
    expect(stopped).toHaveLength(1);
    cluster = false;
    await expect(handler(asked('Delete'))).resolves.toEqual({ PhysicalResourceId: 'before' });
  });

  test('of the next deployment resumes the pool, and gives its description back', async () => {
    await handler(asked('Delete'));
    await handler(event('Create', configuration(`${server.origin}/api`, { type: 'ecs' })));
    expect(server.pools.get('etl')).toMatchObject({ is_paused: false, description: 'Nightly.' });
  });

  test('of the next deployment leaves a pool paused that a user has paused', async () => {
    server.pools.set('etl', { ...poolIn(CLUSTER), is_paused: true });
    await handler(asked('Delete'));
    await handler(event('Create', configuration(`${server.origin}/api`, { type: 'ecs' })));
    expect(server.pools.get('etl')).toMatchObject({ is_paused: true, description: 'Nightly.' });
  });
});
