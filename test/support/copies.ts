import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { ReconcilerWorld, RunOptions } from './reconciler-world';
import { pythonEnvironment } from '../python/environment';

/**
 * So many flow runs that have been in a state for an hour, in the time that it takes to make one; gives their ids.
 *
 * @param infrastructure what each names as its infrastructure, followed by its id
 */
export async function copies(world: ReconcilerWorld, options: RunOptions, count: number, infrastructure = ''): Promise<string[]> {
  const id = await world.run(options);
  const { python } = await pythonEnvironment();
  const written = execFileSync(python, [join(__dirname, 'copies.py'), world.postgres, id, `${count}`, infrastructure], { encoding: 'utf8', maxBuffer: 2 ** 26 });
  // It is as old as the test.
  await world.prefect.call('DELETE', `/flow_runs/${id}`);
  return JSON.parse(written);
}
