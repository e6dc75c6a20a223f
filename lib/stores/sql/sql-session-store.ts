import { EndChannel, type EndServer } from '../../core/end-channel';
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
import { schemaProblems } from './schema-check';
import {
  HEADS_PER_STATEMENT,
  sessionStatements,
  type SessionStatements,
  type Statement,
} from './session-statements';
import { checkTableName, DEFAULT_TABLE, sessionTable } from './session-table';
import type { SqlClient, SqlValue } from './sql-client';
import type { RunQuery, SessionTable, SqlDialect } from './sql-dialect';
import { sqlDialect } from './sql-dialects';
import { StatementRunner } from './statement-runner';

/** Options of {@link SqlSessionStore}: a client, as the functions `from…` return one, and the names of the table. */
export interface SqlSessionStoreOptions extends SqlClient {
  /** The table. @default 'tessera_sessions' */
  readonly tableName?: string;
  /** The table's schema. @default the one that the connection finds tables in */
  readonly schema?: string;
}

/** How many records are read at once during enumeration. */
const RECORDS_PER_PAGE = 50;

/** How long inspecting the table may take, in milliseconds: another connection may have locked it. */
const INSPECTION_TIMEOUT = 10_000;

/** How long sending a message may take, in milliseconds. */
const SENDING_TIMEOUT = 2000;

const ENDED = '_ended';
const MAX_CHANNEL_LENGTH = 63 - ENDED.length;

/** Sends a message to all who listen. Sending it twice does no harm. */
const NOTIFY: Statement = {
  operation: 'watchEnds',
  sql: 'SELECT pg_notify($1, $2)::text AS sent',
  takes: [0, 1],
  repeatable: true,
  returnsRows: true,
};

interface SessionRow {
  readonly id: SessionId;
  readonly version: number | bigint | string;
  readonly hash: SecretHash;
  readonly principal: string | null;
  readonly expiry: number | bigint | string;
  readonly body: string;
}

/**
 * Stores sessions in a SQL database, through the client that the application already has:
 *
 * ```ts
 * new SqlSessionStore(fromPg(pool));
 * new SqlSessionStore({ ...fromPrisma(prisma, 'postgres'), tableName: 'web_sessions' });
 * ```
 *
 * Every call is one statement. After a deadlock or a serialization failure it is repeated a few times; after a broken connection, only if
 * it is idempotent. The store never closes a client that was passed to it.
 *
 * The table comes from {@link sessionTableSql}, or from the command `npx nestjs-tessera migration`: add it to your migrations.
 */
export class SqlSessionStore
  implements
    SessionStore,
    PrincipalIndexedStore,
    EnumerableStore,
    SweepableStore,
    BatchReadableStore,
    PreparedStore,
    ClosableStore
{
  /** Only on PostgreSQL with a client that can listen. Uses a connection of its own, while there are listeners. */
  readonly watchEnds?: WatchableStore['watchEnds'];
  readonly #client: SqlClient;
  readonly #dialect: SqlDialect;
  readonly #runner: StatementRunner;
  readonly #statements: SessionStatements;
  readonly #table: SessionTable;
  readonly #ends: EndChannel | null = null;
  readonly #announcer: EndAnnouncer | null = null;
  readonly #known = new KnownHeads();

  /** @throws SessionError `SESSION_OPTIONS_INVALID` for an unknown dialect, an invalid table name, or a client that is none */
  constructor(options: SqlSessionStoreOptions) {
    const { tableName = DEFAULT_TABLE, schema, ...client } = checkOptions(options);
    this.#client = client;
    this.#dialect = sqlDialect(client.dialect);
    this.#table = sessionTable(this.#dialect, checkTableName(tableName), schema);
    this.#runner = new StatementRunner(client, this.#dialect);
    this.#statements = sessionStatements(this.#dialect, this.#table.quoted);
    if (client.listen === undefined) return;
    const endServer = this.#endServer(channelOf(this.#table));
    const ends = (this.#ends = new EndChannel(endServer));
    this.#announcer = new EndAnnouncer((message) => endServer.send(message));
    this.watchEnds = (listener) => ends.watch(listener);
  }

  /**
   * Checks the table; on CockroachDB and SQL Server only whether it can be read. Opens the store again after {@link close}.
   * @throws SessionError `SESSION_SCHEMA_INVALID`, which says what is wrong and what to do; SessionStoreError
   */
  async prepare(): Promise<void> {
    this.#runner.open();
    const facts = await this.#dialect.inspect?.(this.#ask, this.#table);
    if (facts === null) throw this.missingTable();
    const problems = facts === undefined ? [] : schemaProblems(facts);
    if (problems.length > 0)
      throw this.#schemaError(
        `differs from what sessions need: ${problems.join('; ')}. Choose another tableName if this is not the table of the sessions. Drop it if it is.`,
      );
    // Also notices a role without the right to read it.
    await this.#ask(this.#statements.find.sql, ['']);
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
    const statement = this.#statements.deleteByPrincipal;
    const { rows, affected } = await this.#runner.run(statement, [principal], call);
    if (!statement.returnsRows) return affected;
    for (const { id } of rows as SessionHead[]) this.#announcer?.announce(id);
    return rows.length;
  }

  async findHeads(ids: readonly SessionId[], call: StoreCall): Promise<SessionHead[]> {
    const valid = ids.filter(isSessionId);
    if (valid.length === 0) return [];
    const values = Array.from({ length: HEADS_PER_STATEMENT }, (_, n) => valid[n] ?? valid[0]!);
    const { rows } = await this.#runner.run(this.#statements.findHeads, values, call);
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

  /** Stops watching, and closes what the store's client has opened for it. A client that was passed to the store stays open. */
  async close(): Promise<void> {
    this.#ends?.close();
    await this.#announcer?.close();
    this.#runner.close();
    await this.#client.close?.();
  }

  /** @internal */
  protected missingTable(): SessionError {
    return this.#schemaError('does not exist.');
  }

  readonly #ask: RunQuery = async <Row>(sql: string, parameters: readonly unknown[] = []) => {
    const statement = { operation: 'prepare', sql, takes: [...parameters.keys()], repeatable: true };
    const call = { signal: AbortSignal.timeout(INSPECTION_TIMEOUT) };
    const { rows } = await this.#runner.run(
      { ...statement, returnsRows: true },
      parameters as readonly SqlValue[],
      call,
    );
    return rows as readonly Row[];
  };

  #endServer(channel: string): EndServer {
    return {
      connect: (receive, lost, over) => this.#client.listen!(channel, receive, lost, over),
      send: (message) =>
        this.#runner.run(NOTIFY, [channel, message], { signal: AbortSignal.timeout(SENDING_TIMEOUT) }),
    };
  }

  /** Also when the outcome is unknown. */
  #announceUpdate(record: SessionRecord, expectedVersion: number, announcer: EndAnnouncer): void {
    if (this.#known.mayBeEndedBy(record, expectedVersion)) announcer.announce(record.id);
    this.#known.note(record);
  }

  async #records(
    statement: Statement,
    values: readonly SqlValue[],
    call: StoreCall,
  ): Promise<SessionRecord[]> {
    const { rows } = await this.#runner.run(statement, values, call);
    return (rows as SessionRow[]).map(recordFromRow);
  }

  async #affected(statement: Statement, values: readonly SqlValue[], call: StoreCall): Promise<number> {
    return (await this.#runner.run(statement, values, call)).affected;
  }

  #schemaError(problem: string): SessionError {
    const { dialect, place = 'the database', setup } = this.#client;
    const { name, schema } = this.#table;
    const options = `${name === DEFAULT_TABLE ? '' : ` --table ${name}`}${schema ? ` --schema ${schema}` : ''}`;
    const advice =
      setup?.() ??
      `Run the SQL that 'npx nestjs-tessera migration --dialect ${dialect}${options}' prints, as a part of your migrations.`;
    return new SessionError(
      'SESSION_SCHEMA_INVALID',
      `The table ${schema ? `${schema}.` : ''}${name} in ${place} ${problem} ${advice}`,
    );
  }
}

/** Converts integers that some drivers return as texts or bigints. */
function headFromRow({ id, version, hash, principal, expiry }: SessionRow): SessionHead {
  return { id, version: Number(version), secretHash: hash, principal, expiresAt: Number(expiry) };
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

function checkOptions(options: SqlSessionStoreOptions): SqlSessionStoreOptions {
  if (typeof options?.execute === 'function') return options;
  throw new SessionError(
    'SESSION_OPTIONS_INVALID',
    'SqlSessionStore was given no execute. Pass a client, such as fromPg(pool), or an execute function of your own.',
  );
}
