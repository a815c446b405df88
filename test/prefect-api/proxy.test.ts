import { Template } from 'aws-cdk-lib/assertions';
import { PrefectApi, SelfHostedApiOptions } from '../../src';
import { ACCOUNT_ID, addWorker, configurationOf, newSecret, newStack, resource, text, WORKSPACE_ID } from '../support/worker';

const secret = newSecret(newStack(), 'Secret');
const server = (url: any, options: Partial<SelfHostedApiOptions> = {}) => PrefectApi.selfHosted({ url, ...options });

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
