import { systemClock } from '../../core/clock';
import type { SessionRecord } from '../../core/session-record';
import type { SessionId } from '../../core/session-token';
import { SessionError } from '../../core/session.errors';
import type { EnumerableAdaptedStore } from './adapted-store';

type ExpressStoreCallback = (error?: unknown, answer?: unknown) => void;

/** The part of an express-session store that the bridge uses; structural, so that nobody has to install express-session for the types. */
export interface ExpressStoreLike {
  get(sid: string, callback: ExpressStoreCallback): unknown;
  set(sid: string, session: object, callback: ExpressStoreCallback): unknown;
  destroy(sid: string, callback: ExpressStoreCallback): unknown;
  /** All sessions at once, in an array or by id. */
  all?(callback: ExpressStoreCallback): unknown;
}

/** Where a session of express-session would have its data. */
const KEY = 'tessera';

/** The furthest instant that a `Date` can tell. */
const LAST_DATE = 8.64e15;

/** Records in a store made for express-session. */
export class AdaptedExpressStore implements EnumerableAdaptedStore {
  /** @throws SessionError `SESSION_OPTIONS_INVALID` */
  constructor(private readonly store: ExpressStoreLike) {
    assertStore(store);
  }

  /** Whether it can hand out everything. */
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

  /** All in one batch: there is no other way. */
  async *batches(): AsyncGenerator<readonly unknown[]> {
    const all = await ask((callback) => this.store.all!(callback));
    yield Object.values(all ?? {}).map(recordIn);
  }
}

function recordIn(session: unknown): unknown {
  return (session as Record<string, unknown> | null | undefined)?.[KEY];
}

/** Stores take from one or another of these, each its own way, when they may forget a session. */
function cookieFor(lifetime: number): object {
  const expires = new Date(Math.min(systemClock() + lifetime, LAST_DATE));
  return { originalMaxAge: lifetime, maxAge: lifetime, expires, httpOnly: true, path: '/' };
}

/** What the store says to its callback the first time. Many are written with promises by now, and throw or reject instead. */
async function ask(call: (callback: ExpressStoreCallback) => unknown): Promise<unknown> {
  const [error, answer] = await new Promise<Parameters<ExpressStoreCallback>>((resolve, reject) => {
    const returned = call((...said) => resolve(said));
    if (returned instanceof Promise) returned.catch(reject);
  });
  if (error) throw error instanceof Error ? error : new Error('it called back with an error that is none');
  return answer;
}

/**
 * The error that express-session, too, takes for "there is no such session". A server that is down may say the same of its Unix
 * socket, and must not make anybody anonymous.
 */
function undefinedIfMissing(error: unknown): undefined {
  const { code, syscall } = (error ?? {}) as { code?: unknown; syscall?: unknown };
  if (code !== 'ENOENT' || syscall === 'connect') throw error;
}

function assertStore(store: Partial<ExpressStoreLike> | null | undefined): void {
  if ((['get', 'set', 'destroy'] as const).every((method) => typeof store?.[method] === 'function')) return;
  throw new SessionError(
    'SESSION_OPTIONS_INVALID',
    'fromExpressStore() needs a store with get(), set() and destroy(), made with new: new (connectPgSimple(session))({ … }).',
  );
}
