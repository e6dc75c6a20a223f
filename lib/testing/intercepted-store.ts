import type { SessionRecord } from '../core/session-record';
import type { SessionStore, StoreCall } from '../core/session-store';
import type { SessionId } from '../core/session-token';
import {
  isEnumerable,
  isLimited,
  isWatchable,
  type BatchReadableStore,
  type ClosableStore,
  type EnumerableStore,
  type PreparedStore,
  type PrincipalIndexedStore,
  type StoreLimit,
  type SweepableStore,
  type WatchableStore,
} from '../core/store-capabilities';

/**
 * The capabilities that consist of single calls.
 * @inline
 */
type CallCapabilities = PrincipalIndexedStore &
  SweepableStore &
  BatchReadableStore &
  PreparedStore &
  ClosableStore;

const OPTIONAL_CALLS: readonly (keyof CallCapabilities)[] = [
  ...(['findByPrincipal', 'deleteByPrincipal', 'sweep', 'findHeads', 'prepare', 'close'] as const),
];

type Method = (...all: unknown[]) => Promise<unknown>;

/** A method of a store whose calls can be intercepted: all but `watchEnds`. */
export type StoreOperation = keyof SessionStore | keyof CallCapabilities | keyof EnumerableStore;

/** A store over another one, with the same capabilities and limits. Each call goes through {@link InterceptedStore.intercept}. */
export abstract class InterceptedStore<S extends SessionStore = SessionStore>
  implements SessionStore, Partial<CallCapabilities & EnumerableStore & WatchableStore>
{
  /** Present if the inner store has it, as the following. */
  readonly findByPrincipal?: PrincipalIndexedStore['findByPrincipal'];
  readonly deleteByPrincipal?: PrincipalIndexedStore['deleteByPrincipal'];
  readonly sweep?: SweepableStore['sweep'];
  readonly findHeads?: BatchReadableStore['findHeads'];
  readonly prepare?: PreparedStore['prepare'];
  readonly close?: ClosableStore['close'];
  readonly records?: EnumerableStore['records'];
  readonly watchEnds?: WatchableStore['watchEnds'];
  /** The limits of the inner store. */
  readonly limits?: readonly StoreLimit[];

  /** @param inner the store itself */
  constructor(readonly inner: S) {
    for (const operation of OPTIONAL_CALLS) {
      const method = (inner as Partial<CallCapabilities>)[operation] as Method | undefined;
      if (typeof method !== 'function') continue;
      const call: Method = (...all) =>
        this.intercept(operation, '', () => method.apply(inner, all), callIn(all));
      Object.assign(this, { [operation]: call });
    }
    if (isEnumerable(inner)) this.records = (call) => this.#recordsOf(inner, call);
    if (isWatchable(inner)) this.watchEnds = (listener) => inner.watchEnds(listener);
    if (isLimited(inner)) this.limits = inner.limits;
  }

  find(id: SessionId, call: StoreCall): Promise<SessionRecord | null> {
    return this.intercept('find', id, () => this.inner.find(id, call), call);
  }

  insert(record: SessionRecord, call: StoreCall): Promise<void> {
    return this.intercept('insert', record.id, () => this.inner.insert(record, call), call);
  }

  update(record: SessionRecord, expectedVersion: number, call: StoreCall): Promise<boolean> {
    return this.intercept('update', record.id, () => this.inner.update(record, expectedVersion, call), call);
  }

  extend(id: SessionId, expectedVersion: number, expiresAt: number, call: StoreCall): Promise<boolean> {
    return this.intercept('extend', id, () => this.inner.extend(id, expectedVersion, expiresAt, call), call);
  }

  delete(id: SessionId, call: StoreCall): Promise<void> {
    return this.intercept('delete', id, () => this.inner.delete(id, call), call);
  }

  /**
   * Makes a call.
   * @param id the session's, or empty for a call that is not about one session
   * @param run calls the store itself
   * @param call what the store is passed; `undefined` for `prepare` and `close`
   */
  protected abstract intercept<T>(
    operation: StoreOperation,
    id: string,
    run: () => Promise<T>,
    call: StoreCall | undefined,
  ): Promise<T>;

  async *#recordsOf(inner: EnumerableStore, call: StoreCall): AsyncGenerator<SessionRecord> {
    yield* await this.intercept('records', '', async () => inner.records(call), call);
  }
}

/** Returns what a store is passed last, except by `prepare` and `close`. */
function callIn(all: readonly unknown[]): StoreCall | undefined {
  const last = all.at(-1);
  return typeof last === 'object' && last !== null && 'signal' in last ? (last as StoreCall) : undefined;
}
