import { ChildProcess, spawn } from 'node:child_process';
import { createServer, Server } from 'node:http';
import { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { FLOWS } from './environment';
import { eventually } from './evidence';
import { Gate, openGate } from './gate';
import { FlowRun, Prefect } from './prefect';
import { handlesTermination, processesOfRun } from './processes';
import { FLOW_RUN } from '../../../src/task/command';
import { pythonEnvironment } from '../../python/environment';
import { PrefectServer, startPrefectServer } from '../../stand-in/prefect-server';

const POOL = 'tasks';
const AUTH = 'admin:a "pass" word';

/** The task that executes flow runs, where they are told of one. */
export const TASK = 'arn:aws:ecs:us-east-1:123456789012:task/live/this';

export interface Execution {
  readonly id: string;
  readonly child: ChildProcess;
  readonly code: Promise<number | null>;
  said: string;
}

/** A real server that can be cut off, and processes that execute its flow runs with the command of an ECS worker's. */
export class FlowRunWorld {
  public static async start(): Promise<FlowRunWorld> {
    const { bin } = await pythonEnvironment();
    const server = await startPrefectServer({ authString: AUTH });
    const world = new FlowRunWorld(bin, server, await openGate(server.apiUrl));
    await new Promise<void>(resolve => world.metadata.listen(0, '127.0.0.1', resolve));
    await world.prefect.call('POST', '/work_pools/', { name: POOL, type: 'ecs' });
    world.deployment = await world.prefect.deploy('any', { workPool: POOL, entrypoint: 'flows.py:sleeper', directory: FLOWS });
    world.retried = await world.prefect.deploy('any', { workPool: POOL, entrypoint: 'flows.py:retried', directory: FLOWS });
    return world;
  }

  public readonly prefect: Prefect;
  /** The deployment of a flow that sleeps, and of one that fails by itself twice. */
  public deployment = '';
  public retried = '';
  /** What ECS puts at ECS_CONTAINER_METADATA_URI_V4. */
  private readonly metadata: Server = createServer(({ url }, response) => {
    response.end(JSON.stringify(url === '/v4/one/task' ? { TaskARN: TASK } : { Name: 'prefect' }));
  });

  private executions: Execution[] = [];

  private constructor(public readonly bin: string, private readonly server: PrefectServer, public readonly gate: Gate) {
    this.prefect = new Prefect(server.apiUrl, { authorization: `Basic ${Buffer.from(AUTH).toString('base64')}` });
  }

  public get metadataUrl(): string {
    return `http://127.0.0.1:${(this.metadata.address() as AddressInfo).port}/v4/one`;
  }

  public async clean(): Promise<void> {
    await this.gate.open();
    for (const { child } of this.executions) child.kill('SIGKILL');
    this.executions = [];
  }

  public async stop(): Promise<void> {
    this.metadata.closeAllConnections();
    this.metadata.close();
    await this.gate.stop();
    await this.server.stop();
  }

  public async claimed(seconds: number, of = this.deployment): Promise<string> {
    const id = await this.prefect.start(of, { seconds });
    await this.claim(id);
    return id;
  }

  /** As a worker does before it starts a task. */
  public async claim(id: string): Promise<void> {
    await this.prefect.call('POST', `/flow_runs/${id}/set_state`, { state: { type: 'PENDING' } });
  }

  public execute(id: string, environment: Record<string, string | undefined> = {}): Execution {
    const [command, ...options] = FLOW_RUN.command;
    const child = spawn(command, options, {
      env: {
        PATH: `${this.bin}:${process.env.PATH}`,
        PREFECT_API_URL: this.gate.apiUrl,
        PREFECT_API_AUTH_STRING: AUTH,
        PREFECT_CLIENT_MAX_RETRIES: '9',
        PREFECT_FLOW_RUN_EXECUTE_SIGTERM_BEHAVIOR: 'reschedule',
        PREFECT__FLOW_RUN_ID: id,
        ...FLOW_RUN.environment,
        ...environment,
      },
    });
    const execution: Execution = { id, child, said: '', code: new Promise(resolve => child.on('close', resolve)) };
    for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => { execution.said += chunk; });
    this.executions.push(execution);
    return execution;
  }

  public async started(environment: Record<string, string> = {}, of = this.deployment): Promise<Execution> {
    const execution = this.execute(await this.claimed(60, of), environment);
    await this.prefect.waitFor(execution.id, ['RUNNING'], 60).catch(error => { throw new Error(`${error.message}\n${execution.said}`); });
    // The engine has told the process above it that it is there.
    await sleep(1000);
    return execution;
  }

  /** Its program is there, and Prefect's command loads: it may be stopped from now on. */
  public async loading(execution: Execution): Promise<Execution> {
    expect(await eventually(30, async () => await handlesTermination(execution.child.pid!) || undefined)).toBe(true);
    return execution;
  }

  /** Only what gives it back is left; the flow, which had most of its minute to go, and Prefect's command have ended. */
  public async stopped(id: string): Promise<void> {
    expect(await eventually(20, async () => (await processesOfRun(id)).length === 1 || undefined)).toBe(true);
  }

  public async stateOf(id: string): Promise<FlowRun['state']> {
    return (await this.prefect.flowRun(id)).state;
  }
}
