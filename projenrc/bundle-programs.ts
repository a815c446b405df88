import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What workers and flow runs run, which comes along as an asset: each a program in one piece, as it is handed to `python -c`. */
const SOURCES = join('src', 'task');
const PROGRAMS = ['launcher.py', 'supervisor.py', 'flow_run.py', 'health_check.py'];

const read = (file: string) => readFileSync(join(SOURCES, file), 'utf8');
const SHARED = read('hand_back.py').replace(/^""".*"""\n\nfrom __future__ .*\n\n/, '').trimEnd();

mkdirSync(join('assets', 'task'), { recursive: true });
for (const file of PROGRAMS) {
  writeFileSync(join('assets', 'task', file), read(file).replace(/^from hand_back import .*$/m, () => SHARED));
}

/** What a server's tasks run, and the certificates that they trust. */
for (const file of ['launcher.py', 'health_check.py', 'services_health.py', 'certificates']) {
  cpSync(join('src', 'server', file), join('assets', 'server', file), { recursive: true });
}
