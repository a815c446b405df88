import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, aws_ecs as ecs, aws_secretsmanager as secretsmanager, Stack } from 'aws-cdk-lib';
import { PrefectApi, PrefectFargateWorker, WorkPool } from '../../../src';
import { scenarios } from '../../scenarios';

/** Synthesizes the scenarios, and reports how mistakes read; the apps of the other languages do the same. */
const out = process.argv[2];
for (const { name, build } of scenarios) {
  const app = new App({ outdir: join(out, name), analyticsReporting: false, treeMetadata: false });
  build(app);
  app.synth();
}

const mistakes: Record<string, () => void> = {
  'a work pool\'s name': () => WorkPool.managed('etl/nightly'),
  'a worker\'s size': () => {
    const stack = new Stack();
    const apiKey = ecs.Secret.fromSecretsManager(new secretsmanager.Secret(stack, 'ApiKey'));
    new PrefectFargateWorker(stack, 'Worker', {
      api: PrefectApi.cloud({ accountId: '11111111-2222-3333-4444-555555555555', workspaceId: '66666666-7777-8888-9999-000000000000', apiKey }),
      workPool: WorkPool.managed('etl'),
      cpu: 1000,
    });
  },
};
const reports = Object.entries(mistakes).map(([name, mistake]) => {
  try {
    mistake();
    return [name, {}];
  } catch (error) {
    return [name, { message: (error as Error).message, shown: (error as Error).stack }];
  }
});
mkdirSync(out, { recursive: true });
writeFileSync(join(out, 'mistakes.json'), JSON.stringify(Object.fromEntries(reports)));
