import type { SessionRecord } from '../../core/session-record';
import type { SessionId } from '../../core/session-token';

/** What lies beyond a bridge: keys and values, and no condition that a write could have. */
export interface AdaptedStore {
  /** Whatever is kept under this id, checked by nobody; `null` or `undefined` for nothing. Rejects when the store cannot tell. */
  read(id: SessionId): Promise<unknown>;
  /** @param lifetime milliseconds from now, at least 1, after which the store may forget it */
  write(record: SessionRecord, lifetime: number): Promise<void>;
  remove(id: SessionId): Promise<void>;
}

/** One that can go through what it holds. */
export interface EnumerableAdaptedStore extends AdaptedStore {
  /** Everything, in batches as large as they come, checked by nobody. */
  batches(): AsyncIterable<readonly unknown[]>;
}
