import { CfnParameter, Fn, Lazy, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { PrefectApi, SelfHostedApiOptions } from '../../src';
import { addWorker, container, newSecret, newStack, text } from '../support/worker';

const secret = newSecret(newStack(), 'Secret');
const cloud = (accountId: any, workspaceId: any) => PrefectApi.cloud({ accountId, workspaceId, apiKey: secret });
const server = (url: any, options: Partial<SelfHostedApiOptions> = {}) => PrefectApi.selfHosted({ url, ...options });

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
