import type { DataSource } from 'typeorm';
import { EndChannel } from '../../core/end-channel';
import { pacer } from '../../core/pacer';
import type { SessionRecord } from '../../core/session-record';
import type { SessionStore, StoreCall } from '../../core/session-store';
import type {
  BatchReadableStore,
  ClosableStore,
  EnumerableStore,
  PreparedStore,
  PrincipalIndexedStore,
  SessionHead,
  SweepableStore,
  WatchableStore,
} from '../../core/store-capabilities';
import { isSessionId, type SecretHash, type SessionId } from '../../core/session-token';
import { SessionError } from '../../core/session.errors';
import { EndAnnouncer } from './end-announcer';
import { KnownHeads } from './known-heads';
import { openConnection } from './open-connection';
import type { DedicatedConnection } from './dedicated-connection';
import { schemaProblems } from './schema-check';
import { SchemaErrors } from './schema-errors';
import { HEADS_PER_STATEMENT, type SessionStatements } from './session-statements';
import { sessionStatements, type Statement } from './session-statements';
import { DEFAULT_TABLE, type SessionTable, sessionTable } from './session-table';
import { hasEntityForOtherDatabase } from './session.schema';

export interface TypeOrmSessionStoreOptions {
  /** The table, without the `entityPrefix` of the DataSource. @default 'tessera_sessions' */
  readonly tableName?: string;
  /**
   * Maximum number of connections to a database server that the store opens on demand, in addition to those of the DataSource.
   * @default 10, or the DataSource's pool size if that is smaller
   */
  readonly poolSize?: number;
}

/** How many records are read at once during enumeration. */
const RECORDS_PER_PAGE = 50;

const ENDED = '_ended';
const MAX_CHANNEL_LENGTH = 63 - ENDED.length;

interface SessionRow {
  readonly id: SessionId;
  readonly version: number | string;
  readonly secret_hash: SecretHash;
  readonly principal: string | null;
  readonly expires_at: number | string;
  readonly body: string;
}

/**
 * Stores sessions in the application's database: PostgreSQL through `pg`, MySQL and MariaDB through `mysql2`, SQLite through
 * `better-sqlite3`. Tested on PostgreSQL, MariaDB and SQLite. For MySQL, CockroachDB (`pg`) and SQL Server (`mssql`) only the text of
 * the statements is tested; they have not been run there.
 *
 * The store takes the address of the database from the DataSource and opens its own connections, so that a rollback of the application
 * does not undo session writes. It closes only those. Every call is one statement. After a deadlock or a serialization failure it is
 * repeated a few times; after a broken connection, only if it is idempotent.
 *
 * SQLite allows one writer at a time: a session write waits, without blocking the process, until a transaction of the application that has
 * written ends. So do not await a session write inside such a transaction. Without `enableWAL: true` on the DataSource, which is
 * recommended, it also waits for a transaction that has only read.
 *
 * {@link CreateSessionTable} creates the table; add it to the migrations of your DataSource.
 */
export class TypeOrmSessionStore
  implements
    SessionStore,
    PrincipalIndexedStore,
    EnumerableStore,
    SweepableStore,
    BatchReadableStore,
    PreparedStore,
    ClosableStore
{
  /** Only on PostgreSQL. Opens a connection of its own, while there are listeners. */
  readonly watchEnds?: WatchableStore['watchEnds'];
  readonly #dataSource: DataSource;
  readonly #connection: DedicatedConnection;
  readonly #statements: SessionStatements;
  readonly #tableName: string;
  readonly #table: SessionTable;
  readonly #ends: EndChannel | null = null;
  readonly #announcer: EndAnnouncer | null = null;
  readonly #known = new KnownHeads();

  /** @throws SessionError `SESSION_OPTIONS_INVALID` for an in-memory or unsupported database, or an invalid option */
  constructor(dataSource: DataSource, options: TypeOrmSessionStoreOptions = {}) {
    const { tableName = DEFAULT_TABLE, poolSize } = options;
    if (typeof dataSource?.createQueryRunner !== 'function') {
      throw new SessionError(
        'SESSION_OPTIONS_INVALID',
        'TypeOrmSessionStore was given no DataSource. In forRootAsync, inject it: inject: [DataSource].',
      );
    }
    this.#dataSource = dataSource;
    checkPoolSize(poolSize);
    this.#tableName = tableName;
    this.#table = sessionTable(dataSource, tableName);
    this.#connection = openConnection(dataSource, poolSize);
    this.#statements = sessionStatements(dataSource.driver, this.#connection.dialect, this.#table.quoted);
    const endServer = this.#connection.endServer(channelOf(this.#table));
    if (endServer === null) return;
    const ends = (this.#ends = new EndChannel(endServer));
    this.#announcer = new EndAnnouncer((message) => endServer.send(message));
    this.watchEnds = (listener) => ends.watch(listener);
  }

  /**
   * Opens the connection, also after {@link close}, and checks the table. Without this call the connection opens at the first call of
   * another method.
   * @throws SessionError `SESSION_SCHEMA_INVALID`, which says what is wrong and what to do; SessionStoreError
   */
  async prepare(): Promise<void> {
    const errors = new SchemaErrors(this.#dataSource, this.#tableName, this.#table, this.#connection.place);
    this.#connection.open();
    if (hasEntityForOtherDatabase(this.#dataSource, this.#table.name)) throw errors.wrongEntity();
    const facts = await this.#connection.inspect(this.#table);
    if (facts === null) throw errors.missingTable();
    const problems = schemaProblems(facts);
    if (problems.length > 0) throw errors.wrongTable(problems);
  }

  async find(id: SessionId, call: StoreCall): Promise<SessionRecord | null> {
    if (!isSessionId(id)) return null;
    const [record] = await this.#records(this.#statements.find, [id], call);
    if (record !== undefined && this.#announcer !== null) this.#known.note(record);
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
    let isDone: boolean | null = null;
    try {
      return (isDone = (await this.#affected(this.#statements.update, values, call)) === 1);
    } finally {
      if (isDone !== false && this.#announcer !== null)
        this.#announceUpdate(record, expectedVersion, this.#announcer);
    }
  }

  async extend(id: SessionId, expectedVersion: number, expiresAt: number, call: StoreCall): Promise<boolean> {
    if (!isSessionId(id)) return false;
    this.#known.noteExtension(id, expiresAt);
    return (await this.#affected(this.#statements.extend, [expiresAt, id, expectedVersion], call)) === 1;
  }

  async delete(id: SessionId, call: StoreCall): Promise<void> {
    if (!isSessionId(id)) return;
    try {
      await this.#affected(this.#statements.delete, [id], call);
    } finally {
      this.#announcer?.announce(id);
    }
  }

  async findByPrincipal(principal: string, call: StoreCall): Promise<SessionRecord[]> {
    return isStorable(principal) ? this.#records(this.#statements.findByPrincipal, [principal], call) : [];
  }

  async deleteByPrincipal(principal: string, call: StoreCall): Promise<number> {
    if (!isStorable(principal)) return 0;
    const { rows, affected } = await this.#connection.run(
      this.#statements.deleteByPrincipal,
      [principal],
      call,
    );
    for (const { id } of rows as SessionHead[]) this.#announcer?.announce(id);
    return affected;
  }

  async findHeads(ids: readonly SessionId[], call: StoreCall): Promise<SessionHead[]> {
    const valid = ids.filter(isSessionId);
    if (valid.length === 0) return [];
    const values = Array.from({ length: HEADS_PER_STATEMENT }, (_, n) => valid[n] ?? valid[0]);
    const { rows } = await this.#connection.run(this.#statements.findHeads, values, call);
    return (rows as SessionRow[]).map(headFromRow);
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

  /** Closes the store's own connections. The DataSource stays open. */
  async close(): Promise<void> {
    this.#ends?.close();
    await this.#announcer?.close();
    await this.#connection.close();
  }

  /** Also when the outcome is unknown. */
  #announceUpdate(record: SessionRecord, expectedVersion: number, announcer: EndAnnouncer): void {
    if (this.#known.mayBeEndedBy(record, expectedVersion)) announcer.announce(record.id);
    this.#known.note(record);
  }

  async #records(statement: Statement, values: unknown[], call: StoreCall): Promise<SessionRecord[]> {
    const { rows } = await this.#connection.run(statement, values, call);
    return (rows as SessionRow[]).map(recordFromRow);
  }

  async #affected(statement: Statement, values: unknown[], call: StoreCall): Promise<number> {
    return (await this.#connection.run(statement, values, call)).affected;
  }
}

/** Converts integers that some drivers return as strings. */
function headFromRow({ id, version, secret_hash, principal, expires_at }: SessionRow): SessionHead {
  return { id, version: Number(version), secretHash: secret_hash, principal, expiresAt: Number(expires_at) };
}

function recordFromRow(row: SessionRow): SessionRecord {
  return { ...headFromRow(row), body: row.body };
}

/** The channel of the ends of a table's sessions. PostgreSQL allows 63 bytes. Those of tables in two schemas may share one. */
function channelOf({ name }: SessionTable): string {
  return `${name.slice(0, MAX_CHANNEL_LENGTH)}${ENDED}`;
}

/** Whether a text can be stored: PostgreSQL rejects NUL, and drivers cannot encode lone surrogates. No record has either. */
function isStorable(text: string): boolean {
  return !/[\0\p{Surrogate}]/u.test(text);
}

function checkPoolSize(poolSize: number | undefined): void {
  if (poolSize === undefined || (Number.isSafeInteger(poolSize) && poolSize > 0)) return;
  throw new SessionError(
    'SESSION_OPTIONS_INVALID',
    `poolSize must be a whole number from 1 up, got ${String(poolSize)}; leave it out for the default of 10.`,
  );
}
