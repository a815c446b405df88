import { aws_ec2 as ec2, CfnParameter, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { PrefectApi, PrefectCloudOptions, PrefectFargateWorker, WorkPool } from '../../src';
import { ACCOUNT_ID, addWorker, connectedVpc, container, newSecret, newStack, text, WORKSPACE_ID } from '../support/worker';

const secret = newSecret(newStack(), 'Secret');
const cloud = (accountId: any, workspaceId: any) => PrefectApi.cloud({ accountId, workspaceId, apiKey: secret });

describe('Prefect Cloud', () => {
  test('has the URL of the workspace', () => {
    const api = cloud(ACCOUNT_ID, WORKSPACE_ID);
    expect(api.url).toBe(`https://api.prefect.cloud/api/accounts/${ACCOUNT_ID}/workspaces/${WORKSPACE_ID}`);
    expect(api.isCloud).toBe(true);
  });

  test('takes ids in capital letters', () => {
    expect(() => cloud('AAAAAAAA-BBBB-CCCC-DDDD-EEEEEEEEEEEE', WORKSPACE_ID)).not.toThrow();
  });

  const FIX = 'give the UUID from the address of the Prefect Cloud UI, such as 11111111-2222-3333-4444-555555555555.';
  const malformed: [unknown, string][] = [
    ['', 'is "":'], [undefined, 'is missing:'], ['my-account', 'is "my-account":'], [`${ACCOUNT_ID} `, `is "${ACCOUNT_ID} ":`], [ACCOUNT_ID.slice(1), 'is "1111111-'],
    [ACCOUNT_ID.replace(/-/g, ''), 'is "1111'], [`{${ACCOUNT_ID}}`, 'is "{1111'], [ACCOUNT_ID.replace('1', 'g'), 'is "g111'],
  ];

  test.each(malformed)('refuses the account id %j', (id, value) => {
    expect(() => cloud(id, WORKSPACE_ID)).toThrow(`accountId ${value}`);
    expect(() => cloud(id, WORKSPACE_ID)).toThrow(FIX);
  });

  test.each(malformed)('refuses the workspace id %j', (id, value) => {
    expect(() => cloud(ACCOUNT_ID, id)).toThrow(`workspaceId ${value}`);
    expect(() => cloud(ACCOUNT_ID, id)).toThrow(FIX);
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
