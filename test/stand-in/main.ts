import { spawn } from 'node:child_process';
import * as path from 'node:path';
import { ACCOUNT, REGION, startStandIn } from './stand-in';

const CDK = path.resolve(__dirname, '..', '..', 'node_modules', '.bin', 'cdk');

async function main(): Promise<void> {
  const standIn = await startStandIn({
    directory: process.env.STAND_IN_DIRECTORY,
    timeScale: Number(process.env.STAND_IN_TIME_SCALE ?? 1),
    onProgress: (line) => console.error(line),
  });
  const asked = new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  try {
    await bootstrap(standIn.environment);
    console.log('unset AWS_PROFILE');
    for (const [name, value] of Object.entries(standIn.environment)) {
      console.log(`export ${name}='${value}'`);
    }
    console.error(`files: ${standIn.directory}\nCtrl-C ends it, with every task that it runs`);
    await asked;
  } finally {
    await standIn.stop();
  }
}

function bootstrap(environment: Record<string, string>): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(CDK, ['bootstrap', `aws://${ACCOUNT}/${REGION}`], { env: { ...process.env, ...environment }, stdio: ['ignore', 2, 2] });
    child.once('error', (error) => reject(new Error(`${CDK} could not be started (${error.message}); run \`npm ci\` first`)));
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`cdk bootstrap ended with ${code}`))));
  });
}

main().catch((error) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
