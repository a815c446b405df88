import { aws_ecs as ecs } from 'aws-cdk-lib';
import { PrefectApi } from '../prefect-api';
import { CA_CERTIFICATE_FILE } from './ca-certificate';
import { requireGivenSecret } from '../private/secrets';
import { isResolved, ValidationError } from '../private/validation';
import { WorkerType } from '../worker-type';

export const OBSERVER_QUEUE_VARIABLE = 'PREFECT_INTEGRATIONS_AWS_ECS_OBSERVER_SQS_QUEUE_NAME';

/**
 * Seconds between the heartbeats of a flow run, for the processes that execute it.
 *
 * @see https://docs.prefect.io/v3/advanced/detect-zombie-flows
 */
export const HEARTBEAT_ENVIRONMENT = { PREFECT_FLOWS_HEARTBEAT_FREQUENCY: '60' };

/**
 * One JSON object a line, which CloudWatch Logs takes apart into fields, where Prefect's usual format is for a terminal.
 *
 * @see https://docs.prefect.io/v3/advanced/logging-customization
 */
export const LOGGING = { PREFECT_LOGGING_HANDLERS_CONSOLE_FORMATTER: 'json' };

/**
 * Prefect's client tries again after 502 and 503 by itself. 504 is what a gateway answers while the server behind it is away; a
 * worker that gets it at once would give up within minutes. 500 is what a Prefect server answers that has none of its 15
 * connections to the database left, as when many flow runs begin at one moment; these would crash.
 *
 * @see https://docs.prefect.io/v3/api-ref/settings-ref
 */
export const RETRIES = { PREFECT_CLIENT_RETRY_EXTRA_CODES: '500,504' };

/**
 * Prefect's client waits 2, 4, 8 and so on seconds between its attempts: nine of them outlast an API that is away for a quarter
 * of an hour, and a flow run that has ended in that time can still say so. Workers keep Prefect's own five, a minute: they ask
 * again anyway, and are back sooner.
 *
 * @see https://docs.prefect.io/v3/api-ref/settings-ref
 */
export const PATIENCE = { PREFECT_CLIENT_MAX_RETRIES: '9' };

/**
 * Where many flow runs are due at one moment, ECS throttles the registration of their task definitions, which are of one family,
 * and the start of their tasks. Prefect tries three times within some seconds, and then the run has crashed. This is a minute,
 * which is less than a claimed run may take.
 *
 * @see https://github.com/PrefectHQ/prefect/issues/13024
 */
export const THROTTLING = {
  PREFECT_INTEGRATIONS_AWS_ECS_WORKER_REGISTER_TASK_DEFINITION_MAX_ATTEMPTS: '8',
  PREFECT_INTEGRATIONS_AWS_ECS_WORKER_CREATE_TASK_RUN_MAX_ATTEMPTS: '8',
};

/** What flow runs have whose tasks are their own. One that is stopped, as by a Spot interruption, hands its run back to be started again. */
export const FLOW_RUN_ENVIRONMENT = {
  ...LOGGING,
  ...RETRIES,
  ...PATIENCE,
  ...HEARTBEAT_ENVIRONMENT,
  PREFECT_FLOW_RUN_EXECUTE_SIGTERM_BEHAVIOR: 'reschedule',
};

/** Of an ECS worker's settings, those that are about its own container. Those of its flow runs are of another image, with a home elsewhere. */
export const WORKERS_OWN = ['PREFECT_HOME', 'PREFECT_WORKER_WEBSERVER_HOST', 'PREFECT_WORKER_WEBSERVER_PORT'];

/** Variables through which Prefect's client takes credentials. */
export const CREDENTIALS = ['PREFECT_API_KEY', 'PREFECT_API_AUTH_STRING', 'PREFECT_CLIENT_CUSTOM_HEADERS'];

const SET_FOR_FLOW_RUNS = ['PREFECT_API_URL', 'PREFECT_API_SSL_CERT_FILE'];
const SET_FOR_WORKERS = [...SET_FOR_FLOW_RUNS, 'PREFECT_WORKER_WEBSERVER_HOST', 'PREFECT_WORKER_WEBSERVER_PORT'];
const SET_FOR_ECS_WORKERS = [...SET_FOR_WORKERS, OBSERVER_QUEUE_VARIABLE, 'HOME', 'PREFECT_HOME'];

/** Starts of values that are keys: Prefect user and service account keys, AWS access keys, private keys. */
const KEYS = /^(pnu_|pnb_|AKIA|ASIA|-----BEGIN [A-Z ]*PRIVATE KEY)/;

/** Whether there is a text in it that looks like a key. */
export function holdsKey(value: unknown): boolean {
  if (typeof value === 'string') return isResolved(value) && KEYS.test(value);
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsKey);
}

/** What tells a process of this image where its API is. */
export function apiEnvironment(api: PrefectApi): Record<string, string> {
  return {
    PREFECT_API_URL: api.url,
    ...api._cloudEnvironment,
    ...(api._tlsCaCertificate === undefined ? {} : { PREFECT_API_SSL_CERT_FILE: CA_CERTIFICATE_FILE }),
  };
}

/** Defaults of ours, without those that a secret of the user takes the place of: ECS takes a name only once. */
export function unlessSecret(defaults: Record<string, string>, secrets: { readonly [name: string]: ecs.Secret } = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(defaults).filter(([name]) => !(name in secrets)));
}

type Variables = { readonly [name: string]: string };

interface WorkerEnvironment {
  readonly workerType?: WorkerType;
  readonly environment?: Variables;
  readonly secrets?: { readonly [name: string]: ecs.Secret };
}

/** Throws when the worker's variables would override what this construct sets, show a key, or be there twice. */
export function requireWorkerEnvironment({ workerType, environment = {}, secrets = {} }: WorkerEnvironment): void {
  const setHere = workerType === WorkerType.PROCESS ? SET_FOR_WORKERS : SET_FOR_ECS_WORKERS;
  requirePlainEnvironment('environment', environment, setHere);
  requireSecretEnvironment('', environment, secrets, setHere);
}

/** Throws when the variables of flow runs would override what this construct sets, show a key, or be there twice. */
export function requireFlowRunEnvironment({ environment = {}, secrets = {} }: Pick<WorkerEnvironment, 'environment' | 'secrets'>): void {
  requirePlainEnvironment('flowRunDefaults.environment', environment, SET_FOR_FLOW_RUNS);
  requireSecretEnvironment('flowRunDefaults.', environment, secrets, SET_FOR_FLOW_RUNS);
}

/** `of` is where both maps are, with a dot at its end. */
function requireSecretEnvironment(
  of: string, environment: Variables, secrets: { readonly [name: string]: ecs.Secret }, setHere: readonly string[],
): void {
  for (const name of Object.keys(secrets)) {
    requireFree(`${of}secrets`, name, setHere);
    requireGivenSecret(`${of}secrets.${name}`, secrets[name]);
    if (name in environment) {
      throw new ValidationError(`${of}secrets.${name} is in ${of}environment too, and ECS takes a name only once: remove it from one of the two.`);
    }
  }
}

/** A variable's value is shown to whoever reads the template. */
function requirePlainEnvironment(prop: string, environment: { readonly [name: string]: string } = {}, setHere: readonly string[]): void {
  for (const [name, value] of Object.entries(environment)) {
    requireFree(prop, name, setHere);
    if (holdsKey(value)) {
      throw new ValidationError(`${prop}.${name} holds what looks like a key (its value is not shown here): an environment variable is readable by `
        + 'whoever reads the template; put it into AWS Secrets Manager and give it with secrets.');
    }
  }
}

function requireFree(prop: string, name: string, setHere: readonly string[]): void {
  if (CREDENTIALS.includes(name)) {
    throw new ValidationError(`${prop}.${name} is set by api: give the secret to PrefectApi.cloud() or PrefectApi.selfHosted() and remove it from ${prop}.`);
  }
  if (setHere.includes(name)) {
    throw new ValidationError(`${prop}.${name} is set by this construct: remove it from ${prop}.`);
  }
}
