import type { EnumerableStore, LimitedStore, SessionStore } from '../../core/session-store';
import { BridgedSessionStore, EnumerableBridgedSessionStore } from './bridged-session-store';
import { AdaptedKeyv, type KeyvLike } from './adapted-keyv';

/** Sessions in a Keyv. It enumerates if the Keyv has an iterator. */
export type KeyvSessionStore = SessionStore & LimitedStore<'conditional-writes'> & Partial<EnumerableStore>;

const LIMITS = ['conditional-writes'] as const;

/**
 * Keeps sessions in whatever a Keyv has an adapter for: etcd, memcached, DynamoDB, MongoDB and more.
 *
 * A Keyv cannot write on a condition. Within one process the bridge makes up for it; between several, a change may be lost and a
 * logout undone, of which the module warns. Expired records go when the adapter knows of lifetimes; a Map and the SQL adapters
 * keep what nobody asks for.
 *
 * @param keyv one of its own for the sessions: it throws from now on what it would have swallowed, so that a store that is down is
 * a 503 and not an anonymous session. The bridge neither connects nor closes it.
 * @throws SessionError `SESSION_OPTIONS_INVALID` for a Keyv before 5.5, which cannot
 */
export function fromKeyv(keyv: KeyvLike): KeyvSessionStore {
  const adapted = new AdaptedKeyv(keyv);
  return adapted.isEnumerable
    ? new EnumerableBridgedSessionStore(adapted, LIMITS)
    : new BridgedSessionStore(adapted, LIMITS);
}
