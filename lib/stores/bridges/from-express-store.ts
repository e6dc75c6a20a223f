import type { EnumerableStore, LimitedStore, SessionStore } from '../../core/session-store';
import { BridgedSessionStore, EnumerableBridgedSessionStore } from './bridged-session-store';
import { AdaptedExpressStore, type ExpressStoreLike } from './adapted-express-store';

/** Sessions in a store made for express-session. It enumerates if the store has `all`. */
export type ExpressBridgedSessionStore = SessionStore &
  LimitedStore<'conditional-writes' | 'paged-enumeration'> &
  Partial<EnumerableStore>;

/**
 * Keeps sessions in one of the many stores made for express-session, beside those of express-session itself if need be.
 *
 * Such a store cannot write on a condition. Within one process the bridge makes up for it; between several, a change may be lost
 * and a logout undone, of which the module warns. What enumerates does it with all sessions in memory at once.
 *
 * @param store made with `new`; the bridge neither connects nor closes it, and leaves it to forget what has expired
 * @throws SessionError `SESSION_OPTIONS_INVALID`
 */
export function fromExpressStore(store: ExpressStoreLike): ExpressBridgedSessionStore {
  const adapted = new AdaptedExpressStore(store);
  return adapted.isEnumerable
    ? new EnumerableBridgedSessionStore(adapted, ['conditional-writes', 'paged-enumeration'])
    : new BridgedSessionStore(adapted, ['conditional-writes']);
}
