import type { Device } from './device';
import type { Principal } from './principal';
import { openContent } from './checked-content';
import { UnreadableBody, decodeFacts } from './session-body';
import type { KeyOf, SessionData, SessionKey } from './session-data';
import { isIdle, lastSeenOf } from './session-expiry';
import type { SessionRecord } from './session-record';
import type { SessionSettings } from './session-settings';
import { getOwn, type SessionState } from './session-state';
import type { SessionId } from './session-token';

/** A session as a list shows it, such as "where you are logged in". Instants are epoch milliseconds. Contains no secret. */
export interface SessionInfo {
  /** The public id. */
  readonly id: SessionId;
  /** Whether it is the session of the current request. */
  readonly isCurrent: boolean;
  /** The principal, also while the login is pending; of one who acts as another, the other one. `null` for a visitor. */
  readonly principal: Principal | null;
  /** The real principal, while it acts as `principal`; else `null`. */
  readonly actor: Principal | null;
  /** Whether a further factor is due, so that this is no login yet. */
  readonly isPending: boolean;
  /** Whether its idle timeout has locked it. */
  readonly isLocked: boolean;
  /** When the session was created. */
  readonly createdAt: number;
  /** Time of the last use, accurate to a tenth of the idle timeout. */
  readonly lastSeenAt: number;
  /** Time of the last proof of the principal, or `null` without a login. */
  readonly authenticatedAt: number | null;
  /** How the principal was authenticated, also while the login is pending: methods such as `pwd` and `otp` (RFC 8176). */
  readonly amr: readonly string[];
  /** How well the principal was authenticated, also while the login is pending: see `level` of `login`. `0` without a login. */
  readonly level: number;
  /** When the session ends unless a request uses it. */
  readonly expiresAt: number;
  /** Whether the session survives a restart of the browser. */
  readonly remembered: boolean;
  /** The client that logged in; `null` unless the option `devices` is set. */
  readonly device: Device | null;
  /** Returns a value of the session, decoded at the first call. @throws SessionError `SESSION_RECORD_UNREADABLE` */
  readonly data: <K extends SessionKey>(key: KeyOf<K>) => SessionData[K] | undefined;
}

/** A session that has not ended. */
export interface LiveSession {
  readonly record: SessionRecord;
  /** Its facts. The content is encoded. */
  readonly state: SessionState;
}

/** Returns the session of a record; `null` when it has ended, is no session, or this release cannot read it. */
export function liveSession(record: SessionRecord, now: number): LiveSession | null {
  try {
    const state = decodeFacts(record.body);
    state.lastSeenAt = lastSeenOf(state, record.expiresAt, state.lastSeenAt);
    return now < Math.min(record.expiresAt, state.deadline) ? { record, state } : null;
  } catch (error) {
    if (error instanceof UnreadableBody) return null;
    throw error;
  }
}

/** Returns which limit has ended a session, whose record is still there; `null` for a live one, for other records, and for what cannot be read. */
export function lapseOf(record: SessionRecord, now: number): 'lifetime' | 'idle-timeout' | null {
  try {
    const { deadline } = decodeFacts(record.body);
    if (now >= deadline) return 'lifetime';
    return now >= record.expiresAt ? 'idle-timeout' : null;
  } catch (error) {
    if (error instanceof UnreadableBody) return null;
    throw error;
  }
}

/** @param current the id of the session of the current request, or `null` */
export function infoOf(
  { record, state }: LiveSession,
  current: SessionId | null,
  settings: SessionSettings,
): SessionInfo {
  const { principal, actor, isPending, authenticatedAt, amr, level, ...rest } = state;
  const { createdAt, lastSeenAt, remembered, device, deadline } = rest;
  return {
    ...{ id: record.id, isCurrent: record.id === current, principal, actor: actor?.principal ?? null },
    ...{
      isPending,
      isLocked: isIdle(state, settings.clock()),
      createdAt,
      lastSeenAt,
      authenticatedAt,
      amr,
      level,
    },
    ...{ expiresAt: Math.min(record.expiresAt, deadline), remembered, device },
    data: <K extends SessionKey>(key: KeyOf<K>) => {
      openContent(state, settings, null);
      return getOwn(state.data, key) as SessionData[K] | undefined;
    },
  };
}
