import { createServer, Server } from 'node:http';
import { AddressInfo } from 'node:net';
import { CommandFailed, deploy } from './support/cdk';
import { createSecret, Live, startLive } from './support/environment';

jest.setTimeout(300_000);

let live: Live;
let website: Server;

beforeAll(async () => {
  live = await startLive({ api: 'self-hosted' });
  website = createServer((_, response) => response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>No such page</h1>'));
  await new Promise<void>(resolve => website.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  website?.close();
  await live?.stop();
});

async function failedDeployment(environment: Record<string, string>): Promise<{ output: string; seconds: number }> {
  const start = Date.now();
  const error = await deploy(live.standIn, { ...live.deployment, environment: { ...live.deployment.environment, ...environment } })
    .then(() => { throw new Error('The deployment succeeded.'); }, cause => cause);
  if (!(error instanceof CommandFailed)) throw error;
  return { output: error.output, seconds: (Date.now() - start) / 1000 };
}

describe('within a minute and with the reason, a deployment fails', () => {
  test('with a wrong authentication string', async () => {
    const { output, seconds } = await failedDeployment({ SECRET_ARN: await createSecret(live.standIn, 'admin:wrong') });
    expect(output).toMatch(/The Prefect API answered 401 .*Unauthorized/);
    expect(seconds).toBeLessThan(60);
  });

  test('with the URL of something that is no Prefect API', async () => {
    const { output, seconds } = await failedDeployment({ API_URL: `http://127.0.0.1:${(website.address() as AddressInfo).port}/api` });
    expect(output).toMatch(/The Prefect API answered 404 .*No such page/);
    expect(seconds).toBeLessThan(60);
  });

  test('with a server that can\'t be reached', async () => {
    const { output, seconds } = await failedDeployment({ API_URL: 'http://127.0.0.1:9/api' });
    expect(output).toMatch(/can't be reached .*ECONNREFUSED/);
    expect(seconds).toBeLessThan(60);
  });
});
