import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { DataSource, type DataSourceOptions } from 'typeorm';
import type { StoreCall } from '../../core/session-store';
import { SessionError, SessionStoreError } from '../../core/session.errors';
import { driverCode, type DriverFailure, reasonOf, toStoreError } from './driver-failure';
import type { StatementResult, DedicatedConnection } from './dedicated-connection';
import { backOff } from './backoff';
import type { Statement } from './session-statements';
import type { SessionTable } from './session-table';
import { sqliteDialect } from './sql-dialects';
import { inspectSqliteTable } from './sqlite-table';
import type { TableFacts } from './table-facts';

type SqliteOptions = Extract<DataSourceOptions, { type: 'better-sqlite3' }>;

/** How long opening and inspecting wait for a lock, in milliseconds. Calls wait until they are aborted. */
const OPENING_TIMEOUT = 10_000;
const DUPLICATE = ['SQLITE_CONSTRAINT_PRIMARYKEY', 'SQLITE_CONSTRAINT_UNIQUE'];

/**
 * A second connection to the same SQLite file. better-sqlite3 has one connection per DataSource, on which a session write would become
 * part of the application's open transaction.
 */
export class SqliteConnection implements DedicatedConnection {
  readonly dialect = sqliteDialect;
  readonly place: string;
  readonly #options: SqliteOptions;
  #opening: Promise<DataSource> | undefined;
  #closed = false;

  /** @throws SessionError `SESSION_OPTIONS_INVALID` for a database that a second connection cannot reach, or that is read-only */
  constructor(given: SqliteOptions) {
    this.#options = ownOptions(given);
    this.place = this.#options.database;
  }

  async run(
    statement: Statement,
    values: readonly unknown[],
    { signal }: StoreCall,
  ): Promise<StatementResult> {
    const { operation, sql, takes } = statement;
    const parameters = takes.map((index) => values[index]);
    for (let attempt = 1; ; attempt++) {
      try {
        const runner = (await this.#openDatabase(operation)).createQueryRunner();
        const { records, affected } = await runner.query(sql, parameters, true);
        return { rows: (records as unknown[] | undefined) ?? [], affected: affected ?? 0 };
      } catch (error) {
        if (error instanceof SessionError) throw error;
        if (!isBusy(error)) throw toStoreError(operation, sqliteFailureOf(error));
      }
      if (!(await backOff(attempt, signal))) {
        throw new SessionStoreError(
          operation,
          'another connection kept the database locked until the call was aborted',
        );
      }
    }
  }

  endServer(): null {
    return null;
  }

  open(): void {
    this.#closed = false;
  }

  async inspect({ name }: SessionTable): Promise<TableFacts | null> {
    if (!existsSync(this.place)) return null;
    const call = { signal: AbortSignal.timeout(OPENING_TIMEOUT) };
    return inspectSqliteTable(async (sql) => {
      const statement = { operation: 'prepare', sql, takes: [0], repeatable: true };
      return (await this.run(statement, [name], call)).rows;
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    const opening = this.#opening;
    this.#opening = undefined;
    const opened = await opening?.catch(() => undefined);
    await opened?.destroy();
  }

  #openDatabase(operation: string): Promise<DataSource> {
    if (this.#closed) throw new SessionStoreError(operation, 'the store is closed');
    this.#opening ??= openDatabase(this.#options).catch((error: unknown) => {
      this.#opening = undefined; // the next call tries again
      throw error;
    });
    return this.#opening;
  }
}

async function openDatabase(options: SqliteOptions): Promise<DataSource> {
  const dataSource = await new DataSource(options).initialize();
  // Set again, because prepareDatabase may change it: with a timeout better-sqlite3 blocks the whole process while it waits.
  await dataSource.query('PRAGMA busy_timeout = 0');
  return dataSource;
}

/**
 * The options needed to open the file. Entities, migrations, `dropSchema` and the like are left out; `logging` and `verbose` would print
 * hashes and bodies; the file keeps its journal mode. A missing file is not created, the migrations do that.
 */
function ownOptions(given: SqliteOptions): SqliteOptions {
  const { type, key, nativeBinding, prepareDatabase } = given;
  if (given.readonly) {
    throw new SessionError(
      'SESSION_OPTIONS_INVALID',
      'TypeOrmSessionStore was given a DataSource with readonly: true. Pass one that may write.',
    );
  }
  return {
    type,
    driver: given.driver as unknown,
    key,
    nativeBinding,
    prepareDatabase,
    database: fileOf(given.database),
    fileMustExist: true,
    timeout: 0,
    logging: false,
  };
}

/** The absolute path, so that a later change of the working directory has no effect. */
function fileOf(database: unknown): string {
  const name = typeof database === 'string' ? database.trim() : '';
  if (name !== '' && name !== ':memory:') return resolve(name);
  throw new SessionError(
    'SESSION_OPTIONS_INVALID',
    'TypeOrmSessionStore was given an in-memory or temporary SQLite database, which a second connection cannot reach. ' +
      'Use a file, or new MemorySessionStore() if sessions may be lost when the process ends.',
  );
}

function sqliteFailureOf(error: unknown): DriverFailure {
  const isDuplicate = DUPLICATE.includes(driverCode(error) ?? '');
  return { kind: isDuplicate ? 'duplicate' : 'other', reason: reasonOf(error) };
}

function isBusy(error: unknown): boolean {
  const code = driverCode(error);
  return code !== undefined && /^SQLITE_(BUSY|LOCKED)/.test(code);
}
