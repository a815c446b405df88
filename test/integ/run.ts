import { join } from 'node:path';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { API_URL_PARAMETER, AUTH_STRING_SECRET } from './support';
import { cdk, REPOSITORY, run } from '../live/support/cdk';
import { startPrefectServer } from '../stand-in/prefect-server';
import { StandIn, startStandIn } from '../stand-in/stand-in';

/**
 * The integration cases, by integ-runner: first their snapshots, then real deployments with assertions.
 *
 *   npm run integ                  to the local stand-in
 *   npm run integ -- --sandbox     to the account of your AWS credentials, which has the parameter and the secret of support.ts
 *   npm run integ -- --snapshots   only the snapshots
 *   npm run integ -- --update      writes the snapshots anew, without a deployment
 *
 * Names of cases (`integ.ecs.ts`) limit each of them to these.
 */
const MODES = ['--sandbox', '--snapshots', '--update'];
const REGION = 'us-east-1';
const AUTH_STRING = 'integ:a "pass" word';

async function main(args: readonly string[]): Promise<void> {
  const [mode, ...more] = args.filter(arg => arg.startsWith('-'));
  if (more.length > 0 || (mode && !MODES.includes(mode))) throw new Error(`Give at most one of ${MODES.join(', ')}.`);
  const cases = args.filter(arg => !arg.startsWith('-'));

  if (mode === '--update') return void await integRunner(cases, ['--dry-run', '--force', '--update-on-failed']);
  if (mode === '--snapshots') return void await integRunner(cases, []);
  if (mode === '--sandbox') return deployAndCompare(cases);

  const onProgress = (line: string) => console.log(line);
  const standIn = await startStandIn({ onProgress });
  try {
    const server = await startPrefectServer({ authString: AUTH_STRING, onProgress });
    try {
      await cdk(standIn, ['bootstrap', `aws://123456789012/${REGION}`]);
      await tellOfServer(standIn, server.apiUrl);
      await deployAndCompare(cases, standIn.environment);
    } finally {
      await server.stop();
    }
  } finally {
    await standIn.stop();
  }
}

/** Deploys each case; a snapshot that is new or has changed is a failure, which integ-runner takes for a reason to deploy. */
async function deployAndCompare(cases: readonly string[], environment?: Record<string, string>): Promise<void> {
  const output = await integRunner(cases, ['--force', '--update-on-failed', '--no-update-workflow'], environment);
  const changed = [...output.matchAll(/^\s+(?:NEW|CHANGED)\s+(\S+)/gm)].map(([, name]) => name);
  if (changed.length > 0) {
    throw new Error(`The snapshots of ${changed.join(', ')} differ from what is synthesized: look at the differences above, and commit the new snapshots where they are wanted.`);
  }
}

function integRunner(cases: readonly string[], options: readonly string[], environment?: Record<string, string>): Promise<string> {
  return run(join(REPOSITORY, 'node_modules', '.bin', 'integ-runner'), [
    '--directory', 'test/integ', '--language', 'typescript', '--app', `npx tsx ${join(__dirname, 'case.ts')} {filePath}`, '--parallel-regions', REGION, '--strict', ...options, ...cases,
  ], { environment, onProgress: line => console.log(line) });
}

/** What a sandbox account has for the cases to find: the server's URL and authentication string. */
async function tellOfServer({ endpoint, environment }: StandIn, apiUrl: string): Promise<void> {
  const client = {
    endpoint,
    region: REGION,
    credentials: { accessKeyId: environment.AWS_ACCESS_KEY_ID, secretAccessKey: environment.AWS_SECRET_ACCESS_KEY },
  };
  await new SSMClient(client).send(new PutParameterCommand({ Name: API_URL_PARAMETER, Value: apiUrl, Type: 'String' }));
  await new SecretsManagerClient(client).send(new CreateSecretCommand({ Name: AUTH_STRING_SECRET, SecretString: AUTH_STRING }));
}

main(process.argv.slice(2)).catch(error => {
  console.error(`\n${error.message}`);
  process.exitCode = 1;
});
