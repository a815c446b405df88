import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deploy } from './support/cdk';
import { TRACED_IMAGE, tracedImages } from './support/collector';
import { FLOWS, Live, startLive } from './support/environment';
import { eventually } from './support/evidence';
import { FlowRun } from './support/prefect';
import { Tracing } from '../../src';
import { templateOf, container } from '../support/worker';

jest.setTimeout(400_000);

const COLLECTOR: string = container(templateOf({ observability: { tracing: Tracing.xray() } }), 'collector').Image;

let live: Live;

// The first run builds the collector and the image's Python environment.
beforeAll(async () => {
  live = await startLive({ api: 'self-hosted', images: await tracedImages(COLLECTOR) });
  await deploy(live.standIn, { ...live.deployment, app: 'test/live/support/traced-app.ts' });
}, 600_000);
afterAll(() => live?.stop());

interface Span {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly service: string;
  readonly attributes: Record<string, string>;
}

const flatten = (attributes: any[] = []) => Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

/** The spans that the collectors of a task have written. */
async function spansOf(taskArn: string): Promise<Span[]> {
  const file = join(live.standIn.directory, 'tasks', taskArn.split('/').pop()!, 'collector.log');
  const lines = (await readFile(file, 'utf8')).split('\n').filter(line => line.startsWith('{"resourceSpans"'));
  return lines.flatMap(line => JSON.parse(line).resourceSpans).flatMap(({ resource, scopeSpans }: any) => scopeSpans
    .filter(({ scope }: any) => scope.name === 'prefect')
    .flatMap(({ spans }: any) => spans.map((span: any) => ({
      ...span, service: flatten(resource.attributes)['service.name'], attributes: flatten(span.attributes),
    }))));
}

const spansOfRun = async (taskArn: string, run: FlowRun) => {
  const spans = await spansOf(taskArn);
  const ofFlow = spans.find(({ attributes }) => attributes['prefect.run.id'] === run.id);
  return { ofFlow, ofTasks: spans.filter(({ parentSpanId }) => ofFlow && parentSpanId === ofFlow.spanId) };
};

async function completed(workPool: string, jobVariables: Record<string, unknown> = {}): Promise<FlowRun> {
  const deployment = await live.prefect.deploy(`of ${workPool}`, { workPool, entrypoint: 'flows.py:hello', directory: FLOWS, jobVariables });
  const id = await live.prefect.start(deployment, { name: 'a trace' });
  const run = await live.prefect.waitFor(id, ['COMPLETED', 'FAILED', 'CRASHED'], 120);
  expect(run.state.type).toBe('COMPLETED');
  return run;
}

const workerTask = async (service: RegExp) => (await live.standIn.tasks()).find(({ group, lastStatus }) => lastStatus === 'RUNNING' && service.test(group))!;
const stoppedTaskOf = async (run: FlowRun) => (await eventually(60, async () =>
  (await live.standIn.tasks()).find(({ taskArn, lastStatus }) => lastStatus === 'STOPPED' && run.infrastructure_pid?.endsWith(taskArn))))!;

test.each([[/Processes/], [/Tasks/]])('the collector next to the worker %s is healthy', async service => {
  const health = await eventually(60, async () => {
    const collector = (await workerTask(service)).containers.find(({ name }) => name === 'collector');
    return collector?.healthStatus === 'HEALTHY' ? collector.healthStatus : undefined;
  });
  expect(health).toBe('HEALTHY');
});

describe('with an image that has prefect-otel, the spans of a flow run and of its task run arrive', () => {
  test('at the collector of a PROCESS worker', async () => {
    const run = await completed('traced processes');
    const { taskArn } = await workerTask(/Processes/);
    const arrived = await eventually(30, async () => {
      const spans = await spansOfRun(taskArn, run);
      return spans.ofFlow && spans;
    });
    expect(arrived).toMatchObject({
      ofFlow: { service: 'traced processes', attributes: { 'prefect.run.type': 'flow', 'prefect.run.name': run.name } },
      ofTasks: [{ name: expect.stringMatching(/^greet/), traceId: arrived!.ofFlow!.traceId, attributes: { 'prefect.run.type': 'task' } }],
    });
    expect(arrived!.ofFlow).not.toHaveProperty('parentSpanId');
    expect(arrived!.ofFlow!.attributes).toHaveProperty(['prefect.deployment.id']);
  });

  test('at the collector in the task of an ECS worker\'s flow run, before the task ends', async () => {
    const run = await completed('traced tasks', { image: TRACED_IMAGE });
    const task = await stoppedTaskOf(run);
    const { ofFlow, ofTasks } = await spansOfRun(task.taskArn, run);
    expect(ofFlow).toMatchObject({ service: 'traced tasks', attributes: { 'prefect.run.name': run.name } });
    expect(ofTasks.map(({ name }) => name)).toEqual([expect.stringMatching(/^greet/)]);
    expect(task.containers.map(({ name, exitCode }) => [name, exitCode])).toEqual(expect.arrayContaining([['prefect', 0], ['collector', 0]]));
  });
});

test('with the unchanged official image flow runs complete, and send nothing', async () => {
  const task = await stoppedTaskOf(await completed('traced tasks'));
  expect(await spansOf(task.taskArn)).toEqual([]);
});
