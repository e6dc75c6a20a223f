import type { DataSource } from 'typeorm';
import type { SessionRecord } from '../../core/session-record';
import type {
  ClosableStore,
  EnumerableStore,
  PreparedStore,
  PrincipalIndexedStore,
  SessionStore,
  StoreCall,
  SweepableStore,
} from '../../core/session-store';
import type { SecretHash, SessionId } from '../../core/session-token';
import { SessionError } from '../../core/session.errors';
import { type OwnConnection, ownConnection } from './own-connection';
import { schemaProblems } from './schema-check';
import { type SessionStatements, sessionStatements } from './session-statements';
import { checkTableName, DEFAULT_TABLE, nameInDatabase } from './session-table';

export interface TypeOrmSessionStoreOptions {
  /** The table, without the `entityPrefix` of the DataSource. @default 'tessera_sessions' */
  readonly tableName?: string;
}

/** Records held at once while going through all of them. */
const PAGE = 200;

interface SessionRow {
  readonly id: SessionId;
  readonly version: number | string;
  readonly secret_hash: SecretHash;
  readonly principal: string | null;
  readonly expires_at: number | string;
  readonly body: string;
}

/**
 * Keeps sessions in the application's database: SQLite through `better-sqlite3`.
 *
 * The DataSource only says where that is. The store opens a connection of its own, so that a transaction of the application which
 * rolls back takes no session write with it, and closes that one alone. Every call is one statement.
 *
 * SQLite lets one connection write at a time: while the application's transaction has written, a session waits for its end, without
 * blocking the process. So do not await a session's write inside one. Without `enableWAL: true` on the DataSource, which is
 * recommended, having read is enough.
 *
 * The table comes from {@link CreateSessionTable}, which the application adds to its migrations.
 */
export class TypeOrmSessionStore
  implements
    SessionStore,
    PrincipalIndexedStore,
    EnumerableStore,
    SweepableStore,
    PreparedStore,
    ClosableStore
{
  readonly #dataSource: DataSource;
  readonly #connection: OwnConnection;
  readonly #statements: SessionStatements;
  readonly #tableName: string;
  /** As it is called in the database. */
  readonly #table: string;

  /** @throws SessionError `SESSION_OPTIONS_INVALID` for an in-memory or unknown database, or a table name that is none. */
  constructor(dataSource: DataSource, { tableName = DEFAULT_TABLE }: TypeOrmSessionStoreOptions = {}) {
    if (typeof dataSource?.createQueryRunner !== 'function') {
      throw new SessionError(
        'SESSION_OPTIONS_INVALID',
        'TypeOrmSessionStore was given no DataSource. In forRootAsync, name it: inject: [DataSource].',
      );
    }
    this.#dataSource = dataSource;
    this.#tableName = checkTableName(tableName);
    this.#table = nameInDatabase(dataSource, tableName);
    this.#statements = sessionStatements(dataSource.driver, this.#table);
    this.#connection = ownConnection(dataSource);
  }

  /**
   * Opens the connection and looks whether the table is as it should be. Without it the connection opens at the first call.
   * @throws SessionError `SESSION_SCHEMA_INVALID` that says what is wrong and what to do; SessionStoreError
   */
  async prepare(): Promise<void> {
    const facts = await this.#connection.inspect(this.#table);
    if (facts === null) {
      throw this.#schemaError(
        'does not exist',
        'run it before the application starts, as migrationsRun: true does',
      );
    }
    const problems = schemaProblems(facts);
    if (problems.length > 0) {
      throw this.#schemaError(
        `differs from what sessions need: ${problems.join('; ')}`,
        'let it create the table anew',
      );
    }
  }

  async find(id: SessionId, call: StoreCall): Promise<SessionRecord | null> {
    const [record] = await this.#records('find', this.#statements.find, [id], call);
    return record ?? null;
  }

  async insert(record: SessionRecord, call: StoreCall): Promise<void> {
    const { id, version, secretHash, principal, expiresAt, body } = record;
    await this.#affected(
      'insert',
      this.#statements.insert,
      [id, version, secretHash, principal, expiresAt, body],
      call,
    );
  }

  async update(record: SessionRecord, expectedVersion: number, call: StoreCall): Promise<boolean> {
    const { id, version, secretHash, principal, expiresAt, body } = record;
    const parameters = [version, secretHash, principal, expiresAt, body, id, expectedVersion];
    return (await this.#affected('update', this.#statements.update, parameters, call)) === 1;
  }

  async extend(id: SessionId, expectedVersion: number, expiresAt: number, call: StoreCall): Promise<boolean> {
    const parameters = [expiresAt, id, expectedVersion];
    return (await this.#affected('extend', this.#statements.extend, parameters, call)) === 1;
  }

  async delete(id: SessionId, call: StoreCall): Promise<void> {
    await this.#affected('delete', this.#statements.delete, [id], call);
  }

  findByPrincipal(principal: string, call: StoreCall): Promise<SessionRecord[]> {
    return this.#records('findByPrincipal', this.#statements.findByPrincipal, [principal], call);
  }

  deleteByPrincipal(principal: string, call: StoreCall): Promise<number> {
    return this.#affected('deleteByPrincipal', this.#statements.deleteByPrincipal, [principal], call);
  }

  async *records(call: StoreCall): AsyncGenerator<SessionRecord> {
    for (let last = ''; ;) {
      const page = await this.#records('records', this.#statements.page, [last, PAGE], call);
      yield* page;
      if (page.length < PAGE) return;
      last = page[PAGE - 1]!.id;
      call.signal.throwIfAborted();
    }
  }

  sweep(now: number, limit: number, call: StoreCall): Promise<number> {
    return this.#affected('sweep', this.#statements.sweep, [now, limit, now], call);
  }

  /** Closes the store's own connection; the DataSource stays as it is. */
  close(): Promise<void> {
    return this.#connection.close();
  }

  async #records(
    operation: string,
    sql: string,
    parameters: unknown[],
    call: StoreCall,
  ): Promise<SessionRecord[]> {
    const { records } = await this.#connection.run(operation, sql, parameters, call);
    return (records as SessionRow[]).map(toRecord);
  }

  async #affected(operation: string, sql: string, parameters: unknown[], call: StoreCall): Promise<number> {
    const { affected } = await this.#connection.run(operation, sql, parameters, call);
    return affected!;
  }

  #schemaError(problem: string, remedy: string): SessionError {
    const name = this.#tableName;
    const migration = name === DEFAULT_TABLE ? 'CreateSessionTable' : `createSessionTable('${name}')`;
    const early = ' The DataSource is not initialized yet, so its migrations may not have run.';
    return new SessionError(
      'SESSION_SCHEMA_INVALID',
      `The table ${this.#table} in ${this.#connection.place} ${problem}. Add ${migration} of nestjs-tessera/typeorm to the ` +
        `migrations of your DataSource, and ${remedy}.${this.#dataSource.isInitialized ? '' : early}`,
    );
  }
}

/** Some drivers hand integers out as strings. */
function toRecord({ id, version, secret_hash, principal, expires_at, body }: SessionRow): SessionRecord {
  return {
    id,
    version: Number(version),
    secretHash: secret_hash,
    principal,
    expiresAt: Number(expires_at),
    body,
  };
}
