import { principalKey } from './principal';
import { UnreadableBody, decodeFacts } from './session-body';
import { isIdle, lockOf } from './session-expiry';
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
  /** Whether a further factor is due. */
  readonly isPending: boolean;
  /** When the principal logged in; without a login, when the session began. */
  readonly startedAt: number;
  /** Since when the session stands: later than `startedAt` if it stayed when all others of its principal were ended. */
  readonly standsSince: number;
  /** When it ends or is locked, unless it is extended or used. */
  readonly expiresAt: number;
  /** The family of its secret: see `SecretHistory`. */
  readonly family: string | null;
  /** The family of the secret that the watcher has. A secret of another one is an end, too. @default any secret will do */
  readonly ownFamily?: string;
  /** When it is locked, unless it is used; `null` when it is never locked, or was locked from the beginning. */
  readonly locksAt: number | null;
  /** When it ends in any case. */
  readonly deadline: number;
}

/**
 * How a watched login ended: `ended` when the session was logged out, destroyed or revoked, `expired` also when its idle timeout has locked
 * it, or `other-login` when the session goes on with another login, or with none.
 */
export type LoginEnd = 'ended' | 'expired' | 'other-login';

/** What became of a watched login: how it ended, or what it is now. */
export type LoginStatus = LoginEnd | WatchedLogin;

/** Tells what became of logins. Each kind of repository has one. */
export interface LoginSource {
  /** Returns the status of each login, in their order; `null` for one that could not be read. Rejects when none could. Neither ends a login. */
  statusOf(logins: readonly WatchedLogin[]): Promise<readonly (LoginStatus | null)[]>;
  /** See `WatchableStore`; `null` when the store cannot tell. */
  watchEnds(listener: EndListener): EndSubscription | null;
}

/** The facts of a login that a renewal of its session may change, under the same principal. */
export type LoginFacts = Pick<
  WatchedLogin,
  'actsAs' | 'isPending' | 'startedAt' | 'standsSince' | 'deadline'
>;

/** Whether a session goes on with another login, of the same principal. A pending one that is completed, and begins then, is no other. */
export function isOtherLogin(login: LoginFacts, present: LoginFacts): boolean {
  const isCompleted = login.isPending && !present.isPending;
  return (present.startedAt !== login.startedAt && !isCompleted) || present.actsAs !== login.actsAs;
}

/**
 * @param from a login that is locked at this instant is watched as a locked one
 * @throws UnreadableBody
 */
export function watchedLoginOf(record: SessionRecord, from: number): WatchedLogin {
  const { id, version, secretHash, principal } = record;
  const state = decodeFacts(record.body);
  const { startedAt, deadline, secrets, actor, isPending } = state;
  const actsAs = actor === null ? null : state.principal && principalKey(state.principal);
  const standsSince = Math.max(startedAt, secrets.issuedAt);
  const { family } = secrets;
  const locksAt = isIdle(state, from) ? null : lockOf(state);
  const expiresAt = Math.min(record.expiresAt, locksAt ?? Infinity);
  const times = { startedAt, standsSince, expiresAt, locksAt, deadline };
  return { id, version, secretHash, family, principal, actsAs, isPending, ...times };
}

/** Whether the session of both records is under the same login, or without one in both. Not when one of them cannot be read. */
export function isSameLogin(a: SessionRecord, b: SessionRecord): boolean {
  if (a.principal !== b.principal) return false;
  try {
    const [before, after] = [watchedLoginOf(a, -Infinity), watchedLoginOf(b, -Infinity)];
    return before.startedAt === after.startedAt && before.actsAs === after.actsAs;
  } catch (error) {
    if (error instanceof UnreadableBody) return false;
    throw error;
  }
}
