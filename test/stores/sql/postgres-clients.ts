import { MikroORM } from '@mikro-orm/postgresql';
import { PrismaPg } from '@prisma/adapter-pg';
import { drizzle as drizzlePg } from 'drizzle-orm/node-postgres';
import { drizzle as drizzlePostgresJs } from 'drizzle-orm/postgres-js';
import knex from 'knex';
import { Kysely, PostgresDialect } from 'kysely';
import { fromMikroOrm, fromPg, fromPostgresJs } from 'nestjs-tessera/sql';
import { Pool } from 'pg';
import postgres from 'postgres';
import { Sequelize } from 'sequelize';
import {
  type ClientKind,
  CONNECTING,
  drizzleOpened,
  ignoreRollBack,
  knexOpened,
  kyselyOpened,
  type OpenedClient,
  POOL,
  prismaOpened,
  rolledBack,
  sequelizeOpened,
  WRITE,
} from './opened-client';
import { prismaClient } from './prisma-client';

const pgPool = (connectionString: string): Pool => {
  const pool = new Pool({
    connectionString,
    max: POOL,
    connectionTimeoutMillis: CONNECTING,
    keepAlive: true,
  });
  pool.on('error', ignore);
  // Without a listener the error of a connection in use ends the process; Kysely has none.
  pool.on('connect', (client) => client.on('error', ignore));
  return pool;
};

const postgresJs = (url: string) =>
  postgres(url, {
    ...{ max: POOL, connect_timeout: CONNECTING / 1000, onnotice: ignore },
    backoff: () => 0.1, // seconds, instead of up to 20
    fetch_types: false, // else the process ends when a connection breaks while it fetches them
  });

export const postgresDrivers: readonly ClientKind[] = [
  {
    name: 'pg',
    abandons: true,
    watches: true,
    open(url) {
      const pool = pgPool(url);
      return { client: fromPg(pool), rollBack: pgRollBack(pool), close: () => pool.end() };
    },
  },
  {
    name: 'postgres',
    watches: true,
    open(url) {
      const sql = postgresJs(url);
      return {
        client: fromPostgresJs(sql),
        rollBack: (during) => sql.begin(rolledBack((own) => own.unsafe(WRITE), during)).catch(ignoreRollBack),
        close: () => sql.end({ timeout: 1 }),
      };
    },
  },
  {
    name: 'Drizzle over pg',
    abandons: true,
    watches: true,
    open(url) {
      const pool = pgPool(url);
      return drizzleOpened(drizzlePg(pool), () => pool.end());
    },
  },
  {
    name: 'Drizzle over postgres',
    watches: true,
    open(url) {
      const sql = postgresJs(url);
      return drizzleOpened(drizzlePostgresJs(sql), () => sql.end({ timeout: 1 }));
    },
  },
];

export const postgresMappers: readonly ClientKind[] = [
  {
    name: 'Prisma on PostgreSQL',
    async open(url) {
      const PrismaClient = await prismaClient('postgresql');
      const adapter = new PrismaPg({
        connectionString: url,
        max: POOL,
        connectionTimeoutMillis: CONNECTING,
      });
      const prisma = new PrismaClient({ adapter });
      return prismaOpened(prisma, 'postgres');
    },
  },
  {
    name: 'MikroORM on PostgreSQL',
    async open(url) {
      const orm = await MikroORM.init({
        clientUrl: url,
        connect: false,
        entities: [],
        discovery: { warnWhenNoEntities: false },
        pool: { min: 0, max: POOL, acquireTimeoutMillis: CONNECTING },
      });
      return {
        client: fromMikroOrm(orm.em, 'postgres'),
        rollBack: (during) =>
          orm.em
            .fork()
            .transactional(rolledBack((em) => em.execute(WRITE), during))
            .catch(ignoreRollBack),
        close: () => orm.close(true),
      };
    },
  },
  {
    name: 'Sequelize on PostgreSQL',
    open(url) {
      const sequelize = new Sequelize(url, {
        logging: false,
        pool: { max: POOL, acquire: CONNECTING },
        dialectOptions: { connectionTimeoutMillis: CONNECTING },
      });
      return sequelizeOpened(sequelize, 'postgres');
    },
  },
];

export const postgresBuilders: readonly ClientKind[] = [
  {
    name: 'Knex on PostgreSQL',
    open(url) {
      const own = knex({
        client: 'pg',
        connection: { connectionString: url, connectionTimeoutMillis: CONNECTING },
        pool: { min: 0, max: POOL },
        acquireConnectionTimeout: CONNECTING,
      });
      return knexOpened(own, 'postgres');
    },
  },
  {
    name: 'Kysely on PostgreSQL',
    open(url) {
      const kysely = new Kysely<object>({ dialect: new PostgresDialect({ pool: pgPool(url) }) });
      return kyselyOpened(kysely, 'postgres');
    },
  },
];

function ignore(): void {}

function pgRollBack(pool: Pool): OpenedClient['rollBack'] {
  return async (during) => {
    const own = await pool.connect();
    for (const step of ['BEGIN', WRITE]) await own.query(step);
    await during();
    await own.query('ROLLBACK');
    own.release();
  };
}
