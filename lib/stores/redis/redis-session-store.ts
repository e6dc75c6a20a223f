import { systemClock } from '../../core/clock';
import { EndChannel } from '../../core/end-channel';
import { pacer } from '../../core/pacer';
import type { SessionRecord } from '../../core/session-record';
import type { SessionStore, StoreCall } from '../../core/session-store';
import type {
  EndListener,
  EndSubscription,
  EnumerableStore,
  LimitedStore,
  PrepareContext,
  PreparedStore,
  PrincipalIndexedStore,
  WatchableStore,
} from '../../core/store-capabilities';
import type { SessionId } from '../../core/session-token';
import { SessionError, SessionStoreError } from '../../core/session.errors';
import { redisConnection } from './redis-connection-factory';
import { sessionIdOfEntry, type IndexEntry, RedisPrincipalIndex } from './redis-principal-index';
import { RecentTexts } from './recent-texts';
import type { RedisClient } from './redis-client';
import { callAborted, RedisCommands } from './redis-commands';
import { checkServers } from './server-check';
import { redisEndServer } from './redis-end-server';
import { RedisRecords } from './redis-records';
import { NO_COVERAGE } from './record-format';
import { isAborted, type RedisConnection } from './redis-connection';
import { redisFailureOf } from './redis-failure';

/** Options of {@link RedisSessionStore}. */
export interface RedisSessionStoreOptions {
  /**
   * Prefix of every key of the store, such as `'myapp:sessions:'`. No other key in this database may begin with it; in particular, two
   * applications must not share a prefix.
   */
  readonly prefix: string;
  /**
   * Whether to accept a server that evicts keys when its memory is full. Eviction ends sessions early, and it may remove the index of a
   * principal while its sessions stay, so that revoking all of them misses some. The module warns of it at start, and
   * `SealedSessions` refuse such a store for their revocations.
   * @default false
   */
  readonly allowEviction?: boolean;
  /**
   * Whether the client is for this store alone: no other code sends commands with it, and no other store has it. Then the store
   * - connects it at start if it is not open, and closes it when the application ends;
   * - replaces a connection that the network has lost without closing it, within ten seconds, if the client may reconnect.
   *
   * Otherwise the application does all of that. Blocking commands such as BLPOP, and bulk work, belong on another client: the store
   * takes a connection that is silent for so long for a lost one.
   * @default false
   */
  readonly closeClient?: boolean;
}

/** How many sessions of a principal are read or removed at once. */
const SESSIONS_AT_ONCE = 100;
/** How many sessions are read at once during enumeration. */
const RECORDS_AT_ONCE = 10;

/**
 * Stores sessions in Redis 6.2 or newer, or in Valkey, through the application's client: `redis` 5 or 6, `ioredis` 5 or 6; a single
 * server, Sentinel or Cluster.
 *
 * A session is one key, which Redis removes after the session's expiry. A call takes one round trip. A write that gives a session a
 * principal takes two: the index is written first. One that would let it outlive its entry in the index takes three.
 */
export class RedisSessionStore
  implements
    SessionStore,
    PrincipalIndexedStore,
    EnumerableStore,
    PreparedStore,
    WatchableStore,
    LimitedStore<'retention'>
{
  /** `retention` with the option `allowEviction`, else none. */
  readonly limits: readonly 'retention'[];
  /** Closes the client. Only with the option `closeClient`. */
  readonly close?: () => Promise<void>;
  readonly #connection: RedisConnection;
  readonly #commands: RedisCommands;
  readonly #records: RedisRecords;
  readonly #index: RedisPrincipalIndex;
  readonly #ends: EndChannel;
  /**
   * Sessions that were in their principal's index when last seen, as id and principal. An update of another is a login and writes the index
   * first, which saves a command. The update script checks the entry itself, so a wrong guess is harmless.
   */
  readonly #indexed = new RecentTexts();
  readonly #prefix: string;
  readonly #allowEviction: boolean;
  readonly #warned = new Set<string>();
  #clock = systemClock;

  /** @throws SessionError `SESSION_OPTIONS_INVALID` when `client` is not a Redis client or `prefix` is missing or blank */
  constructor(client: RedisClient, options: RedisSessionStoreOptions) {
    const connection = redisConnection(client, options?.closeClient ?? false);
    this.#connection = connection;
    this.#prefix = connection.keyPrefix + checkPrefix(options?.prefix);
    this.#commands = new RedisCommands(connection);
    const keys = `${this.#prefix}session:`;
    this.#records = new RedisRecords(this.#commands, keys, () => this.#clock());
    this.#ends = new EndChannel(redisEndServer(connection, keys));
    this.#index = new RedisPrincipalIndex(this.#commands, `${this.#prefix}principal:`, () => this.#clock());
    this.#allowEviction = options.allowEviction ?? false;
    this.limits = this.#allowEviction ? ['retention'] : [];
    if (options.closeClient)
      this.close = async () => {
        this.#ends.close();
        await connection.close();
      };
  }

  /**
   * Checks that all servers answer, are new enough, and do not evict keys. Skips facts that the client's Redis user may not read. Warns,
   * once each, of a clock that differs from the servers', and of a client whose lost connections are not replaced. Expiries count by the
   * clock of the context from then on; before, and without a context, by the machine's.
   * @throws SessionError `SESSION_SCHEMA_INVALID`, which says what to change on the server; SessionStoreError when a server does not answer
   */
  async prepare({ clock, warn }: PrepareContext = { clock: systemClock, warn: () => {} }): Promise<void> {
    this.#clock = clock;
    if (this.close !== undefined) await this.#open();
    const doubts = await checkServers(this.#commands, this.#prefix, this.#allowEviction, clock);
    for (const doubt of [this.#connection.warning, ...doubts]) {
      if (doubt === undefined || this.#warned.has(doubt)) continue;
      this.#warned.add(doubt);
      warn(doubt);
    }
  }

  find(id: SessionId, call: StoreCall): Promise<SessionRecord | null> {
    return this.#find('find', id, call);
  }

  async insert(record: SessionRecord, call: StoreCall): Promise<void> {
    const { id, principal, expiresAt } = record;
    const coverage =
      principal === null ? NO_COVERAGE : await this.#index.enter('insert', principal, id, expiresAt, call);
    if (!(await this.#records.insert(record, coverage, call)))
      throw new SessionError('SESSION_DUPLICATE_ID', `A session with the id ${id} exists already.`);
    if (principal !== null) this.#indexed.add(id + principal);
  }

  async update(record: SessionRecord, expectedVersion: number, call: StoreCall): Promise<boolean> {
    const { id, principal } = record;
    if (principal === null || this.#indexed.has(id + principal)) {
      const coverage = principal === null ? NO_COVERAGE : null;
      const done = await this.#records.update(record, expectedVersion, coverage, call);
      if (done !== 'uncovered') return done;
    }
    const coverage = await this.#index.enter('update', principal!, id, record.expiresAt, call);
    const done = await this.#records.update(record, expectedVersion, coverage, call);
    if (done === true) this.#indexed.add(id + principal!);
    return done === true;
  }

  async extend(id: SessionId, expectedVersion: number, expiresAt: number, call: StoreCall): Promise<boolean> {
    const done = await this.#records.extend(id, expectedVersion, expiresAt, null, call);
    if (typeof done === 'boolean') return done;
    const coverage = await this.#index.enter('extend', done.principal, id, expiresAt, call, done.stamp);
    return (await this.#records.extend(id, expectedVersion, expiresAt, coverage, call)) === true;
  }

  async delete(id: SessionId, call: StoreCall): Promise<void> {
    const removed = await this.#records.remove('delete', id, null, call);
    if (removed !== null && removed.principal !== null)
      this.#index.forget(removed.principal, [removed.entry], call);
  }

  async findByPrincipal(principal: string, call: StoreCall): Promise<SessionRecord[]> {
    const found = new Map<SessionId, SessionRecord>();
    const orphans: IndexEntry[] = [];
    await forEachInBatches(
      'findByPrincipal',
      await this.#index.entries('findByPrincipal', principal, call),
      call,
      async (entry) => {
        const record = await this.#find('findByPrincipal', sessionIdOfEntry(entry), call);
        if (record?.principal === principal) found.set(record.id, record);
        else orphans.push(entry);
      },
    );
    this.#index.prune(principal, orphans, call);
    return [...found.values()];
  }

  async deleteByPrincipal(principal: string, call: StoreCall): Promise<number> {
    const removed: IndexEntry[] = [];
    const orphans: IndexEntry[] = [];
    await forEachInBatches(
      'deleteByPrincipal',
      await this.#index.entries('deleteByPrincipal', principal, call),
      call,
      async (entry) => {
        const done = await this.#records.remove(
          'deleteByPrincipal',
          sessionIdOfEntry(entry),
          principal,
          call,
        );
        (done === null ? orphans : removed).push(entry);
      },
    );
    this.#index.forget(principal, removed, call);
    this.#index.prune(principal, orphans, call);
    return removed.length;
  }

  /** While a Cluster moves slots from one server to another, a record may be yielded twice. */
  async *records(call: StoreCall): AsyncGenerator<SessionRecord> {
    // SCAN visits keys that share a bucket of a shrunken table one after another, and repeats only keys of the bucket it is at. So the latest
    // few thousand ids suffice, whatever the number of sessions.
    const recent = new RecentTexts();
    const paced = pacer(call.signal);
    for await (const found of this.#records.ids(call)) {
      const ids = found.filter((id) => recent.add(id)) as SessionId[];
      for (let start = 0; start < ids.length; start += RECORDS_AT_ONCE) {
        const page = ids.slice(start, start + RECORDS_AT_ONCE);
        const records = await paced(() => Promise.all(page.map((id) => this.#find('records', id, call))));
        for (const record of records) if (record !== null) yield record;
      }
    }
  }

  /** Opens a connection of its own, while there are listeners; with a client of Sentinels, of `redis`, uses the client's own for messages. */
  watchEnds(listener: EndListener): EndSubscription {
    return this.#ends.watch(listener);
  }

  async #open(): Promise<void> {
    try {
      await this.#connection.open();
    } catch (error) {
      throw new SessionStoreError('prepare', redisFailureOf(error).reason);
    }
  }

  async #find(operation: string, id: SessionId, call: StoreCall): Promise<SessionRecord | null> {
    const record = await this.#records.read(operation, id, call);
    if (record !== null && record.principal !== null) this.#indexed.add(id + record.principal);
    return record;
  }
}

async function forEachInBatches<T>(
  operation: string,
  items: readonly T[],
  call: StoreCall,
  act: (item: T) => Promise<void>,
): Promise<void> {
  for (let start = 0; start < items.length; start += SESSIONS_AT_ONCE) {
    if (isAborted(call)) throw callAborted(operation);
    await Promise.all(items.slice(start, start + SESSIONS_AT_ONCE).map(act));
  }
}

function checkPrefix(prefix: unknown): string {
  if (typeof prefix === 'string' && prefix.trim() !== '') return prefix;
  const given = typeof prefix === 'string' ? JSON.stringify(prefix) : String(prefix);
  throw new SessionError(
    'SESSION_OPTIONS_INVALID',
    `prefix of RedisSessionStore must be a text, got ${given}. Give a prefix that no other key in the database has: ` +
      "new RedisSessionStore(client, { prefix: 'myapp:sessions:' }).",
  );
}
