import { existsSync } from 'node:fs';
import type { DataSource } from 'typeorm';
import { SessionError } from '../../core/session.errors';
import { checkTableName, DEFAULT_TABLE } from '../sql/session-table';
import { SqlSessionStore } from '../sql/sql-session-store';
import { nameInDatabase, ownPool } from './own-pool';
import { hasEntityForOtherDatabase } from './session.schema';

/** Options of {@link TypeOrmSessionStore}. */
export interface TypeOrmSessionStoreOptions {
  /** The table, without the `entityPrefix` of the DataSource. @default 'tessera_sessions' */
  readonly tableName?: string;
  /**
   * Maximum number of connections to a database server that the store opens on demand, in addition to those of the DataSource.
   * @default 10, or the DataSource's pool size if that is smaller
   */
  readonly poolSize?: number;
}

/**
 * Stores sessions in the database of a TypeORM `DataSource`: PostgreSQL and CockroachDB through `pg`, MySQL and MariaDB through `mysql2`,
 * SQLite through `better-sqlite3`. CockroachDB has not been run.
 *
 * The store takes the address of the database from the DataSource and opens its own connections, so that a rollback of the application
 * does not undo session writes. It closes only those.
 *
 * SQLite allows one writer at a time: a session write waits, without blocking the process, until a transaction of the application that has
 * written ends. So do not await a session write inside such a transaction. Without `enableWAL: true` on the DataSource, which is
 * recommended, it also waits for a transaction that has only read.
 *
 * {@link CreateSessionTable} creates the table; add it to the migrations of your DataSource.
 */
export class TypeOrmSessionStore extends SqlSessionStore {
  readonly #dataSource: DataSource;
  readonly #tableName: string;

  /** @throws SessionError `SESSION_OPTIONS_INVALID` for an in-memory or unsupported database, or an invalid option */
  constructor(
    dataSource: DataSource,
    { tableName = DEFAULT_TABLE, poolSize }: TypeOrmSessionStoreOptions = {},
  ) {
    if (typeof dataSource?.createQueryRunner !== 'function') {
      throw new SessionError(
        'SESSION_OPTIONS_INVALID',
        'TypeOrmSessionStore was given no DataSource. In forRootAsync, inject it: inject: [DataSource].',
      );
    }
    checkPoolSize(poolSize);
    const { options } = dataSource;
    super({
      ...ownPool(dataSource, poolSize),
      tableName: nameInDatabase(dataSource, checkTableName(tableName)),
      schema: 'schema' in options ? options.schema : undefined,
      setup: () => migrationAdvice(dataSource, tableName),
    });
    this.#dataSource = dataSource;
    this.#tableName = tableName;
  }

  /**
   * Opens the connection, also after `close()`, and checks the table. Without this call the connection opens at the first call of another
   * method.
   * @throws SessionError `SESSION_SCHEMA_INVALID`, which says what is wrong and what to do; SessionStoreError
   */
  override async prepare(): Promise<void> {
    const { options } = this.#dataSource;
    const table = nameInDatabase(this.#dataSource, this.#tableName);
    if (hasEntityForOtherDatabase(this.#dataSource, table)) throw this.#wrongEntity(table);
    if (options.type === 'better-sqlite3' && !existsSync(options.database)) throw this.missingTable();
    await super.prepare();
  }

  #wrongEntity(table: string): SessionError {
    const named = this.#tableName === DEFAULT_TABLE ? '' : `, tableName: '${this.#tableName}'`;
    const { type } = this.#dataSource.options;
    return new SessionError(
      'SESSION_SCHEMA_INVALID',
      `The entity of the table ${table} is for other databases; a migration generated from it would make the column body ` +
        `too small. In the entities of your DataSource, replace it with sessionSchema({ type: '${type}'${named} }).`,
    );
  }
}

function migrationAdvice({ isInitialized }: DataSource, tableName: string): string {
  const migration = tableName === DEFAULT_TABLE ? 'CreateSessionTable' : `createSessionTable('${tableName}')`;
  const early = ' The DataSource is not initialized yet, so its migrations may not have run.';
  return (
    `Add ${migration} of nestjs-tessera/typeorm to the migrations of your DataSource, and run it before the application starts, ` +
    `as migrationsRun: true does.${isInitialized ? '' : early}`
  );
}

function checkPoolSize(poolSize: number | undefined): void {
  if (poolSize === undefined || (Number.isSafeInteger(poolSize) && poolSize > 0)) return;
  throw new SessionError(
    'SESSION_OPTIONS_INVALID',
    `poolSize must be a whole number from 1 up, got ${String(poolSize)}; leave it out for the default of 10.`,
  );
}
