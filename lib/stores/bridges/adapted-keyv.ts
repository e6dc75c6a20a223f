import type { SessionRecord } from '../../core/session-record';
import { isSessionId, type SessionId } from '../../core/session-token';
import { SessionError } from '../../core/session.errors';
import type { EnumerableAdaptedStore } from './adapted-store';

/** The part of a Keyv 5 that the bridge uses; structural, so that nobody has to install Keyv for the types. */
export interface KeyvLike {
  get(key: string): Promise<unknown>;
  set(key: string, value: string, ttl?: number): Promise<boolean>;
  delete(key: string): Promise<boolean>;
  throwOnErrors: boolean;
  /** The adapter, or a Map. */
  readonly store?: unknown;
  /** There if the adapter can go through its keys. */
  readonly iterator?: unknown;
}

/** What adapters may have besides. */
interface KeyvAdapter {
  readonly namespace?: string;
  throwOnErrors?: boolean;
  on?(event: 'error', listener: (error: unknown) => void): unknown;
  iterator?(namespace?: string): AsyncIterable<readonly [key: string, value: unknown]>;
}

/** How many values are read at once when going through them. */
const READ_BATCH_SIZE = 100;

const KEY_ID_LENGTH = 22;

/** Records as text in a Keyv, whose failures are made to be failures: left to itself it answers that there is nothing. */
export class AdaptedKeyv implements EnumerableAdaptedStore {
  readonly #adapter: KeyvAdapter;
  #failures = 0;
  #failure: unknown;

  /** @throws SessionError `SESSION_OPTIONS_INVALID` */
  constructor(private readonly keyv: KeyvLike) {
    assertKeyv(keyv);
    this.#adapter = keyv.store ?? {};
    keyv.throwOnErrors = true;
    if (this.#adapter.throwOnErrors !== undefined) this.#adapter.throwOnErrors = true;
    // Some adapters report what went wrong, and then answer as if nothing had.
    const note = (error: unknown): void => {
      this.#failures++;
      this.#failure = error;
    };
    if (typeof this.#adapter.on === 'function') this.#adapter.on('error', note);
  }

  /** Whether it can go through its keys. */
  get isEnumerable(): boolean {
    return typeof this.keyv.iterator === 'function';
  }

  async read(id: SessionId): Promise<unknown> {
    const text = await this.#ask(() => this.keyv.get(id).catch(undefinedIfMalformed));
    return typeof text === 'string' ? parse(text) : undefined;
  }

  async write(record: SessionRecord, lifetime: number): Promise<void> {
    const done = await this.#ask(() => this.keyv.set(record.id, JSON.stringify(record), lifetime));
    if (!done) throw new Error('the Keyv answered that it did not set the value');
  }

  async remove(id: SessionId): Promise<void> {
    await this.#ask(() => this.keyv.delete(id));
  }

  /** By its keys, since a Keyv going through its values stops at the first that is broken. */
  async *batches(): AsyncGenerator<readonly unknown[]> {
    const seen = new Set<SessionId>();
    let batch: SessionId[] = [];
    for await (const [key] of this.#entries()) {
      const id = key.slice(-KEY_ID_LENGTH);
      if (!isSessionId(id) || seen.has(id)) continue;
      seen.add(id);
      batch.push(id);
      if (batch.length < READ_BATCH_SIZE) continue;
      yield await this.#readAll(batch);
      batch = [];
    }
    yield await this.#readAll(batch);
  }

  #readAll(ids: readonly SessionId[]): Promise<unknown[]> {
    return Promise.all(ids.map((id) => this.read(id)));
  }

  #entries(): AsyncIterable<readonly [string, unknown]> | Map<string, unknown> {
    const adapter = this.#adapter;
    return adapter instanceof Map ? adapter : adapter.iterator!(adapter.namespace);
  }

  async #ask<T>(call: () => Promise<T>): Promise<T> {
    const before = this.#failures;
    const answer = await call();
    if (this.#failures > before) throw this.#failure;
    return answer;
  }
}

/** A value that is no JSON is nobody's session. Any other failure may be one of the store. */
function undefinedIfMalformed(error: unknown): undefined {
  if (!(error instanceof SyntaxError)) throw error;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function assertKeyv(keyv: Partial<KeyvLike> | null | undefined): void {
  const usable =
    (['get', 'set', 'delete'] as const).every((method) => typeof keyv?.[method] === 'function') &&
    typeof keyv?.throwOnErrors === 'boolean';
  if (usable) return;
  throw new SessionError(
    'SESSION_OPTIONS_INVALID',
    'fromKeyv() needs a Keyv that can throw what fails, since one that does not would answer for a store that is down that ' +
      'there is no session: give it new Keyv({ store }) of keyv 5.5 or later.',
  );
}
