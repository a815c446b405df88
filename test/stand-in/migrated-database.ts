import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { promisify } from 'node:util';

/**
 * Puts an empty SQLite database where a server looks for it, with the tables that its version of Prefect has. Prefect creates them in more than a
 * hundred steps, which take longer than the rest of a server's start: so they are done once for each Python environment.
 */
export async function provideDatabase(bin: string, file: string): Promise<void> {
  const migrated = path.join(bin, '..', 'migrated.db');
  if (!existsSync(migrated)) {
    const home = await mkdtemp(path.join(tmpdir(), 'prefect-database-'));
    const created = path.join(home, 'prefect.db');
    await promisify(execFile)(path.join(bin, 'prefect'), ['server', 'database', 'upgrade', '--yes'], {
      env: { PATH: process.env.PATH, HOME: home, PREFECT_HOME: home, PREFECT_API_DATABASE_CONNECTION_URL: `sqlite+aiosqlite:///${created}` },
    });
    // Test files that run at the same time may all do so; each puts a whole one there.
    const own = `${migrated}.${process.pid}`;
    await copyFile(created, own);
    await rename(own, migrated);
    await rm(home, { recursive: true });
  }
  await copyFile(migrated, file);
}
