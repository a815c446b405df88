import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as path from 'node:path';
import { createInterface } from 'node:readline';
import { alive } from '../support/alive';

const STARTS_A_GROUP = `
const { startGroup } = require(${JSON.stringify(path.join(__dirname, 'child'))});
startGroup(process.execPath, ['-e', 'require("child_process").spawn("sleep", ["60"], { stdio: "ignore" }); console.log(process.pid); setInterval(() => {}, 1000)'], {}).stdout.pipe(process.stdout);
`;

test.each(['SIGTERM', 'SIGKILL'] as const)('a group ends with the process that started it, even if that gets %s', async signal => {
  const starter = spawn(process.execPath, ['--import', 'tsx', '-e', STARTS_A_GROUP], { cwd: __dirname, stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(createInterface(starter.stdout), 'line');
  const leader = Number(line);
  expect(alive(leader)).toBe(true);
  starter.kill(signal);
  for (const end = Date.now() + 10_000; alive(-leader) && Date.now() < end;) await new Promise(resolve => setTimeout(resolve, 50));
  const left = alive(-leader);
  if (left) process.kill(-leader, 'SIGKILL');
  expect(left).toBe(false);
}, 30_000);
