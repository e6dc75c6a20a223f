import type { SessionStore } from '../../core/session-store';
import type { EnumerableStore, LimitedStore } from '../../core/store-capabilities';
import { BridgedSessionStore, EnumerableBridgedSessionStore } from './bridged-session-store';
import { AdaptedKeyv, type KeyvLike } from './adapted-keyv';

/** Sessions in a Keyv. Has `records` if the Keyv has an iterator. */
export type KeyvSessionStore = SessionStore & LimitedStore<'conditional-writes'> & Partial<EnumerableStore>;

const LIMITS = ['conditional-writes'] as const;

/**
 * Stores sessions in any database that Keyv has an adapter for: etcd, memcached, DynamoDB, MongoDB and more.
 *
 * Keyv has no conditional writes. Within one process the bridge queues the writes of a session instead. Between several processes a
 * change may be lost and a logout undone; the module warns of this at start. Expired records disappear if the adapter supports
 * lifetimes; a Map and the SQL adapters keep an expired record until it is read.
 *
 * @param keyv used for sessions only. The bridge makes it throw errors that it would otherwise swallow, so that a store that is down
 * results in a 503 and not in an anonymous session. The bridge neither connects nor closes it.
 * @throws SessionError `SESSION_OPTIONS_INVALID` for a Keyv before 5.5, which cannot throw its errors
 */
export function fromKeyv(keyv: KeyvLike): KeyvSessionStore {
  const adapted = new AdaptedKeyv(keyv);
  return adapted.isEnumerable
    ? new EnumerableBridgedSessionStore(adapted, LIMITS)
    : new BridgedSessionStore(adapted, LIMITS);
}
