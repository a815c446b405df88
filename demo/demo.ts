import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Steps } from './steps';
import { deploy, REPOSITORY, run } from '../test/live/support/cdk';
import { ECS_POOL, FLOWS, Live, PROCESS_POOL, startLive } from '../test/live/support/environment';
import { awsLogs, deployedResources } from '../test/live/support/evidence';
import { pythonEnvironment } from '../test/python/environment';

/**
 * Deploys a worker of each type to a local AWS with the real CDK, and runs a flow in each against a real Prefect server.
 * `npm run demo -- --keep` leaves everything up until Ctrl-C.
 */
const keep = process.argv.includes('--keep');
const unknown = process.argv.slice(2).filter(argument => argument !== '--keep');

async function main(): Promise<void> {
  if (unknown.length > 0) throw new Error(`I don't know ${unknown.join(' ')}; the one option is --keep.`);
  const steps = new Steps();

  await steps.run('Build the library', async progress => {
    await run('npx', ['projen', 'bundle'], { onProgress: progress });
    if (!existsSync(join(REPOSITORY, 'assets'))) throw new Error('projen bundle made no assets.');
  });
  await steps.run('Install Prefect and the local AWS', progress => pythonEnvironment(progress));
  const live = await steps.run('Start the local AWS and a Prefect server', progress => startLive({ api: 'self-hosted', onProgress: progress }));
  const interrupted = once(process, 'SIGINT');
  try {
    await Promise.race([demonstrate(live, steps), interrupted.then(() => { throw new Error('Interrupted.'); })]);
    if (keep) {
      console.log(`\nPrefect's UI: ${live.server.uiUrl} (sign in with ${live.credentials[0]})\nThe local AWS: export AWS_ENDPOINT_URL=${live.standIn.endpoint} AWS_REGION=us-east-1 `
        + 'AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test\nPress Ctrl-C to stop everything.');
      await interrupted;
    }
  } finally {
    await live.stop();
  }
}

async function demonstrate(live: Live, steps: Steps): Promise<void> {
  await steps.run('cdk deploy: a PROCESS worker and an ECS worker', progress => deploy(live.standIn, { ...live.deployment, onProgress: progress }));

  const runs = [];
  for (const [type, workPool] of [['PROCESS', PROCESS_POOL], ['ECS', ECS_POOL]] as const) {
    runs.push(await steps.run(`Run a flow with the ${type} worker`, async progress => {
      const deployment = await live.prefect.deploy('demo', { workPool, entrypoint: 'flows.py:hello', directory: FLOWS });
      const id = await live.prefect.start(deployment, { name: `the ${type} worker` });
      progress('waiting for the flow run');
      const { name, state } = await live.prefect.waitFor(id, ['COMPLETED', 'FAILED', 'CRASHED'], 120);
      return { type, name, state: state.name, completed: state.type === 'COMPLETED', logs: await live.prefect.waitForLog(id, state.name, 20) };
    }));
  }
  const shipped = await awsLogs(live.standIn, 'flow-run/');

  console.log('\nDeployed');
  for (const [type, count] of await deployedResources(live.standIn, 'Live')) console.log(`  ${`${count}`.padStart(3)} ${type}`);
  steps.print();
  console.log('\nFlow runs');
  for (const { type, name, state, logs } of runs) {
    console.log(`  ${type.padEnd(8)} ${name.padEnd(24)} ${state}`);
    logs.forEach(line => console.log(`           | ${line.split('\n')[0].slice(0, 110)}`));
  }
  console.log(`\nCloudWatch Logs holds ${shipped.split('\n').length} lines of the ECS flow run.`);

  const failed = runs.filter(({ completed }) => !completed);
  if (failed.length > 0) throw new Error(`${failed.map(({ type }) => type).join(' and ')}: the flow run did not complete.`);
  console.log(`\nBoth flow runs completed.${keep ? '' : ' Next: npm run demo -- --keep leaves it all up, with the Prefect UI to look at.'}`);
}

main().catch(error => {
  console.error(`\nThe demo failed: ${error.message}`);
  process.exitCode = 1;
});
