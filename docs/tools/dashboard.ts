import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { collect } from './dashboard/collect';
import { draw } from './dashboard/draw';
import { Recording } from './dashboard/recording';
import { png } from './picture';

/**
 * Draws docs/dashboard.png: the deployed dashboard of the demo's workers, with what they really did. `npm run dashboard:picture`
 * deploys and records for five minutes; with `-- --again` it draws the last recording.
 */
const RECORDING = join(__dirname, '..', '..', '.cache', 'reports', 'dashboard.json');

async function main(): Promise<void> {
  const again = process.argv.includes('--again') && existsSync(RECORDING);
  const recording: Recording = again ? JSON.parse(readFileSync(RECORDING, 'utf8')) : await collect(line => console.log(line.slice(0, 150)));
  mkdirSync(dirname(RECORDING), { recursive: true });
  writeFileSync(RECORDING, JSON.stringify(recording));
  writeFileSync(join(__dirname, '..', 'dashboard.png'), png(draw(recording, 'CloudWatch dashboard of the demo: a PROCESS worker and an ECS worker')));
}

main().catch(error => {
  console.error(error);
  process.exitCode = 1;
});
