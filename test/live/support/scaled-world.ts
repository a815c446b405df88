import { deploy } from './cdk';
import { FLOWS, Live, startLive } from './environment';
import { physicalIds } from './evidence';
import { watchScaling, WatchedScaling } from './watched-scaling';

const POOL = 'scaled';

/** A minute of AWS passes in ten seconds: the publisher's schedule. */
const TIME_SCALE = 6;

/** The deployed app of PROCESS workers that follow demand, and what a test does with it. */
export class ScaledWorld {
  public static async start(leadSeconds: number, options: { readonly gate?: boolean } = {}): Promise<ScaledWorld> {
    const live = await startLive({
      api: 'self-hosted', app: 'test/live/support/scaled-app.ts', timeScale: TIME_SCALE, environment: { LEAD_TIME: `${leadSeconds}`, RELEASE: '1' }, ...options,
    });
    await deploy(live.standIn, live.deployment);
    const ids = await physicalIds(live.standIn, 'Scaled');
    return new ScaledWorld(live, watchScaling(live.standIn, POOL, ids('AWS::ECS::Cluster'), ids('AWS::ECS::Service')));
  }

  private constructor(public readonly live: Live, public readonly scaling: WatchedScaling) {}

  public deployFlow(name: string, options: { readonly entrypoint?: string; readonly cron?: string } = {}): Promise<string> {
    return this.live.prefect.deploy(name, {
      workPool: POOL,
      entrypoint: 'flows.py:sleeper',
      directory: FLOWS,
      // Without it, a run loads Prefect twice: sixty of them have two cores here.
      jobVariables: { command: 'python -m prefect.engine' },
      ...options,
    });
  }

  public schedule(flow: string, time: number, seconds = 1): Promise<string> {
    return this.live.prefect.schedule(flow, time, { seconds });
  }

  public count(type: string): Promise<number> {
    return this.live.prefect.call('POST', '/flow_runs/count', { work_pools: { name: { any_: [POOL] } }, flow_runs: { state: { type: { any_: [type] } } } });
  }

  /** The running tasks whose worker Prefect takes for online; a worker's name ends in its task's id. */
  public async onlineWorkers(): Promise<string[]> {
    const tasks = (await this.live.standIn.tasks()).filter(({ lastStatus }) => lastStatus === 'RUNNING').map(({ taskArn }) => taskArn.split('/').pop()!);
    const names = await this.live.prefect.onlineWorkers(POOL);
    return tasks.filter(id => names.some(name => name.endsWith(id)));
  }

  /** Whether no worker is left within the time that this takes. */
  public empty(): Promise<boolean> {
    return this.scaling.none(200);
  }
}
