import { aws_ec2 as ec2, aws_ecs as ecs, aws_secretsmanager as secretsmanager, aws_ssm as ssm, CfnParameter, Fn, Lazy, SecretValue, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { PrefectApi, PrefectCloudOptions, PrefectFargateWorker, SelfHostedApiOptions, WorkPool } from '../src';
import { ACCOUNT_ID, addWorker, configurationOf, connectedVpc, container, newSecret, newStack, resource, statementsOf, text, WORKSPACE_ID } from './support/worker';

const stack = newStack();
const secret = newSecret(stack, 'Secret');
const cloud = (accountId: any, workspaceId: any) => PrefectApi.cloud({ accountId, workspaceId, apiKey: secret });
const server = (url: any, options: Partial<SelfHostedApiOptions> = {}) => PrefectApi.selfHosted({ url, ...options });

describe('Prefect Cloud', () => {
  test('has the URL of the workspace', () => {
    const api = cloud(ACCOUNT_ID, WORKSPACE_ID);
    expect(api.url).toBe(`https://api.prefect.cloud/api/accounts/${ACCOUNT_ID}/workspaces/${WORKSPACE_ID}`);
    expect(api.isCloud).toBe(true);
  });

  test('takes ids in capital letters', () => {
    expect(() => cloud('AAAAAAAA-BBBB-CCCC-DDDD-EEEEEEEEEEEE', WORKSPACE_ID)).not.toThrow();
  });

  const WAY_OUT = 'give the UUID from the address of the Prefect Cloud UI, such as 11111111-2222-3333-4444-555555555555.';
  const malformed: [unknown, string][] = [
    ['', 'is "":'], [undefined, 'is missing:'], ['my-account', 'is "my-account":'], [`${ACCOUNT_ID} `, `is "${ACCOUNT_ID} ":`], [ACCOUNT_ID.slice(1), 'is "1111111-'],
    [ACCOUNT_ID.replace(/-/g, ''), 'is "1111'], [`{${ACCOUNT_ID}}`, 'is "{1111'], [ACCOUNT_ID.replace('1', 'g'), 'is "g111'],
  ];

  test.each(malformed)('refuses the account id %j', (id, value) => {
    expect(() => cloud(id, WORKSPACE_ID)).toThrow(`accountId ${value}`);
    expect(() => cloud(id, WORKSPACE_ID)).toThrow(WAY_OUT);
  });

  test.each(malformed)('refuses the workspace id %j', (id, value) => {
    expect(() => cloud(ACCOUNT_ID, id)).toThrow(`workspaceId ${value}`);
    expect(() => cloud(ACCOUNT_ID, id)).toThrow(WAY_OUT);
  });
});

describe('Prefect Cloud in a company', () => {
  const of = (options: Partial<PrefectCloudOptions>, apiKey = secret) =>
    PrefectApi.cloud({ accountId: ACCOUNT_ID, workspaceId: WORKSPACE_ID, apiKey, ...options });
  const PRIVATE = 'https://api.private.prefect.cloud/api';
  const WORKSPACE = `accounts/${ACCOUNT_ID}/workspaces/${WORKSPACE_ID}`;
  const deployed = (options: Partial<PrefectCloudOptions>, vpc?: (scope: Stack) => ec2.IVpc) => {
    const scope = newStack();
    addWorker(scope, { api: of(options, newSecret(scope, 'Key')), ...(vpc && { vpc: vpc(scope) }) });
    return Template.fromStack(scope);
  };
  const environmentOf = (template: Template) =>
    Object.fromEntries(container(template).Environment.map(({ Name, Value }: any) => [Name, text(Value)]));

  test.each([
    [{ apiUrl: PRIVATE }, PRIVATE, 'https://app.private.prefect.cloud'],
    [{ apiUrl: 'https://prefect.example.com/api' }, 'https://prefect.example.com/api', 'https://prefect.example.com'],
    [{ apiUrl: 'https://prefect.example.com/api', uiUrl: 'https://ui.example.com/' }, 'https://prefect.example.com/api', 'https://ui.example.com'],
  ])('is at %j, and its clients know that it is Prefect Cloud', (options, apiUrl, uiUrl) => {
    const api = of(options);
    expect(api.url).toBe(`${apiUrl}/${WORKSPACE}`);
    expect(api.isCloud).toBe(true);
    expect(api._workPoolUrl('etl')).toBe(`${uiUrl}/account/${ACCOUNT_ID}/workspace/${WORKSPACE_ID}/work-pools/work-pool/etl`);
    const environment = environmentOf(deployed(options, connectedVpc));
    expect(environment).toMatchObject({ PREFECT_CLOUD_API_URL: apiUrl, PREFECT_CLOUD_UI_URL: expect.stringContaining(uiUrl) });
  });

  test('is not spoken of where it is the usual one', () => {
    expect(Object.keys(environmentOf(deployed({})))).not.toContain('PREFECT_CLOUD_API_URL');
  });

  test('over AWS PrivateLink is asked by functions in the VPC, which has to be one that reaches it', () => {
    const template = deployed({ apiUrl: PRIVATE }, connectedVpc);
    const [{ Properties }] = Object.values(template.findResources('AWS::Lambda::Function', { Properties: { Description: Match.stringLikeRegexp('work pool') } }));
    expect(Properties.VpcConfig.SubnetIds.length).toBeGreaterThan(0);
    const scope = newStack();
    const props = { api: of({ apiUrl: PRIVATE }, newSecret(scope, 'Key')), workPool: WorkPool.managed('etl') };
    expect(() => new PrefectFargateWorker(scope, 'Worker', props)).toThrow('give the VPC that reaches it with vpc (or cluster)');
  });

  test('is asked so elsewhere only where that is wanted', () => {
    const customers = (privateNetwork?: boolean) => deployed({ apiUrl: 'https://prefect.example.com/api', privateNetwork }, connectedVpc).findResources('AWS::Lambda::Function', { Properties: { VpcConfig: Match.anyValue() } });
    expect(Object.keys(customers(true)).length).toBeGreaterThan(0);
    expect(customers()).toEqual({});
  });

  test('takes URLs that are known only at deployment', () => {
    const scope = newStack();
    const apiUrl = new CfnParameter(scope, 'ApiUrl').valueAsString;
    addWorker(scope, { api: of({ apiUrl }, newSecret(scope, 'Key')) });
    expect(environmentOf(Template.fromStack(scope)).PREFECT_API_URL).toEqual(`{ApiUrl}/${WORKSPACE}`);
  });

  test.each<[Partial<PrefectCloudOptions>, string]>([
    [{ apiUrl: 'http://prefect.example.com/api' }, 'apiUrl is "http://prefect.example.com/api": give the whole URL with the scheme https'],
    [{ apiUrl: 'api.private.prefect.cloud' }, 'apiUrl is "api.private.prefect.cloud": give the whole URL with the scheme https'],
    [{ apiUrl: 'https://app.prefect.cloud' }, 'this is the UI of Prefect Cloud; its API is at https://api.prefect.cloud/api, and over AWS PrivateLink at'],
    [{ apiUrl: `${PRIVATE}/${WORKSPACE}` }, 'ends in /api, such as https://api.private.prefect.cloud/api; accountId and workspaceId say the rest.'],
    [{ uiUrl: 'app' }, 'uiUrl is "app": give the whole URL'],
    [{ apiUrl: PRIVATE, privateNetwork: false }, `privateNetwork is false: only networks with an endpoint of AWS PrivateLink reach ${PRIVATE}`],
  ])('refuses %j', (options, message) => {
    expect(() => of(options)).toThrow(message);
  });

  test('refuses a password in a URL, and does not show it', () => {
    expect(() => of({ apiUrl: 'https://admin:hunter2@prefect.example.com/api' })).toThrow(/^apiUrl has a user or a password in it \(it is not shown here\)/);
  });
});

describe('a server of your own', () => {
  test.each([
    'https://prefect.example.com/api', 'https://prefect.example.com:4200/api', 'https://example.com/prefect/api', 'https://10.0.0.5/api', 'https://[fd00::5]:4200/api', 'HTTPS://Prefect.example.com/api',
  ])('has the URL %s', url => {
    expect(server(url).url).toBe(url);
    expect(server(url).isCloud).toBe(false);
  });

  test.each([
    ['prefect.example.com/api', 'give the whole URL with its scheme, such as https://prefect.example.com/api.'],
    ['', 'give the whole URL with its scheme'],
    ['ftp://prefect.example.com/api', 'give the whole URL with its scheme'],
    ['https:///api', 'give the whole URL with its scheme'],
    ['https://pre fect/api', 'give the whole URL with its scheme'],
    ['//prefect.example.com/api', 'give the whole URL with its scheme'],
    ['https://prefect.example.com', 'the URL of a Prefect API ends in /api, such as https://prefect.example.com/api.'],
    ['https://prefect.example.com/api/', 'the URL of a Prefect API ends in /api'],
    ['https://prefect.example.com/myapi?x', 'the URL of a Prefect API ends in /api'],
    ['https://prefect.example.com/dashboard', 'the URL of a Prefect API ends in /api'],
  ])('refuses the URL %s', (url, fix) => {
    expect(() => server(url)).toThrow(`url is ${JSON.stringify(url)}: ${fix}`);
  });

  test('refuses to be without a URL', () => {
    expect(() => server(undefined)).toThrow('url is missing: give the whole URL with its scheme');
  });

  test.each([
    'https://admin:hunter2@prefect.example.com/api', 'https://hunter2@prefect.example.com/api', 'admin:hunter2@prefect.example.com/api',
    'https://admin:hunter2@prefect.example.com', 'https://admin:hunter2/@prefect.example.com/api',
  ])('refuses a URL with a password in it, without showing it: %s', url => {
    let message = 'none';
    try {
      server(url);
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toMatch(/^url .*authString/);
    expect(message).not.toContain('hunter2');
  });

  test.each([
    `https://api.prefect.cloud/api/accounts/${ACCOUNT_ID}/workspaces/${WORKSPACE_ID}`, 'https://api.prefect.cloud/api', 'https://API.Prefect.Cloud/api',
    `https://app.prefect.cloud/account/${ACCOUNT_ID}`, 'https://api.private.prefect.cloud/api',
  ])('leads to PrefectApi.cloud() from %s', url => {
    expect(() => server(url)).toThrow(`url is "${url}": this is Prefect Cloud; use PrefectApi.cloud() with the account and the workspace that the URL names.`);
  });

  test('may have a name that Prefect Cloud\'s begins or ends', () => {
    expect(() => server('https://api.prefect.cloud.example.com/api')).not.toThrow();
    expect(() => server('https://notprefect.cloud/api')).not.toThrow();
  });

  test('takes a URL with an @ in its path', () => {
    expect(() => server('https://prefect.example.com/@team/api')).not.toThrow();
  });

  const PLAIN = 'http://prefect.example.com:4200/api';

  test.each<[string, Partial<SelfHostedApiOptions>]>([['an authentication string', { authString: secret }], ['headers', { customHeaders: secret }]])(
    'refuses to send %s over plain http', (_, options) => {
      expect(() => server(PLAIN, options)).toThrow(
        `url is "${PLAIN}": plain http would send the secret in clear text; use https, or set privateNetwork where the API is reached inside your network.`);
      expect(() => server(PLAIN.toUpperCase().replace('/API', '/api'), options)).toThrow('plain http would send the secret in clear');
    });

  test('takes plain http in a private network, and where no secret crosses it', () => {
    expect(() => server(PLAIN, { authString: secret, privateNetwork: true })).not.toThrow();
    expect(() => server(PLAIN)).not.toThrow();
  });

  test.each(['', '/etc/ssl/ca.pem', '-----BEGIN PUBLIC KEY-----\nMIIB'])('refuses the certificate authority %j', tlsCaCertificate => {
    expect(() => server('https://x.example.com/api', { tlsCaCertificate })).toThrow(/^tlsCaCertificate is ".*": give the certificate itself as PEM text, from -----BEGIN CERTIFICATE----- on\.$/);
  });

  test('refuses a chain of certificates that AWS Lambda would not take', () => {
    const tlsCaCertificate = `-----BEGIN CERTIFICATE-----\n${'MIIB'.repeat(800)}\n-----END CERTIFICATE-----\n`;
    expect(() => server('https://x.example.com/api', { tlsCaCertificate })).toThrow(/^tlsCaCertificate is .* and 3255 characters.*: .*root authority alone/);
  });

  test.each([
    '-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq', 'MIIEvQIBADANBgkq',
    '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n-----BEGIN RSA PRIVATE KEY-----\nMIIEvQIBADANBgkq',
  ])('shows nothing of a private key that was given for the certificate, or with it: %j', tlsCaCertificate => {
    let message = '';
    try {
      server('https://x.example.com/api', { tlsCaCertificate });
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toMatch(/^tlsCaCertificate is /);
    expect(message).not.toContain('MII');
  });
});

describe('a secret', () => {
  const value = 'pnu_0123456789';
  const notSecrets: [string, any, RegExp][] = [
    ['a string', value, /is a string \(its value is not shown here\): .*put it into AWS Secrets Manager, and give ecs\.Secret\.fromSecretsManager\(secret\)\.$/],
    ['a SecretValue', SecretValue.unsafePlainText(value), /is a SecretValue .*ecs\.Secret\.fromSecretsManager\(secret\)/],
    ['a SecretValue of AWS Secrets Manager', SecretValue.secretsManager('prefect'), /is a SecretValue /],
    ['a secret of AWS Secrets Manager', new secretsmanager.Secret(stack, 'Plain'), /is a secret of AWS Secrets Manager .*give ecs\.Secret\.fromSecretsManager\(secret\)/],
    ['an imported one', secretsmanager.Secret.fromSecretNameV2(stack, 'Named', 'prefect'), /is a secret of AWS Secrets Manager /],
    ['an SSM parameter', ssm.StringParameter.fromSecureStringParameterAttributes(stack, 'Plain parameter', { parameterName: '/prefect' }), /is an SSM parameter .*give ecs\.Secret\.fromSsmParameter\(parameter\)\.$/],
    ['an L1 construct', new secretsmanager.CfnSecret(stack, 'L1', { secretString: value }), /is the L1 construct CfnSecret .*fromSecretCompleteArn/],
    ['an object', { key: value }, /is of the type object /],
    ['a number', 5, /is of the type number /],
  ];
  const takers: [string, (given: any) => unknown][] = [
    ['apiKey', given => PrefectApi.cloud({ accountId: ACCOUNT_ID, workspaceId: WORKSPACE_ID, apiKey: given })],
    ['managementApiKey', given => PrefectApi.cloud({ accountId: ACCOUNT_ID, workspaceId: WORKSPACE_ID, apiKey: secret, managementApiKey: given })],
    ['authString', given => server('https://x.example.com/api', { authString: given })],
    ['customHeaders', given => server('https://x.example.com/api', { customHeaders: given })],
    ['secrets.DB_PASSWORD', given => addWorker(newStack(), { secrets: { DB_PASSWORD: given } })],
  ];

  test.each(takers.flatMap(([prop, take]) => notSecrets.map(([what, given, message]) => ({ prop, what, take, given, message }))))(
    'of $prop is no $what, and no value is shown', ({ prop, take, given, message }) => {
      let said = '';
      try {
        take(given);
      } catch (error) {
        said = (error as Error).message;
      }
      expect(said).toMatch(message);
      // What is seen in a construct names its path.
      expect(said.replace(/^Stack\/Worker: /, '').startsWith(`${prop} is `)).toBe(true);
      expect(said).not.toContain(value);
    });

  test('is demanded by Prefect Cloud', () => {
    expect(() => PrefectApi.cloud({ accountId: ACCOUNT_ID, workspaceId: WORKSPACE_ID } as any)).toThrow(/^apiKey is missing: give ecs\.Secret\.fromSecretsManager\(secret\)/);
  });

  test('is an SSM parameter as well, which tasks and functions may read, over an endpoint of its own', () => {
    const own = newStack();
    const parameter = ssm.StringParameter.fromSecureStringParameterAttributes(own, 'Parameter', { parameterName: '/prefect/api-key' });
    addWorker(own, { api: PrefectApi.cloud({ accountId: ACCOUNT_ID, workspaceId: WORKSPACE_ID, apiKey: ecs.Secret.fromSsmParameter(parameter) }) });
    const template = Template.fromStack(own);
    const arn = 'arn:{AWS::Partition}:ssm:{AWS::Region}:{AWS::AccountId}:parameter/prefect/api-key';
    expect(text(container(template).Secrets)).toEqual([{ Name: 'PREFECT_API_KEY', ValueFrom: arn }]);
    expect(configurationOf(template).api.secrets).toEqual({ PREFECT_API_KEY: arn });
    for (const role of [/IdentityExecutionRole/, /FlowRunExecutionRole/, /WorkPoolRole/, /RescueRole/, /DemandRole/]) {
      expect(statementsOf(template, role).map(({ Action, Resource }) => [Action, text(Resource)])).toContainEqual([expect.arrayContaining(['ssm:GetParameter', 'ssm:GetParameters']), arn]);
    }
    expect(resource(template, 'AWS::EC2::VPCEndpoint', /SsmEndpoint/).Properties.PrivateDnsEnabled).toBe(true);
  });

  test('for management is for the functions alone', () => {
    const own = newStack();
    addWorker(own, { api: PrefectApi.cloud({ accountId: ACCOUNT_ID, workspaceId: WORKSPACE_ID, apiKey: newSecret(own, 'ApiKey'), managementApiKey: newSecret(own, 'Management') }) });
    const template = Template.fromStack(own);
    const key = expect.stringMatching(/^\{ApiKey\w+\}$/);
    const management = expect.stringMatching(/^\{Management\w+\}$/);
    const read = (role: RegExp) => statementsOf(template, role).filter(({ Action }) => [Action].flat().includes('secretsmanager:GetSecretValue')).flatMap(({ Resource }) => text([Resource].flat()));

    expect(text(container(template).Secrets)).toEqual([{ Name: 'PREFECT_API_KEY', ValueFrom: key }]);
    expect(configurationOf(template).template.variables.prefect_api_key_secret_arn).toEqual(key);
    for (const role of [/IdentityExecutionRole/, /FlowRunExecutionRole/]) expect(read(role)).toEqual([key]);

    expect(configurationOf(template).api.secrets).toEqual({ PREFECT_API_KEY: management });
    for (const role of [/WorkPoolRole/, /DemandRole/]) expect(read(role)).toEqual([management]);
    // Whether the workers' key is newer than they are.
    expect(read(/RescueRole/).sort()).toEqual([key, management]);
    const { API, WORKER_SECRETS } = resource(template, 'AWS::Lambda::Function', /RescueFunction/).Properties.Environment.Variables;
    expect(JSON.parse(text(API)).secrets).toEqual({ PREFECT_API_KEY: management });
    expect(JSON.parse(text(WORKER_SECRETS))).toEqual([key]);
  });

  test('of AWS Secrets Manager asks for no endpoint to SSM', () => {
    const own = newStack();
    addWorker(own);
    expect(Object.keys(Template.fromStack(own).findResources('AWS::EC2::VPCEndpoint')).filter(id => /Ssm/.test(id))).toEqual([]);
  });
});

describe('a proxy before the API', () => {
  test.each(['http://proxy.example.com:3128', 'http://10.0.0.9:8080/', 'http://proxy', 'HTTP://proxy.example.com:3128'])('is taken: %s', proxyUrl => {
    expect(() => server('https://x.example.com/api', { proxyUrl })).not.toThrow();
  });

  test.each(['https://proxy.example.com:3128', 'proxy.example.com:3128', 'socks5://proxy.example.com:1080', 'http://proxy.example.com:3128/path', ''])('is refused: %s', proxyUrl => {
    const fix = `proxyUrl is "${proxyUrl}": give the scheme http, the host and the port, such as http://proxy.example.com:3128.`;
    expect(() => server('https://x.example.com/api', { proxyUrl })).toThrow(fix);
    expect(() => PrefectApi.cloud({ accountId: ACCOUNT_ID, workspaceId: WORKSPACE_ID, apiKey: secret, proxyUrl })).toThrow(fix);
  });

  test('is refused with a password, which is not shown', () => {
    const refused = () => server('https://x.example.com/api', { proxyUrl: 'http://me:hunter2@proxy.example.com:3128' });
    expect(refused).toThrow(/^proxyUrl has a user or a password in it/);
    expect(refused).not.toThrow(/hunter2/);
  });

  test('has the functions that ask the API in the VPC, and lets them out to it', () => {
    const own = newStack();
    const proxyUrl = 'http://proxy.example.com:3128';
    addWorker(own, { api: PrefectApi.cloud({ accountId: ACCOUNT_ID, workspaceId: WORKSPACE_ID, apiKey: newSecret(own, 'ApiKey'), proxyUrl }) });
    const template = Template.fromStack(own);
    expect(configurationOf(template).api.proxyUrl).toBe(proxyUrl);
    for (const fn of [/WorkPoolFunction/, /RescueFunction/, /DemandFunction/]) {
      const { VpcConfig, Environment } = resource(template, 'AWS::Lambda::Function', fn).Properties;
      expect(text(VpcConfig.SecurityGroupIds)).toEqual([expect.stringMatching(/FunctionSecurityGroup/)]);
      if (Environment?.Variables.API) expect(JSON.parse(text(Environment.Variables.API)).proxyUrl).toBe(proxyUrl);
    }
    const egress = resource(template, 'AWS::EC2::SecurityGroup', /FunctionSecurityGroup/).Properties.SecurityGroupEgress;
    expect(egress.map(({ FromPort }: any) => FromPort)).toEqual(expect.arrayContaining([443, 3128]));
  });
});

describe('what is known only at deployment', () => {
  const tokens = (scope: Stack): [string, string][] => [
    ['a parameter', new CfnParameter(scope, 'Parameter').valueAsString],
    ['an import', Fn.importValue('value')],
    ['a lazy value', Lazy.string({ produce: () => 'https://late.example.com/api' })],
    ['a part of it', `https://${new CfnParameter(scope, 'Host').valueAsString}/api`],
  ];

  test.each(tokens(newStack()))('is taken as ids: %s', (_, token) => {
    expect(() => cloud(token, token)).not.toThrow();
  });

  test.each(tokens(newStack()))('is taken as URL and certificate: %s', (_, token) => {
    expect(() => server(token, { authString: secret, tlsCaCertificate: token, proxyUrl: token })).not.toThrow();
  });

  test('reaches the worker', () => {
    const own = newStack();
    addWorker(own, { api: server(new CfnParameter(own, 'Url').valueAsString) });
    const { Environment } = container(Template.fromStack(own));
    expect(text(Environment)).toContainEqual({ Name: 'PREFECT_API_URL', Value: '{Url}' });
  });
});
