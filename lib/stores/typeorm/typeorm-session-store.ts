import type { DataSource } from 'typeorm';
import { pacer } from '../../core/pacer';
import type { SessionRecord } from '../../core/session-record';
import type { SessionStore, StoreCall } from '../../core/session-store';
import type {
  ClosableStore,
  EnumerableStore,
  PreparedStore,
  PrincipalIndexedStore,
  SweepableStore,
} from '../../core/store-capabilities';
import { isSessionId, type SecretHash, type SessionId } from '../../core/session-token';
import { SessionError } from '../../core/session.errors';
import { openConnection } from './open-connection';
import type { DedicatedConnection } from './dedicated-connection';
import { schemaProblems } from './schema-check';
import { SchemaErrors } from './schema-errors';
import { type SessionStatements, sessionStatements, type Statement } from './session-statements';
import { DEFAULT_TABLE, type SessionTable, sessionTable } from './session-table';
import { hasEntityForOtherDatabase } from './session.schema';

export interface TypeOrmSessionStoreOptions {
  /** The table, without the `entityPrefix` of the DataSource. @default 'tessera_sessions' */
  readonly tableName?: string;
  /**
   * How many connections to a database server the store opens at most, as they are needed, besides those of the DataSource.
   * @default 10, or the DataSource's own number where that is smaller
   */
  readonly poolSize?: number;
}

/** Records held at once while going through all of them. */
const RECORDS_PER_PAGE = 50;

interface SessionRow {
  readonly id: SessionId;
  readonly version: number | string;
  readonly secret_hash: SecretHash;
  readonly principal: string | null;
  readonly expires_at: number | string;
  readonly body: string;
}

/**
 * Keeps sessions in the application's database: PostgreSQL through `pg`, MySQL and MariaDB through `mysql2`, SQLite through
 * `better-sqlite3`. It is tested on PostgreSQL, MariaDB and SQLite. For MySQL, CockroachDB (`pg`) and SQL Server (`mssql`) the
 * statements are tested for what they say; they have not been run there.
 *
 * The DataSource only says where the database is. The store opens connections of its own, so that a transaction of the application
 * which rolls back takes no session write with it, and closes those alone. Every call is one statement. What met a deadlock or a
 * serialization failure is repeated a few times; what was under way when a connection broke, only if that does no harm.
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
  readonly #connection: DedicatedConnection;
  readonly #statements: SessionStatements;
  readonly #tableName: string;
  readonly #table: SessionTable;

  /** @throws SessionError `SESSION_OPTIONS_INVALID` for an in-memory or unknown database, or an option that is none. */
  constructor(dataSource: DataSource, options: TypeOrmSessionStoreOptions = {}) {
    const { tableName = DEFAULT_TABLE, poolSize } = options;
    if (typeof dataSource?.createQueryRunner !== 'function') {
      throw new SessionError(
        'SESSION_OPTIONS_INVALID',
        'TypeOrmSessionStore was given no DataSource. In forRootAsync, name it: inject: [DataSource].',
      );
    }
    this.#dataSource = dataSource;
    checkPoolSize(poolSize);
    this.#tableName = tableName;
    this.#table = sessionTable(dataSource, tableName);
    this.#connection = openConnection(dataSource, poolSize);
    this.#statements = sessionStatements(dataSource.driver, this.#connection.dialect, this.#table.quoted);
  }

  /**
   * Opens the connection and looks whether the table is as it should be. Without it the connection opens at the first call.
   * @throws SessionError `SESSION_SCHEMA_INVALID` that says what is wrong and what to do; SessionStoreError
   */
  async prepare(): Promise<void> {
    const errors = new SchemaErrors(this.#dataSource, this.#tableName, this.#table, this.#connection.place);
    if (hasEntityForOtherDatabase(this.#dataSource, this.#table.name)) throw errors.wrongEntity();
    const facts = await this.#connection.inspect(this.#table);
    if (facts === null) throw errors.missingTable();
    const problems = schemaProblems(facts);
    if (problems.length > 0) throw errors.wrongTable(problems);
  }

  async find(id: SessionId, call: StoreCall): Promise<SessionRecord | null> {
    if (!isSessionId(id)) return null;
    const [record] = await this.#records(this.#statements.find, [id], call);
    return record ?? null;
  }

  async insert(record: SessionRecord, call: StoreCall): Promise<void> {
    const { id, version, secretHash, principal, expiresAt, body } = record;
    const values = [id, version, secretHash, principal, expiresAt, body];
    await this.#affected(this.#statements.insert, values, call);
  }

  async update(record: SessionRecord, expectedVersion: number, call: StoreCall): Promise<boolean> {
    const { id, version, secretHash, principal, expiresAt, body } = record;
    if (!isSessionId(id)) return false;
    const values = [version, secretHash, principal, expiresAt, body, id, expectedVersion];
    return (await this.#affected(this.#statements.update, values, call)) === 1;
  }

  async extend(id: SessionId, expectedVersion: number, expiresAt: number, call: StoreCall): Promise<boolean> {
    if (!isSessionId(id)) return false;
    return (await this.#affected(this.#statements.extend, [expiresAt, id, expectedVersion], call)) === 1;
  }

  async delete(id: SessionId, call: StoreCall): Promise<void> {
    if (isSessionId(id)) await this.#affected(this.#statements.delete, [id], call);
  }

  async findByPrincipal(principal: string, call: StoreCall): Promise<SessionRecord[]> {
    return isStorable(principal) ? this.#records(this.#statements.findByPrincipal, [principal], call) : [];
  }

  async deleteByPrincipal(principal: string, call: StoreCall): Promise<number> {
    return isStorable(principal) ? this.#affected(this.#statements.deleteByPrincipal, [principal], call) : 0;
  }

  async *records(call: StoreCall): AsyncGenerator<SessionRecord> {
    const paced = pacer(call.signal);
    for (let last = ''; ;) {
      const page = await paced(() => this.#records(this.#statements.records, [last, RECORDS_PER_PAGE], call));
      yield* page;
      if (page.length < RECORDS_PER_PAGE) return;
      last = page[RECORDS_PER_PAGE - 1]!.id;
    }
  }

  sweep(now: number, limit: number, call: StoreCall): Promise<number> {
    return this.#affected(this.#statements.sweep, [now, limit], call);
  }

  /** Closes the store's own connections; the DataSource stays as it is. */
  close(): Promise<void> {
    return this.#connection.close();
  }

  async #records(statement: Statement, values: unknown[], call: StoreCall): Promise<SessionRecord[]> {
    const { rows } = await this.#connection.run(statement, values, call);
    return (rows as SessionRow[]).map(recordFromRow);
  }

  async #affected(statement: Statement, values: unknown[], call: StoreCall): Promise<number> {
    return (await this.#connection.run(statement, values, call)).affected;
  }
}

/** Some drivers hand integers out as strings. */
function recordFromRow({ id, version, secret_hash, principal, expires_at, body }: SessionRow): SessionRecord {
  return {
    id,
    version: Number(version),
    secretHash: secret_hash,
    principal,
    expiresAt: Number(expires_at),
    body,
  };
}

/** PostgreSQL refuses a NUL, and what is half a character is no text to any driver. No record holds either. */
function isStorable(text: string): boolean {
  return !/[\0\p{Surrogate}]/u.test(text);
}

function checkPoolSize(poolSize: number | undefined): void {
  if (poolSize === undefined || (Number.isSafeInteger(poolSize) && poolSize > 0)) return;
  throw new SessionError(
    'SESSION_OPTIONS_INVALID',
    `poolSize is ${String(poolSize)}; give the number of connections that the store may open, or leave it out.`,
  );
}
