import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemorySessionStore } from 'nestjs-tessera';
import { FileSessionStore } from 'nestjs-tessera/file';
import { RedisSessionStore } from 'nestjs-tessera/redis';
import { createSessionTable, TypeOrmSessionStore } from 'nestjs-tessera/typeorm';
import { DataSource } from 'typeorm';

/**
 * Every store that can be had here, by name: a function that opens an empty one, or why there is none. Each call gives
 * `{ store, close }`, and `close` leaves nothing behind. Some give more: `insertMany(records)` is faster than one insert for each, and
 * `settle()` is to be called after it.
 */
export const stores = {
  memory: async () => ({ store: new MemorySessionStore(), close: async () => {} }),
  sqlite: () =>
    inFolder(async (folder) => {
      const database = join(folder, 'app.sqlite');
      return overTypeOrm({ type: 'better-sqlite3', database, enableWAL: true });
    }),
  file: () =>
    inFolder(async (folder) => ({
      store: new FileSessionStore(join(folder, 'sessions')),
      close: async () => {},
    })),
  // Connections stay while other processes are measured: a new one knows neither the tables nor their pages.
  postgres: fromVariable('POSTGRES_URL', (url) =>
    overTypeOrm({ type: 'postgres', url, extra: { idleTimeoutMillis: 0 } }, inBulk),
  ),
  mariadb: fromVariable('MARIADB_URL', (url) => overTypeOrm({ type: 'mariadb', url })),
  redis: fromVariable('REDIS_URL', async (url) => {
    const { Redis } = await import('ioredis');
    const client = new Redis(url);
    const prefix = `bench:${process.pid}:`;
    return { store: new RedisSessionStore(client, { prefix }), close: () => emptied(client, prefix) };
  }),
};

function fromVariable(variable, open) {
  const url = process.env[variable];
  return url === undefined ? `${variable} is not set` : () => open(url);
}

async function inFolder(open) {
  const folder = await mkdtemp(join(tmpdir(), 'tessera-bench-'));
  const { store, close } = await open(folder);
  return { store, close: () => close().then(() => rm(folder, { recursive: true })) };
}

async function overTypeOrm(options, more = () => ({})) {
  const tableName = `bench_${process.pid}`;
  const migrations = [createSessionTable(tableName)];
  const database = await new DataSource({
    ...options,
    migrations,
    migrationsTableName: `${tableName}_done`,
  }).initialize();
  await database.runMigrations();
  const store = new TypeOrmSessionStore(database, { tableName });
  return {
    ...more(database, tableName),
    store,
    close: async () => {
      await store.close?.();
      for (const table of [tableName, `${tableName}_done`]) await database.query(`DROP TABLE ${table}`);
      await database.destroy();
    },
  };
}

/** On PostgreSQL: one statement for many rows. */
function inBulk(database, tableName) {
  const columns = ['id', 'version', 'secretHash', 'principal', 'expiresAt', 'body'];
  const rows = `unnest($1::varchar[], $2::integer[], $3::varchar[], $4::varchar[], $5::bigint[], $6::text[])`;
  return {
    insertMany: (records) =>
      database.query(
        `INSERT INTO ${tableName} (id, version, secret_hash, principal, expires_at, body) SELECT * FROM ${rows}`,
        columns.map((column) => records.map((record) => record[column])),
      ),
    // Else it does so by itself, while something is measured.
    settle: () => database.query(`VACUUM ANALYZE ${tableName}`),
  };
}

async function emptied(client, prefix) {
  for await (const keys of client.scanStream({ match: `${prefix}*`, count: 1000 })) {
    if (keys.length > 0) await client.unlink(keys);
  }
  await client.quit();
}
