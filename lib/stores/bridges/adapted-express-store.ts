import { systemClock } from '../../core/clock';
import type { SessionRecord } from '../../core/session-record';
import type { SessionId } from '../../core/session-token';
import { SessionError } from '../../core/session.errors';
import type { EnumerableAdaptedStore } from './adapted-store';

/** @inline */
type ExpressStoreCallback = (error?: unknown, answer?: unknown) => void;

/** The part of an express-session store that the bridge uses. Structural, so that the types do not need express-session installed. */
export interface ExpressStoreLike {
  /** Calls back with the session; without one, or with `ENOENT`, when there is none. */
  get(sid: string, callback: ExpressStoreCallback): unknown;
  /** Stores a session until `cookie.expires` of it, and calls back. */
  set(sid: string, session: object, callback: ExpressStoreCallback): unknown;
  /** Removes a session, and calls back. An absent one is not an error. */
  destroy(sid: string, callback: ExpressStoreCallback): unknown;
  /** All sessions at once, in an array or by id. */
  all?(callback: ExpressStoreCallback): unknown;
}

/** The property of an express-session session that holds the record. */
const KEY = 'tessera';

/** The latest instant that a `Date` can represent. */
const LAST_DATE = 8.64e15;

/** Stores records in a store made for express-session. */
export class AdaptedExpressStore implements EnumerableAdaptedStore {
  /** @throws SessionError `SESSION_OPTIONS_INVALID` */
  constructor(private readonly store: ExpressStoreLike) {
    assertStore(store);
  }

  /** Whether the store can list its sessions. */
  get isEnumerable(): boolean {
    return typeof this.store.all === 'function';
  }

  async read(id: SessionId): Promise<unknown> {
    return recordIn(await ask((callback) => this.store.get(id, callback)).catch(undefinedIfMissing));
  }

  async write(record: SessionRecord, lifetime: number): Promise<void> {
    const session = { cookie: cookieFor(lifetime), [KEY]: { ...record } };
    await ask((callback) => this.store.set(record.id, session, callback));
  }

  async remove(id: SessionId): Promise<void> {
    await ask((callback) => this.store.destroy(id, callback)).catch(undefinedIfMissing);
  }

  /** One batch with all sessions: express-session stores have no other way. */
  async *batches(): AsyncGenerator<readonly unknown[]> {
    const all = await ask((callback) => this.store.all!(callback));
    yield Object.values(all ?? {}).map(recordIn);
  }
}

function recordIn(session: unknown): unknown {
  return (session as Record<string, unknown> | null | undefined)?.[KEY];
}

/** All properties from which some store reads when a session expires. */
function cookieFor(lifetime: number): object {
  const expires = new Date(Math.min(systemClock() + lifetime, LAST_DATE));
  return { originalMaxAge: lifetime, maxAge: lifetime, expires, httpOnly: true, path: '/' };
}

/** The first answer to the callback. Many stores are written with promises, and throw or reject instead of calling back. */
async function ask(call: (callback: ExpressStoreCallback) => unknown): Promise<unknown> {
  const [error, answer] = await new Promise<Parameters<ExpressStoreCallback>>((resolve, reject) => {
    const returned = call((...said) => resolve(said));
    if (returned instanceof Promise) returned.catch(reject);
  });
  if (error)
    throw error instanceof Error
      ? error
      : new Error('the store called back with an error that is not an Error');
  return answer;
}

/**
 * ENOENT means "no such session", as it does to express-session. With the syscall `connect` it means that the Unix socket of a server
 * is missing: the server is down, and the error must not turn into an anonymous session.
 */
function undefinedIfMissing(error: unknown): undefined {
  const { code, syscall } = (error ?? {}) as { code?: unknown; syscall?: unknown };
  if (code !== 'ENOENT' || syscall === 'connect') throw error;
}

function assertStore(store: Partial<ExpressStoreLike> | null | undefined): void {
  if ((['get', 'set', 'destroy'] as const).every((method) => typeof store?.[method] === 'function')) return;
  throw new SessionError(
    'SESSION_OPTIONS_INVALID',
    'fromExpressStore() needs a store with get(), set() and destroy(). Pass an instance made with new, such as new (connectPgSimple(session))({ … }).',
  );
}
