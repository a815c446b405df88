import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { Postgres, postgresVersion, startPostgres } from './postgres';
import { alone } from '../python/environment';

/**
 * Prefect creates its tables in more than a hundred steps, which take longer than the rest of a server's start, and then its block types: so this is done once for
 * each Python environment and kind of database, and each server begins with a copy.
 */
async function migrated(bin: string, name: string, create: (copy: string, home: string) => Promise<void>): Promise<string> {
  const kept = path.join(bin, '..', name);
  // Test files that run at the same time need the same one.
  if (!existsSync(kept)) {
    await alone(`${kept}.lock`, () => {}, async () => {
      if (existsSync(kept)) return;
      const home = await mkdtemp(path.join(tmpdir(), 'prefect-database-'));
      await rm(`${kept}.new`, { recursive: true, force: true });
      await create(`${kept}.new`, home);
      await rename(`${kept}.new`, kept);
      await rm(home, { recursive: true });
    });
  }
  return kept;
}

/** What a server does in its own start, where it is not told to leave it. */
const CREATE = `
import asyncio
from prefect.server.database import provide_database_interface
from prefect.server.models.block_registration import run_block_auto_registration

async def create():
    database = provide_database_interface()
    await database.create_db()
    async with await database.session() as session:
        await run_block_auto_registration(session=session)

asyncio.run(create())
`;

async function createIn(bin: string, home: string, url: string): Promise<void> {
  await promisify(execFile)(path.join(bin, 'python'), ['-c', CREATE], {
    env: { PATH: process.env.PATH, HOME: home, PREFECT_HOME: home, PREFECT_API_DATABASE_CONNECTION_URL: url },
  });
}

/** For a server whose database is a copy: its tables and block types are there. The names are those of all versions of Prefect 3. */
export const MIGRATED = {
  PREFECT_API_DATABASE_MIGRATE_ON_START: 'false',
  PREFECT_API_BLOCKS_REGISTER_ON_START: 'false',
};

/** Puts a SQLite database with Prefect's tables where a server looks for it. */
export async function provideDatabase(bin: string, file: string): Promise<void> {
  await copyFile(await migrated(bin, 'created.db', async (copy, home) => {
    const created = path.join(home, 'prefect.db');
    await createIn(bin, home, `sqlite+aiosqlite:///${created}`);
    await copyFile(created, copy);
  }), file);
}

/** A PostgreSQL server with Prefect's tables. */
export async function startMigratedPostgres(bin: string): Promise<Postgres> {
  const data = await migrated(bin, `created-postgres-${postgresVersion()}`, async (copy, home) => {
    const postgres = await startPostgres();
    await createIn(bin, home, `postgresql+asyncpg://${postgres.address}`);
    await postgres.stopAndKeep(copy);
  });
  return startPostgres({ data });
}
