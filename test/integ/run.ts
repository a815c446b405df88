import { join } from 'node:path';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { API_URL_PARAMETER, AUTH_STRING_SECRET, DATABASE, DATABASE_SECRET, SERVER_IMAGE } from './support';
import { cdk, REPOSITORY, run } from '../live/support/cdk';
import { pythonEnvironment } from '../python/environment';
import { loopbackCertificate } from '../stand-in/certificate';
import { startPostgres } from '../stand-in/postgres';
import { startPrefectServer } from '../stand-in/prefect-server';
import { StandIn, startStandIn } from '../stand-in/stand-in';

/**
 * The integration cases, by integ-runner: first their snapshots, then real deployments with assertions.
 *
 *   npm run integ                  to the local stand-in
 *   npm run integ -- --sandbox     to the account of your AWS credentials, which has the parameters and the secrets of support.ts
 *   npm run integ -- --snapshots   only the snapshots
 *   npm run integ -- --update      writes the snapshots anew, without a deployment
 *
 * Names of cases (`integ.ecs.ts`) limit each of them to these.
 */
const MODES = ['--sandbox', '--snapshots', '--update'];
const REGION = 'us-east-1';
/** AWS's own times, such as those of health checks, are waited for here. */
const TIME_SCALE = 4;
const AUTH_STRING = 'integ:a "pass" word';
const PASSWORD = 'a "pass" w/rd';

async function main(args: readonly string[]): Promise<void> {
  const [mode, ...more] = args.filter(arg => arg.startsWith('-'));
  if (more.length > 0 || (mode && !MODES.includes(mode))) throw new Error(`Give at most one of ${MODES.join(', ')}.`);
  const cases = args.filter(arg => !arg.startsWith('-'));

  if (mode === '--update') return void await integRunner(cases, ['--dry-run', '--force', '--update-on-failed']);
  if (mode === '--snapshots') return void await integRunner(cases, []);
  if (mode === '--sandbox') return deployAndCompare(cases);

  const onProgress = (line: string) => console.log(line);
  const { bin } = await pythonEnvironment(onProgress, 'server');
  const { authority, ...tls } = await loopbackCertificate();
  const started: { stop(): Promise<void> }[] = [];
  const start = async <T extends { stop(): Promise<void> }>(part: Promise<T>) => {
    started.push(await part);
    return part;
  };
  try {
    const standIn = await start(startStandIn({ images: { [SERVER_IMAGE]: { path: [bin], ports: [4200] } }, timeScale: TIME_SCALE, onProgress }));
    const server = await start(startPrefectServer({ authString: AUTH_STRING, onProgress }));
    const postgres = await start(startPostgres({ tls, password: PASSWORD }));
    await cdk(standIn, ['bootstrap', `aws://123456789012/${REGION}`]);
    await tellOf(standIn, {
      parameters: { [API_URL_PARAMETER]: server.apiUrl, ...at(DATABASE, { host: '127.0.0.1', port: String(postgres.port), authority }) },
      secrets: { [AUTH_STRING_SECRET]: AUTH_STRING, [DATABASE_SECRET]: JSON.stringify({ username: 'prefect', password: PASSWORD }) },
    });
    await deployAndCompare(cases, standIn.environment);
  } finally {
    for (const part of started.reverse()) await part.stop();
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
    '--directory', 'test/integ', '--language', 'typescript', '--app', `node --import tsx ${join(__dirname, 'case.ts')} {filePath}`, '--parallel-regions', REGION, '--strict', ...options, ...cases,
  ], { environment, onProgress: line => console.log(line) });
}

interface Told {
  readonly parameters: Record<string, string>;
  readonly secrets: Record<string, string>;
}

/** What a sandbox account has for the cases to find. */
async function tellOf({ endpoint, environment }: StandIn, { parameters, secrets }: Told): Promise<void> {
  const client = {
    endpoint,
    region: REGION,
    credentials: { accessKeyId: environment.AWS_ACCESS_KEY_ID, secretAccessKey: environment.AWS_SECRET_ACCESS_KEY },
  };
  const [ssm, secretsManager] = [new SSMClient(client), new SecretsManagerClient(client)];
  for (const [Name, Value] of Object.entries(parameters)) await ssm.send(new PutParameterCommand({ Name, Value, Type: 'String' }));
  for (const [Name, SecretString] of Object.entries(secrets)) await secretsManager.send(new CreateSecretCommand({ Name, SecretString }));
}

function at(folder: string, values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`${folder}/${name}`, value]));
}

main(process.argv.slice(2)).catch(error => {
  console.error(`\n${error.message}`);
  process.exitCode = 1;
});
