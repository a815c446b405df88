import { Token } from 'aws-cdk-lib';
import { PrefectApi, SelfHostedApiOptions } from '../../src';
import { ACCOUNT_ID, addWorker, connectedVpc, newSecret, newStack, warnings, WORKSPACE_ID } from '../support/worker';

const secret = newSecret(newStack(), 'Secret');
const server = (url: any, options: Partial<SelfHostedApiOptions> = {}) => PrefectApi.selfHosted({ url, ...options });

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

  test.each<[string, string, Partial<SelfHostedApiOptions>, number]>([
    ['is warned of where it leaves private networks without a secret', PLAIN, {}, 1],
    ['is warned of in front of a proxy, which passes it on as it is', 'http://203.0.113.7/api', { proxyUrl: 'http://proxy.example.com:3128' }, 1],
    ['is no concern where the user says that the network is private', PLAIN, { privateNetwork: true }, 0],
    ['is no concern where the address says so', 'http://10.0.3.7:4200/api', {}, 0],
    ['is no concern on the loopback', 'http://127.0.0.1:4200/api', {}, 0],
    ['is no concern where the URL is known only at deployment', Token.asString({ Ref: 'Url' }), {}, 0],
    ['is not what https is', 'https://prefect.example.com/api', {}, 0],
  ])('over plain http %s', (_, url, options, count) => {
    const stack = newStack();
    addWorker(stack, { api: server(url, options), ...options.privateNetwork && { vpc: connectedVpc(stack) } });
    expect(warnings(stack, 'api.plainHttp')).toHaveLength(count);
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
