import { App, Lazy, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { PrefectApi, WorkPool } from '../src';
import { addWorker, newStack, selfHosted } from './support/worker';

const ADDRESS = /^Worker(PrefectUi|WorkPoolName|LogGroup|NextCommand|Notices|Dashboard)/;

/** The outputs of a worker, by their ids. */
function outputs(props: Parameters<typeof addWorker>[1] = {}): Record<string, unknown> {
  const stack = newStack();
  addWorker(stack, props);
  const found = Object.entries<{ Value: unknown }>(Template.fromStack(stack).toJSON().Outputs);
  return Object.fromEntries(found.map(([id, { Value }]) => [ADDRESS.exec(id)?.[1], Value]));
}

describe('cdk deploy ends with', () => {
  test('the work pool, its page in Prefect Cloud and the next command', () => {
    expect(outputs()).toMatchObject({
      WorkPoolName: 'etl',
      PrefectUi: 'https://app.prefect.cloud/account/11111111-2222-3333-4444-555555555555/workspace/66666666-7777-8888-9999-000000000000/work-pools/work-pool/etl',
      NextCommand: 'prefect deploy --pool \'etl\'',
    });
  });

  test.each([
    ['eu-central-1', 'console.aws.amazon.com'],
    ['us-gov-west-1', 'console.amazonaws-us-gov.com'],
    ['cn-north-1', 'console.amazonaws.cn'],
  ])('the page of the dashboard in the console of %s', (region, host) => {
    const stack = new Stack(new App(), 'Stack', { env: { region } });
    addWorker(stack);
    const { Value } = Object.entries<any>(Template.fromStack(stack).toJSON().Outputs).find(([id]) => id.startsWith('WorkerDashboard'))![1];
    expect(Value).toEqual({
      'Fn::Join': ['', [`https://${host}/cloudwatch/home?region=${region}#dashboards/dashboard/`, { Ref: expect.stringMatching(/^PrefectWorkersDashboard/) }]],
    });
  });

  test('the log group of the workers and their flow runs, for `aws logs tail`', () => {
    expect(outputs().LogGroup).toEqual({ Ref: expect.stringMatching(/^WorkerTaskLogs/) });
  });

  test('what the deployment of a managed pool has to tell', () => {
    expect(outputs().Notices).toEqual({ 'Fn::GetAtt': [expect.stringMatching(/^WorkerWorkPoolManaged/), 'Notices'] });
    expect(outputs({ workPool: WorkPool.existing('etl') })).not.toHaveProperty('Notices');
  });

  test('no page of a dashboard that is switched off', () => {
    expect(outputs({ observability: { dashboard: false } })).not.toHaveProperty('Dashboard');
  });

  test('the page of the work pool on a server of your own', () => {
    expect(outputs(stack => ({ api: selfHosted(stack) }))).toMatchObject({ PrefectUi: 'https://prefect.example.com:4200/work-pools/work-pool/etl' });
  });

  test('a command that a shell takes, and an address that a browser takes, whatever the name', () => {
    expect(outputs({ workPool: WorkPool.managed('it\'s "etl"') })).toMatchObject({
      NextCommand: 'prefect deploy --pool \'it\'\\\'\'s "etl"\'',
      PrefectUi: expect.stringMatching(/\/it's%20%22etl%22$/),
    });
  });

  test('values that are known only at deployment, joined there', () => {
    const api = PrefectApi.selfHosted({ url: Lazy.string({ produce: () => 'https://late.example.com/api' }) });
    expect(outputs({ api, workPool: WorkPool.existing(Lazy.string({ produce: () => 'late' })) })).toMatchObject({
      WorkPoolName: 'late',
      PrefectUi: 'https://late.example.com/api/../work-pools/work-pool/late',
    });
  });
});
