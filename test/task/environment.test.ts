import { aws_ecs as ecs, aws_secretsmanager as secretsmanager, CfnParameter } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { PrefectFargateWorkerProps, WorkerType, WorkPool } from '../../src';
import { addWorker, configurationOf, container, newStack, templateOf } from '../support/worker';

const SET_HERE = [
  'PREFECT_API_URL', 'PREFECT_API_SSL_CERT_FILE', 'PREFECT_HOME', 'PREFECT_WORKER_WEBSERVER_HOST', 'PREFECT_WORKER_WEBSERVER_PORT',
  'PREFECT_INTEGRATIONS_AWS_ECS_OBSERVER_SQS_QUEUE_NAME', 'HOME',
];
const CREDENTIALS = ['PREFECT_API_KEY', 'PREFECT_API_AUTH_STRING', 'PREFECT_CLIENT_CUSTOM_HEADERS'];

/** The message of the error that these props give. */
function refusal(props: Partial<PrefectFargateWorkerProps>): string {
  try {
    addWorker(newStack(), props);
  } catch (error) {
    return (error as Error).message;
  }
  return 'none';
}
const forFlowRuns = (environment: Record<string, string>) => ({ workPool: WorkPool.managed('etl', { flowRunDefaults: { environment } }) });
const secret = (stack = newStack()) => ecs.Secret.fromSecretsManager(new secretsmanager.Secret(stack, 'Secret'));

describe('a variable that the construct sets is refused:', () => {
  test.each(SET_HERE)('%s in environment', name => {
    expect(refusal({ environment: { [name]: 'mine' } })).toBe(`Stack/Worker: environment.${name} is set by this construct: remove it from environment.`);
  });

  test.each(SET_HERE)('%s in secrets', name => {
    expect(refusal({ secrets: { [name]: secret() } })).toBe(`Stack/Worker: secrets.${name} is set by this construct: remove it from secrets.`);
  });

  test.each(['PREFECT_API_URL', 'PREFECT_API_SSL_CERT_FILE'])('%s in flowRunDefaults.environment', name => {
    expect(refusal(forFlowRuns({ [name]: 'mine' }))).toContain(`flowRunDefaults.environment.${name} is set by this construct`);
  });

  test.each(CREDENTIALS)('%s in environment, and without its value in the message', name => {
    const message = refusal({ environment: { [name]: 'hunter2' } });
    expect(message).toBe(`Stack/Worker: environment.${name} is set by api: give the secret to PrefectApi.cloud() or PrefectApi.selfHosted() and remove it from environment.`);
  });

  test.each(CREDENTIALS)('%s in secrets', name => {
    expect(refusal({ secrets: { [name]: secret() } })).toContain(`secrets.${name} is set by api: give the secret to PrefectApi`);
  });
});

describe('secrets of flow runs are refused', () => {
  const flowRunSecrets = (name: string, environment: Record<string, string> = {}) => ({ workPool: WorkPool.managed('etl', { flowRunDefaults: { environment, secrets: { [name]: secret() } } }) });

  test.each(CREDENTIALS)('where api sets %s', name => {
    expect(refusal(flowRunSecrets(name))).toContain(`flowRunDefaults.secrets.${name} is set by api`);
  });

  test('where the environment has the name too', () => {
    expect(refusal(flowRunSecrets('TOKEN', { TOKEN: 'x' }))).toBe(
      'Stack/Worker: flowRunDefaults.secrets.TOKEN is in flowRunDefaults.environment too, and ECS takes a name only once: remove it from one of the two.');
  });
});

describe('a variable that the construct does not set is taken:', () => {
  test.each(['HOME', 'PREFECT_HOME'])('%s of a PROCESS worker', name => {
    expect(refusal({ workerType: WorkerType.PROCESS, environment: { [name]: '/data' } })).toBe('none');
  });

  test.each(['HOME', 'PREFECT_HOME'])('%s of flow runs', name => {
    expect(refusal(forFlowRuns({ [name]: '/data' }))).toBe('none');
  });

  test('a setting of Prefect', () => {
    expect(refusal({ environment: { PREFECT_LOGGING_LEVEL: 'DEBUG' }, ...forFlowRuns({ PREFECT_LOGGING_LEVEL: 'DEBUG' }) })).toBe('none');
  });

  test('a value that is known only at deployment', () => {
    const stack = newStack();
    const value = new CfnParameter(stack, 'Value').valueAsString;
    expect(() => addWorker(stack, { environment: { LEVEL: value }, ...forFlowRuns({ LEVEL: value }) })).not.toThrow();
  });

  test.each(['pnublic', 'my-AKIA', 'a pnu_ in the middle'])('a value that only resembles a key: %s', value => {
    expect(refusal({ environment: { VALUE: value } })).toBe('none');
  });
});

describe('a value that is a key is refused, and the message does not show it:', () => {
  const keys = {
    'Prefect Cloud user key': 'pnu_0123456789abcdef0123456789abcdef0123',
    'Prefect Cloud service account key': 'pnb_0123456789abcdef0123456789abcdef0123',
    'AWS access key': 'AKIAIOSFODNN7EXAMPLE',
    'temporary AWS access key': 'ASIAIOSFODNN7EXAMPLE',
    'private key': '-----BEGIN RSA PRIVATE KEY-----\nMIIEsecret',
    'private key without algorithm': '-----BEGIN PRIVATE KEY-----\nMIIEsecret',
  };

  test.each(Object.entries(keys))('%s in environment', (_, value) => {
    const message = refusal({ environment: { SOME_SETTING: value } });
    expect(message).toMatch(/^Stack\/Worker: environment\.SOME_SETTING holds what looks like a key \(its value is not shown here\): .*Secrets Manager.*secrets\.$/);
    expect(message).not.toContain(value.slice(-8));
  });

  test.each(Object.entries(keys))('%s in flowRunDefaults.environment', (_, value) => {
    const message = refusal(forFlowRuns({ SOME_SETTING: value }));
    expect(message).toMatch(/^Stack\/Worker: flowRunDefaults\.environment\.SOME_SETTING holds what looks like a key/);
    expect(message).not.toContain(value.slice(-8));
  });

  test('key in the flowRunDefaults that a PROCESS worker does not have', () => {
    const value = keys['Prefect Cloud user key'];
    const message = refusal({ workerType: WorkerType.PROCESS, ...forFlowRuns({ SOME_SETTING: value }) });
    expect(message).toMatch(/^Stack\/Worker: flowRunDefaults/);
    expect(message).not.toContain(value);
  });
});

describe('a name that is there twice', () => {
  test('because the construct has a default for it is the secret\'s', () => {
    const { Environment, Secrets } = container(templateOf(stack => ({ secrets: { PREFECT_CLIENT_RETRY_EXTRA_CODES: secret(stack) } })));
    const names = [...Environment, ...Secrets].map(({ Name }) => Name);
    expect(names.filter(name => name === 'PREFECT_CLIENT_RETRY_EXTRA_CODES')).toHaveLength(1);
  });

  test('in environment and secrets is refused, because ECS refuses it', () => {
    expect(refusal({ environment: { TOKEN: 'x' }, secrets: { TOKEN: secret() } })).toMatch(/^Stack\/Worker: secrets\.TOKEN .*environment/);
  });
});

describe('a proxy among the variables', () => {
  const DIRECT = 'localhost,127.0.0.1,169.254.170.2';
  const ofWorker = (props: Partial<PrefectFargateWorkerProps>): Record<string, string> =>
    Object.fromEntries(container(templateOf(props)).Environment.map(({ Name, Value }: any) => [Name, Value]));
  const HTTPS_PROXY = 'http://proxy.example.com:3128';

  test.each(['HTTP_PROXY', 'HTTPS_PROXY', 'https_proxy', 'ALL_PROXY'])('named by %s keeps the task from asking it for what is in the task itself', name => {
    expect(ofWorker({ environment: { [name]: HTTPS_PROXY } })).toMatchObject({ [name]: HTTPS_PROXY, NO_PROXY: DIRECT });
  });

  test('is asked for none of the hosts that the user excepts, either', () => {
    expect(ofWorker({ environment: { HTTPS_PROXY, no_proxy: '.amazonaws.com' } }).no_proxy).toBe(`.amazonaws.com,${DIRECT}`);
    expect(ofWorker({ environment: { HTTPS_PROXY, NO_PROXY: '*' } }).NO_PROXY).toBe('*');
  });

  test('whose address is a secret is treated alike', () => {
    const stack = newStack();
    addWorker(stack, { secrets: { HTTPS_PROXY: secret(stack) } });
    expect(container(Template.fromStack(stack)).Environment).toContainEqual({ Name: 'NO_PROXY', Value: DIRECT });
  });

  test('is treated alike in flow runs of an ECS pool', () => {
    expect(configurationOf(templateOf(forFlowRuns({ HTTPS_PROXY }))).template.environment).toMatchObject({ HTTPS_PROXY, NO_PROXY: DIRECT });
  });

  test('that is not there adds nothing', () => {
    expect(ofWorker({ environment: { NO_PROXY: 'internal' } }).NO_PROXY).toBe('internal');
    expect(ofWorker({})).not.toHaveProperty('NO_PROXY');
  });
});
