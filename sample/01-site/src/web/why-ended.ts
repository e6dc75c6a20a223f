import type { EndReason } from 'nestjs-tessera';

/** What another device, the account or an administrator has done to a session: said at the next page, whatever it is. */
const FROM_OUTSIDE: Readonly<Record<string, string>> = {
  evicted:
    'You have logged in on three other devices since, which is the limit. So you were logged out here.',
  revoked: 'You were logged out here from another of your devices.',
  'password-changed':
    'The password of your account was changed, so you were logged out here. Log in with the new one.',
  'ended-by-admin': 'An administrator has logged you out here.',
  stolen: 'A copy of your session was in use, so it was ended. Log in, and change your password.',
};

/** What time does: said where a login is needed. A visitor who comes back next week to look around need not know. */
const BY_TIME: Readonly<Record<string, string>> = {
  'idle-timeout': 'You were away for a while, so you were logged out. Log in to go on.',
  lifetime: 'It is some time since you logged in, so you were logged out. Log in to go on.',
};

/** Why the session that the client had is over, in words, for any page; `null` when there is nothing to say. */
export function whyEnded(reason: EndReason | null): string | null {
  return FROM_OUTSIDE[reason ?? ''] ?? null;
}

/** The same for who has to log in again. */
export function whyLogIn(reason: EndReason | null): string | null {
  return whyEnded(reason) ?? BY_TIME[reason ?? ''] ?? null;
}
