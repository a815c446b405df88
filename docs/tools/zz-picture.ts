import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync, existsSync } from 'node:fs';
import { collect } from './dashboard/zz-collect';
import { draw } from './dashboard/draw';
import { png } from './picture';
const RECORDING = '/tmp/costs/recording.json';
async function main() {
  const test = spawnSync('npx', ['jest', 'test/live/costs.test.ts'], { encoding: 'utf8' });
  writeFileSync('/tmp/costs/live4.log', test.stdout + test.stderr);
  const recording = existsSync(RECORDING) ? JSON.parse(readFileSync(RECORDING, 'utf8')) : await collect(line => console.log(line.slice(0, 150)));
  writeFileSync(RECORDING, JSON.stringify(recording));
  const rows = recording.widgets;
  const from = Math.min(...rows.filter((w: any) => /What does it cost/.test(w.properties.markdown ?? '')).map((w: any) => w.y));
  writeFileSync('/tmp/costs/dashboard.png', png(draw(recording, 'CloudWatch dashboard')));
  console.log(from);
}
void main();
