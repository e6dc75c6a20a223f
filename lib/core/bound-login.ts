import { decodeFacts } from './session-body';
import type { SessionDraft } from './session-draft';
import type { SessionRecord } from './session-record';
import type { ParsedToken } from './session-token';
import { statusOf } from './stored-logins';
import { watchedLoginOf, type WatchedLogin } from './watched-login';

/** A session under the login with which a socket was opened. It is the same one, whatever token the session gets later. */
export interface BoundLogin {
  readonly login: WatchedLogin;
  readonly token: ParsedToken;
  /** When the principal had last proved who it is. A later proof may give more rights than the token of the socket has. */
  readonly authenticatedAt: number | null;
}

/** Returns `null` for a session that is not stored, and for a token with fewer rights than the session has. */
export function boundLoginOf({ base, token, lent, state, settings }: SessionDraft): BoundLogin | null {
  if (base === null || token === null || lent !== null) return null;
  return { login: watchedLoginOf(base, settings.clock()), token, authenticatedAt: state.authenticatedAt };
}

/** Whether a record is that of the session, under the same login and proof. */
export function isBoundTo(
  { login, authenticatedAt }: BoundLogin,
  record: SessionRecord,
  now: number,
): boolean {
  const isSameLogin = typeof statusOf(login, record, now) === 'object';
  return isSameLogin && decodeFacts(record.body).authenticatedAt === authenticatedAt;
}
