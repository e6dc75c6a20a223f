import type { Principal } from './principal';
import { openBody } from './checked-content';
import { decodeValue } from './session-body';
import type { SessionConstants, SessionData } from './session-data';
import { isIdle, lastSeenOf } from './session-expiry';
import type { SessionRecord } from './session-record';
import type { SessionSettings } from './session-settings';
import type { SessionId } from './session-token';

/** The content of a stored session. Instants are epoch milliseconds. */
export interface StoredSession {
  /** The public id. */
  readonly id: SessionId;
  /** The principal, also while the login is pending or locked; of one who acts as another, the other one. `null` for a visitor. */
  readonly principal: Principal | null;
  /** The real principal, while it acts as `principal`; else `null`. */
  readonly actor: Principal | null;
  /** Whether a further factor is due, so that this is no login yet. */
  readonly isPending: boolean;
  /** Whether its idle timeout has locked it. */
  readonly isLocked: boolean;
  /** The values of the session, by key. A change of them is not written. */
  readonly data: Partial<SessionData>;
  /** The values set by `setConstant` or `login(principal, { constants })`, by key. */
  readonly constants: Partial<SessionConstants>;
  /** When the session was created. */
  readonly createdAt: number;
  /** Time of the last `login` or `elevate`, or `null` without a login. */
  readonly authenticatedAt: number | null;
  /** Time of the last use, accurate to a tenth of the idle timeout. */
  readonly lastSeenAt: number;
  /** When the session ends unless a request uses it. A store may show it for a while afterwards. */
  readonly expiresAt: number;
  /** When it ends regardless of activity. */
  readonly deadline: number;
  /** Whether the session survives a restart of the browser. */
  readonly remembered: boolean;
}

/** See `SessionManager.read`. */
export function contentOf(record: SessionRecord, settings: SessionSettings): StoredSession {
  const state = openBody(record.body, settings, null);
  state.lastSeenAt = lastSeenOf(state, record.expiresAt, state.lastSeenAt);
  const { data, principal, actor, isPending, createdAt, authenticatedAt, ...rest } = state;
  const { lastSeenAt, deadline, remembered } = rest;
  const constants = Object.entries(state.constants).map(([key, text]) => [
    key,
    decodeValue(text, settings.codec),
  ]);
  return {
    ...{ id: record.id, principal, actor: actor?.principal ?? null, isPending },
    isLocked: isIdle(state, settings.clock()),
    ...{ data, constants: Object.fromEntries(constants) as SessionConstants },
    ...{ createdAt, authenticatedAt, lastSeenAt, deadline, remembered },
    expiresAt: Math.min(record.expiresAt, deadline),
  };
}
