import type { Knex } from 'knex';
import { CompiledQuery, type Kysely } from 'kysely';
import {
  fromDrizzle,
  fromKnex,
  fromKysely,
  fromPrisma,
  fromSequelize,
  type SqlClient,
  type SqlDialectName,
} from 'nestjs-tessera/sql';
import type { Sequelize } from 'sequelize';
import type { GeneratedClient } from './prisma-client';

/** The number of connections of a client to a server. */
export const POOL = 4;

/** How long connecting may take, in milliseconds. */
export const CONNECTING = 2000;

/** A client as an application has it. */
export interface OpenedClient {
  readonly client: SqlClient;
  /** Runs something while a transaction of the application is open, and rolls that back. */
  rollBack(during: () => Promise<void>): Promise<unknown>;
  close(): unknown;
}

/** The table of the application, in which its transaction writes. */
export const APPLICATION = 'CREATE TABLE IF NOT EXISTS note (id integer)';
export const WRITE = 'INSERT INTO note VALUES (1)';

/** Makes the clients with a method for transactions roll one back. */
class RollBack extends Error {}
export const ignoreRollBack = (error: unknown): void => {
  if (!(error instanceof RollBack)) throw error as Error;
};
/** Makes a callback for such a method. */
export const rolledBack =
  <T>(write: (transaction: T) => PromiseLike<unknown>, during: () => Promise<void>) =>
  async (transaction: T): Promise<never> => {
    await write(transaction);
    await during();
    throw new RollBack();
  };

export interface ClientKind {
  /** As in the docs of stores. */
  readonly name: string;
  /** Whether the store can be told of ends. */
  readonly watches?: true;
  /** Whether a statement that is not waited for any more is abandoned, with its connection. */
  readonly abandons?: true;
  /**
   * Opens a client of an application that expects trouble: it gives up connecting after 2 seconds.
   * @param place the URL of a server, or the path of a file
   */
  open(place: string): OpenedClient | Promise<OpenedClient>;
}

export function prismaOpened(prisma: GeneratedClient, dialect: SqlDialectName): OpenedClient {
  return {
    client: fromPrisma(prisma, dialect),
    rollBack: (during) =>
      prisma.$transaction(rolledBack((own) => own.$executeRawUnsafe(WRITE), during)).catch(ignoreRollBack),
    close: () => prisma.$disconnect(),
  };
}

interface DrizzleDatabase {
  readonly $client: unknown;
  transaction(run: never): Promise<unknown>;
}

export function drizzleOpened(database: DrizzleDatabase, close: () => unknown): OpenedClient {
  const write = (own: { execute?(sql: string): Promise<unknown>; run?(sql: string): Promise<unknown> }) =>
    (own.execute?.(WRITE) ?? own.run?.(WRITE))!;
  return {
    client: fromDrizzle(database),
    rollBack: (during) => database.transaction(rolledBack(write, during) as never).catch(ignoreRollBack),
    close,
  };
}

export function knexOpened(own: Knex, dialect: SqlDialectName): OpenedClient {
  return {
    client: fromKnex(own, dialect),
    rollBack: (during) =>
      own
        .transaction(rolledBack((transaction: Knex.Transaction) => transaction.raw(WRITE), during))
        .catch(ignoreRollBack),
    close: () => own.destroy(),
  };
}

export function kyselyOpened(kysely: Kysely<object>, dialect: SqlDialectName): OpenedClient {
  return {
    client: fromKysely(kysely, dialect),
    rollBack: (during) =>
      kysely
        .transaction()
        .execute(rolledBack((own) => own.executeQuery(CompiledQuery.raw(WRITE)), during))
        .catch(ignoreRollBack),
    close: () => kysely.destroy(),
  };
}

export function sequelizeOpened(sequelize: Sequelize, dialect: SqlDialectName): OpenedClient {
  return {
    client: fromSequelize(sequelize, dialect),
    rollBack: (during) =>
      sequelize
        .transaction(rolledBack((transaction) => sequelize.query(WRITE, { transaction }), during))
        .catch(ignoreRollBack),
    close: () => sequelize.close(),
  };
}
