import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Synthesizes one case for integ-runner, whose newest version (2.197) refuses the cloud assemblies of this aws-cdk-lib by their
 * schema version alone: what it reads of them is the same. Delete this file once integ-runner takes schema 55.
 */
const READABLE_SCHEMA = '53.0.0';

/** Assertions salt themselves with the time, for stacks that stay; ours are made anew each time, and their snapshots can be compared. */
const FROZEN_TIME = 'data:text/javascript,Date.now = () => 0';

const { status } = spawnSync(process.execPath, ['--import', FROZEN_TIME, '--import', 'tsx', process.argv[2]], { stdio: 'inherit' });
const assembly = process.env.CDK_OUTDIR;
if (status === 0 && assembly) {
  for (const name of readdirSync(assembly, { recursive: true, encoding: 'utf8' })) {
    if (!/(manifest|integ|\.assets)\.json$|cdk\.out$/.test(name)) continue;
    const file = join(assembly, name);
    writeFileSync(file, readFileSync(file, 'utf8')
      .replace(/"version": ?"5\d\.\d+\.\d+"/, `"version":"${READABLE_SCHEMA}"`)
      // Where each resource was written, by line and by this machine's folders, is no part of a snapshot.
      .replace(/ *"additionalMetadataFile": "[^"]*",\n/g, ''));
  }
}
process.exitCode = status ?? 1;
