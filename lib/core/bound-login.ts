import type { SessionDraft } from './session-draft';
import type { SessionRecord } from './session-record';
import { familyOf, type ParsedToken } from './session-token';
import { statusOf } from './stored-logins';
import { watchedLoginOf, type WatchedLogin } from './watched-login';

/**
 * A session under the login with which a socket was opened. It is the same one over rotations; after any other replacement of its secret it
 * is not, since the socket may have been opened with a copy.
 */
export interface BoundLogin {
  readonly login: WatchedLogin;
  readonly token: ParsedToken;
}

/** Returns `null` for a session that is not stored, and for a token with fewer rights than the session has. */
export function boundLoginOf({ base, token, lent, settings }: SessionDraft): BoundLogin | null {
  if (base === null || token === null || lent !== null) return null;
  return { login: { ...watchedLoginOf(base, settings.clock()), ownFamily: familyOf(token) }, token };
}

/** Whether a record is that of the session, under the same login. */
export function isBoundTo({ login }: BoundLogin, record: SessionRecord, now: number): boolean {
  // Every other login has replaced the secret. Only a login that is locked when idle may have ended without that.
  const isSame = record.secretHash === login.secretHash && login.locksAt === null;
  return isSame || typeof statusOf(login, record, now) === 'object';
}
