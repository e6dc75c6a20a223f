import type { SessionRecord } from '../../core/session-record';
import { isSessionId, type SessionId } from '../../core/session-token';
import { SessionError } from '../../core/session.errors';
import type { EnumerableAdaptedStore } from './adapted-store';

/** The part of Keyv 5 that the bridge uses. Structural, so that the types do not need Keyv installed. */
export interface KeyvLike {
  /** Resolves to the value of a key; to `undefined` without one. */
  get(key: string): Promise<unknown>;
  /** Sets the value of a key, for `ttl` milliseconds. Resolves to `false` when it did not. */
  set(key: string, value: string, ttl?: number): Promise<boolean>;
  /** Removes a key. Resolves to whether it was there. */
  delete(key: string): Promise<boolean>;
  /** Whether calls reject when the adapter fails, instead of resolving to `undefined`. The bridge sets it to `true`. */
  throwOnErrors: boolean;
  /** The adapter, or a Map. */
  readonly store?: unknown;
  /** Present if the adapter can list its keys. */
  readonly iterator?: unknown;
}

/** Optional members of a Keyv adapter. */
interface KeyvAdapter {
  readonly namespace?: string;
  throwOnErrors?: boolean;
  on?(event: 'error', listener: (error: unknown) => void): unknown;
  iterator?(namespace?: string): AsyncIterable<readonly [key: string, value: unknown]>;
}

/** How many values are read at once when listing. */
const READ_BATCH_SIZE = 100;

const KEY_ID_LENGTH = 22;

/** Stores records as JSON in a Keyv. Makes the Keyv throw its failures; by default it answers `undefined` instead. */
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
    // Some adapters emit an error, and then answer as if the call had succeeded.
    const note = (error: unknown): void => {
      this.#failures++;
      this.#failure = error;
    };
    if (typeof this.#adapter.on === 'function') this.#adapter.on('error', note);
  }

  /** Whether the Keyv can list its keys. */
  get isEnumerable(): boolean {
    return typeof this.keyv.iterator === 'function';
  }

  async read(id: SessionId): Promise<unknown> {
    const text = await this.#ask(() => this.keyv.get(id).catch(undefinedIfMalformed));
    return typeof text === 'string' ? parse(text) : undefined;
  }

  async write(record: SessionRecord, lifetime: number): Promise<void> {
    const done = await this.#ask(() => this.keyv.set(record.id, JSON.stringify(record), lifetime));
    if (!done) throw new Error('Keyv answered false: it did not set the value');
  }

  async remove(id: SessionId): Promise<void> {
    await this.#ask(() => this.keyv.delete(id));
  }

  /** Lists keys and reads each value, because Keyv's own iteration of values stops at the first malformed one. */
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

/** A value that is not JSON is not a session. Any other error is a failure of the store. */
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
    'fromKeyv() needs a Keyv that can throw its errors: one that cannot reports "no session" while its store is down. ' +
      'Pass new Keyv({ store }) of keyv 5.5 or later.',
  );
}
