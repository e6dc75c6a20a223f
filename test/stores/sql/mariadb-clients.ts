import { PrismaMariaDb } from '@prisma/adapter-mariadb';
import { drizzle } from 'drizzle-orm/mysql2';
import knex from 'knex';
import { Kysely, MysqlDialect } from 'kysely';
import { createPool, type Pool } from 'mysql2';
import { fromMysql2 } from 'nestjs-tessera/sql';
import { Sequelize } from 'sequelize';
import {
  type ClientKind,
  CONNECTING,
  drizzleOpened,
  knexOpened,
  kyselyOpened,
  type OpenedClient,
  POOL,
  prismaOpened,
  sequelizeOpened,
  WRITE,
} from './opened-client';
import { prismaClient } from './prisma-client';

const mysqlPool = (uri: string): Pool =>
  createPool({ uri: uri.replace(/^mariadb/, 'mysql'), connectionLimit: POOL, connectTimeout: CONNECTING });

export const mariadbDrivers: readonly ClientKind[] = [
  {
    name: 'mysql2',
    abandons: true,
    open(url) {
      const pool = mysqlPool(url);
      return { client: fromMysql2(pool), rollBack: mysqlRollBack(pool), close: () => pool.promise().end() };
    },
  },
  {
    name: 'mysql2/promise',
    abandons: true,
    open(url) {
      const pool = mysqlPool(url);
      return {
        client: fromMysql2(pool.promise()),
        rollBack: mysqlRollBack(pool),
        close: () => pool.promise().end(),
      };
    },
  },
  {
    name: 'Drizzle over mysql2',
    abandons: true,
    open(url) {
      const pool = mysqlPool(url);
      return drizzleOpened(drizzle(pool), () => pool.promise().end());
    },
  },
  {
    name: 'Knex on MariaDB',
    open(url) {
      const own = knex({
        client: 'mysql2',
        connection: { uri: url.replace(/^mariadb/, 'mysql'), connectTimeout: CONNECTING },
        pool: { min: 0, max: POOL },
        acquireConnectionTimeout: CONNECTING,
      });
      return knexOpened(own, 'mysql');
    },
  },
];

export const mariadbMappers: readonly ClientKind[] = [
  {
    name: 'Prisma on MariaDB',
    async open(url) {
      const PrismaClient = await prismaClient('mysql');
      const { hostname: host, port, username: user, password, pathname } = new URL(url);
      const adapter = new PrismaMariaDb({
        ...{ host, port: Number(port), user, password, database: pathname.slice(1) },
        ...{ connectionLimit: POOL, connectTimeout: CONNECTING, acquireTimeout: CONNECTING },
      });
      const prisma = new PrismaClient({ adapter });
      return prismaOpened(prisma, 'mysql');
    },
  },
  {
    name: 'Kysely on MariaDB',
    open(url) {
      const kysely = new Kysely<object>({ dialect: new MysqlDialect({ pool: mysqlPool(url) }) });
      return kyselyOpened(kysely, 'mysql');
    },
  },
  {
    name: 'Sequelize on MariaDB',
    open(url) {
      const sequelize = new Sequelize(url.replace(/^mariadb/, 'mysql'), {
        dialect: 'mysql',
        logging: false,
        pool: { max: POOL, acquire: CONNECTING },
        dialectOptions: { connectTimeout: CONNECTING },
      });
      return sequelizeOpened(sequelize, 'mysql');
    },
  },
];

function mysqlRollBack(pool: Pool): OpenedClient['rollBack'] {
  return async (during) => {
    const own = await pool.promise().getConnection();
    await own.beginTransaction();
    await own.query(WRITE);
    await during();
    await own.rollback();
    own.release();
  };
}
