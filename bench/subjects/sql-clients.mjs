import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { PrismaPg } from '@prisma/adapter-pg';
import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { fromDrizzle, fromPg, fromPostgresJs, fromPrisma } from 'nestjs-tessera/sql';
import { createSessionTable, TypeOrmSessionStore } from 'nestjs-tessera/typeorm';
import pg from 'pg';
import postgres from 'postgres';
import { DataSource } from 'typeorm';

const require = createRequire(import.meta.url);

/**
 * Opens a client, with `query` and `run` for a statement as an application writes it with this client: `query` returns rows, `run` does not.
 * All have prepared statements where the client has them.
 */
export function openClient(name, url, tableName) {
  return clients[name](url, tableName);
}

const clients = {
  pg(url) {
    const pool = new pg.Pool({ connectionString: url });
    const query = (text, values) => pool.query({ name: text.slice(0, 6), text, values });
    return { client: fromPg(pool), query, run: query, close: () => pool.end() };
  },
  postgres(url) {
    const own = postgres(url, { onnotice: () => {} });
    const query = (text, values) => own.unsafe(text, values, { prepare: true });
    return { client: fromPostgresJs(own), query, run: query, close: () => own.end() };
  },
  async prisma(url) {
    const prisma = new (prismaClient())({ adapter: new PrismaPg({ connectionString: url }) });
    return {
      client: fromPrisma(prisma, 'postgres'),
      query: (text, values) => prisma.$queryRawUnsafe(text, ...values),
      run: (text, values) => prisma.$executeRawUnsafe(text, ...values),
      close: () => prisma.$disconnect(),
    };
  },
  drizzle(url) {
    const pool = new pg.Pool({ connectionString: url });
    const db = drizzle(pool);
    const query = (text, values) => {
      const parts = text.split(/\$\d/);
      return db.execute(sql(Object.assign(parts, { raw: parts }), ...values));
    };
    return { client: fromDrizzle(db), query, run: query, close: () => pool.end() };
  },
  async typeorm(url, tableName) {
    const database = await new DataSource({
      ...{ type: 'postgres', url, migrations: [createSessionTable(tableName)] },
      migrationsTableName: `${tableName}_done`,
    }).initialize();
    await database.runMigrations();
    const store = new TypeOrmSessionStore(database, { tableName });
    const query = (text, values) => database.query(text, values);
    return { store, query, run: query, close: () => store.close().then(() => database.destroy()) };
  },
};

/** Generated once, which needs no network. */
function prismaClient() {
  const prisma = require.resolve('prisma/package.json');
  const folder = join(dirname(dirname(prisma)), '.cache', 'tessera-bench-prisma');
  const schema = join(folder, 'schema.prisma');
  if (!existsSync(join(folder, 'client'))) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      schema,
      `generator client {\n provider = "prisma-client-js"\n output = "./client"\n}\ndatasource db {\n provider = "postgresql"\n}\nmodel Note {\n id Int @id\n}\n`,
    );
    const env = { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, CHECKPOINT_DISABLE: '1' };
    const cli = join(dirname(prisma), 'build/index.js');
    execFileSync(process.execPath, [cli, 'generate', '--schema', schema], { env, stdio: 'ignore' });
  }
  return require(join(folder, 'client')).PrismaClient;
}
