import { PGlite } from '@electric-sql/pglite';
import { createClient, type Client } from '@libsql/client';
import { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3';
import Database from 'better-sqlite3';
import { drizzle as drizzleSqlite } from 'drizzle-orm/better-sqlite3';
import { drizzle as drizzleLibsql } from 'drizzle-orm/libsql';
import { drizzle as drizzlePglite } from 'drizzle-orm/pglite';
import knex from 'knex';
import { Kysely, SqliteDialect } from 'kysely';
import { fromBetterSqlite3, fromDrizzle, fromLibsql, fromNodeSqlite, fromPglite } from 'nestjs-tessera/sql';
import {
  type ClientKind,
  drizzleOpened,
  ignoreRollBack,
  knexOpened,
  kyselyOpened,
  type OpenedClient,
  prismaOpened,
  rolledBack,
  WRITE,
} from './opened-client';
import { prismaClient } from './prisma-client';

const sqlite = (file: string) => new Database(file, { timeout: 0 });

export const sqliteClients: readonly ClientKind[] = [
  {
    name: 'better-sqlite3',
    open(file) {
      const database = sqlite(file);
      return {
        client: fromBetterSqlite3(database),
        rollBack: sqliteRollBack(database),
        close: () => database.close(),
      };
    },
  },
  {
    name: 'libSQL',
    open(file) {
      const client = createClient({ url: `file:${file}` });
      return { client: fromLibsql(client), rollBack: libsqlRollBack(client), close: () => client.close() };
    },
  },
  {
    name: 'Prisma on SQLite',
    async open(file) {
      const PrismaClient = await prismaClient('sqlite');
      const prisma = new PrismaClient({
        adapter: new PrismaBetterSqlite3({ url: `file:${file}`, timeout: 0 }),
      });
      return prismaOpened(prisma, 'sqlite');
    },
  },
  {
    name: 'Drizzle over better-sqlite3',
    open(file) {
      const database = sqlite(file);
      return {
        client: fromDrizzle(drizzleSqlite(database)),
        rollBack: sqliteRollBack(database),
        close: () => database.close(),
      };
    },
  },
  {
    name: 'Drizzle over libSQL',
    open(file) {
      const client = createClient({ url: `file:${file}` });
      return drizzleOpened(drizzleLibsql(client), () => client.close());
    },
  },
  {
    name: 'Knex on SQLite',
    open(file) {
      const own = knex({ client: 'better-sqlite3', connection: { filename: file }, useNullAsDefault: true });
      return knexOpened(own, 'sqlite');
    },
  },
  {
    name: 'Kysely on SQLite',
    open(file) {
      const kysely = new Kysely<object>({ dialect: new SqliteDialect({ database: sqlite(file) }) });
      return kyselyOpened(kysely, 'sqlite');
    },
  },
];

/** Node 22.16, 24 and newer have what it takes. */
export const nodeSqlite: ClientKind = {
  name: 'node:sqlite',
  open(file) {
    // Newer than the types that this project is compiled with.
    const { DatabaseSync } = process.getBuiltinModule('node:sqlite' as 'fs') as unknown as {
      DatabaseSync: new (file: string) => {
        prepare(sql: string): unknown;
        exec(sql: string): void;
        close(): void;
      };
    };
    const database = new DatabaseSync(file);
    return {
      client: fromNodeSqlite(database),
      rollBack: sqliteRollBack(database),
      close: () => database.close(),
    };
  },
};

/** In this process, and in memory: each client has a database of its own. */
export const pgliteClients: readonly ClientKind[] = [
  {
    name: 'PGlite',
    watches: true,
    open() {
      const database = new PGlite();
      return {
        client: fromPglite(database),
        rollBack: (during) =>
          database.transaction(rolledBack((own) => own.query(WRITE), during)).catch(ignoreRollBack),
        close: () => database.close(),
      };
    },
  },
  {
    name: 'Drizzle over PGlite',
    watches: true,
    open() {
      const database = new PGlite();
      return drizzleOpened(drizzlePglite(database), () => database.close());
    },
  },
];

function sqliteRollBack(database: { exec(sql: string): unknown }): OpenedClient['rollBack'] {
  return async (during) => {
    for (const step of ['BEGIN IMMEDIATE', WRITE]) database.exec(step);
    await during();
    database.exec('ROLLBACK');
  };
}

function libsqlRollBack(client: Client): OpenedClient['rollBack'] {
  return async (during) => {
    const own = await client.transaction('write');
    await own.execute(WRITE);
    await during();
    await own.rollback();
  };
}
