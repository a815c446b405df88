import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { WorkPool } from '../../src';
import { WorkPoolConfiguration } from '../../src/work-pool/configuration';
import { handler } from '../../src/work-pool/work-pool.lambda';
import { PrefectServer } from '../support/prefect-server';
import { configuration, event } from '../support/work-pool-events';
import { addWorker, configurationOf, newStack, resource, resources, statementsOf, templateOf, text } from '../support/worker';

/** What the look at a managed pool is made of. What it finds with a real server: test/live/drift.test.ts. */
describe('the schedule', () => {
  const template = templateOf();
  const { logicalId, Properties, DependsOn } = resource(template, 'AWS::Scheduler::Schedule');
  const input = JSON.parse(text(Properties.Target.Input));

  test('has the pool\'s function look once an hour, at what CloudFormation tells it in a deployment', () => {
    const fn = Properties.Target.Arn['Fn::GetAtt'][0];
    expect(fn).toMatch(/^PrefectWorkersSharedFunctions\w+WorkPoolFunction/);
    expect(Properties).toMatchObject({ ScheduleExpression: 'rate(1 hour)', FlexibleTimeWindow: { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 15 } });
    expect(input.check).toEqual(configurationOf(template));
    expect(input.worker).toBe('StackWorker0CCD12BB');
  });

  test('says whom the automation names, as CloudFormation does', () => {
    expect(input.owner).toBe(`${resource(template, 'Custom::PrefectWorkPool').logicalId} of {AWS::StackId}`);
  });

  test('begins when the pool is there, and its role may start that function only', () => {
    expect(DependsOn).toEqual(expect.arrayContaining([resource(template, 'Custom::PrefectWorkPool').logicalId, expect.stringMatching(/WorkPoolScheduleRoleDefaultPolicy/)]));
    const fn = Properties.Target.Arn['Fn::GetAtt'][0];
    const statements = statementsOf(template, /WorkPoolScheduleRole/);
    expect(statements.map(({ Action, Resource }) => [Action, text(Resource)])).toEqual([['lambda:InvokeFunction', `{${fn}.Arn}`]]);
    expect(logicalId).toMatch(/^WorkerWorkPoolManagedDriftCheckSchedule/);
  });

  test('is not there for a pool that the stack does not manage', () => {
    expect(resources(templateOf({ workPool: WorkPool.existing('etl') }), 'AWS::Scheduler::Schedule')).toEqual([]);
  });

  test('takes more than the 8,192 characters that a rule would', () => {
    const stack: Stack = newStack();
    const environment = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`VARIABLE_${index}`, 'x'.repeat(50)]));
    addWorker(stack, { workPool: WorkPool.managed('etl', { flowRunDefaults: { environment } }) });
    expect(text(resource(Template.fromStack(stack), 'AWS::Scheduler::Schedule').Properties.Target.Input).length).toBeGreaterThan(8192);
  });
});

describe('the look', () => {
  let server: PrefectServer;
  /** Lines of the log, each by itself. */
  let lines: string[];
  let wanted: WorkPoolConfiguration;
  let warn: jest.SpyInstance;

  beforeEach(async () => {
    server = await PrefectServer.start();
    wanted = configuration(`${server.origin}/api`);
    warn = jest.spyOn(console, 'warn').mockImplementation(() => {});
    lines = [];
    jest.spyOn(process.stdout, 'write').mockImplementation(line => lines.push(`${line}`) > 0);
    await handler(event('Create', wanted));
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await server.stop();
  });

  test.each([401, 403])('that Prefect refuses with %s is unknown', async status => {
    server.instead = () => ({ status, body: { detail: 'no' } });
    await handler({ check: wanted, owner: 'x', worker: 'Worker' });
    expect(warn.mock.calls).toEqual([[expect.stringMatching(`^WorkPoolChanged: The work pool "etl" is not as its stack wants it: unknown, because Prefect refuses to show it: The Prefect API answered ${status} to GET `)]]);
    expect(lines.map(line => JSON.parse(line))).toEqual([expect.objectContaining({ WorkPool: 'etl', Worker: 'Worker', WorkPoolChanges: 1 })]);
  });

  test('that fails otherwise fails, and says nothing of the pool', async () => {
    server.instead = () => ({ status: 422, body: { detail: 'no' } });
    await expect(handler({ check: wanted, owner: 'x', worker: 'Worker' })).rejects.toThrow('The Prefect API answered 422');
    expect(warn).not.toHaveBeenCalled();
  });

  test('at a server without automations misses none', async () => {
    server.instead = ({ path }) => path.includes('/automations') ? { status: 404, body: {} } : undefined;
    expect((await handler({ check: wanted, owner: 'x', worker: 'Worker' })).Data).toEqual({ Differences: [] });
  });
});
