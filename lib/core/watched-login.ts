import { principalKey } from './principal';
import { decodeFacts } from './session-body';
import type { SessionRecord } from './session-record';
import type { SecretHash, SessionId } from './session-token';
import type { EndListener, EndSubscription } from './store-capabilities';

/** A session under one login, or without one, whose end is of interest. Instants are epoch milliseconds. */
export interface WatchedLogin {
  readonly id: SessionId;
  /** The record's version when it was last read. */
  readonly version: number;
  readonly secretHash: SecretHash;
  /** `realm:id`, or `null`. */
  readonly principal: string | null;
  /** `realm:id` of the principal that it acts as, or `null`. */
  readonly actsAs: string | null;
  /** When the principal logged in; without a login, when the session began. */
  readonly startedAt: number;
  /** Since when the session stands: later than `startedAt` if it stayed when all others of its principal were ended. */
  readonly standsSince: number;
  /** Whether its idle timeout locks it. */
  readonly locks: boolean;
  /** When it ends or is locked, unless it is used. */
  readonly expiresAt: number;
  /** When it ends in any case. */
  readonly deadline: number;
}

/**
 * How a watched login ended: `ended` when the session was logged out, destroyed or revoked, `expired`, or `other-login` when the session
 * goes on with another login, or with none.
 */
export type LoginEnd = 'ended' | 'expired' | 'other-login';

/** What became of a watched login: how it ended, or what it is now. */
export type LoginStatus = LoginEnd | WatchedLogin;

/** Tells what became of logins. Each kind of repository has one. */
export interface LoginSource {
  /** Returns the status of each login, in their order. Rejects when the store fails; that ends no login. */
  statusOf(logins: readonly WatchedLogin[]): Promise<readonly LoginStatus[]>;
  /** See `WatchableStore`; `null` when the store cannot tell. */
  watchEnds(listener: EndListener): EndSubscription | null;
}

/** @throws UnreadableBody */
export function watchedLoginOf(record: SessionRecord): WatchedLogin {
  const { id, version, secretHash, principal, expiresAt } = record;
  const state = decodeFacts(record.body);
  const { startedAt, deadline, secrets, actor } = state;
  const standsSince = Math.max(startedAt, secrets.issuedAt);
  // A login that its idle timeout locks is none until it is proved again.
  const locksAt =
    state.isLocking && state.idleTimeout !== null ? state.lastSeenAt + state.idleTimeout : Infinity;
  const times = { startedAt, standsSince, expiresAt: Math.min(expiresAt, locksAt), deadline };
  const actsAs = actor === null ? null : state.principal && principalKey(state.principal);
  return { id, version, secretHash, principal, actsAs, locks: locksAt !== Infinity, ...times };
}
