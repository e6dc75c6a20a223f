import type { SessionRecord } from '../../core/session-record';
import type { SessionId } from '../../core/session-token';

/** The store under a bridge: keys and values, without conditional writes. */
export interface AdaptedStore {
  /** The value under this id, unchecked; `null` or `undefined` when there is none. Rejects when the store fails. */
  read(id: SessionId): Promise<unknown>;
  /** Writes without a condition. @param lifetime milliseconds, at least 1, after which the store may drop the value */
  write(record: SessionRecord, lifetime: number): Promise<void>;
  /** Removes the value. An absent one is not an error. */
  remove(id: SessionId): Promise<void>;
}

/** An adapted store that can list its values. */
export interface EnumerableAdaptedStore extends AdaptedStore {
  /** All values, unchecked, in batches of any size. */
  batches(): AsyncIterable<readonly unknown[]>;
}
