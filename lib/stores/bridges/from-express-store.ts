import type { SessionStore } from '../../core/session-store';
import type { EnumerableStore, LimitedStore } from '../../core/store-capabilities';
import { BridgedSessionStore, EnumerableBridgedSessionStore } from './bridged-session-store';
import { AdaptedExpressStore, type ExpressStoreLike } from './adapted-express-store';

/** Sessions in a store made for express-session. Has `records` if that store has `all`. */
export type ExpressBridgedSessionStore = SessionStore &
  LimitedStore<'conditional-writes' | 'paged-enumeration'> &
  Partial<EnumerableStore>;

/**
 * Stores sessions in a store made for express-session. The same store may hold sessions of express-session, too.
 *
 * Such a store has no conditional writes. Within one process the bridge queues the writes of a session instead. Between several
 * processes a change may be lost and a logout undone; the module warns of this at start. Enumeration loads all sessions into memory at once.
 *
 * @param store an instance, made with `new`. The bridge neither connects nor closes it. Removing expired sessions is the store's own task.
 * @throws SessionError `SESSION_OPTIONS_INVALID`
 */
export function fromExpressStore(store: ExpressStoreLike): ExpressBridgedSessionStore {
  const adapted = new AdaptedExpressStore(store);
  return adapted.isEnumerable
    ? new EnumerableBridgedSessionStore(adapted, ['conditional-writes', 'paged-enumeration'])
    : new BridgedSessionStore(adapted, ['conditional-writes']);
}
