import { hash } from 'node:crypto';
import type { SessionRecord } from './session-record';
import { sameHash, type SecretHash } from './session-token';
import { SessionError } from './session.errors';

/**
 * Why the session of a token has ended: `evicted` by the limit of sessions, `revoked` from outside, `idle-timeout`, `lifetime`, `stolen`
 * because its token was copied, or the reason given to `endAll` or `end`. `unknown` when the record is gone, after an expiry or a logout, and
 * for a token that is not its last one.
 */
export type EndReason =
  'evicted' | 'revoked' | 'idle-timeout' | 'lifetime' | 'stolen' | 'unknown' | (string & {});

/**
 * Takes the place of the format number of a session body. Readers of bodies take it for the format of a later release and leave the
 * record alone.
 */
const FORMAT = '999999998\nended\n';

/** How long the reason can be told, in milliseconds: a day. */
const TOLD_FOR = 24 * 60 * 60_000;

/** Maximum length of a reason. */
const LONGEST_REASON = 100;

/**
 * Returns the record that replaces that of a session which is ended from outside. It opens no session, and tells the client that has the last
 * token why the session ended. No other write to the session can succeed any more. Its secret is another one also without a login, so that
 * stores see an end in it, and not a change of data: they tell those who watch the session, and do not write it later.
 */
export function endedRecord(record: SessionRecord, reason: EndReason, now: number): SessionRecord {
  return {
    ...record,
    version: record.version + 1,
    secretHash: endedHashOf(record.secretHash),
    principal: null,
    expiresAt: Math.ceil(now) + TOLD_FOR,
    body: `${FORMAT}${JSON.stringify(reason)}`,
  };
}

/** @throws SessionError `SESSION_OPTIONS_INVALID` */
export function assertReason(reason: unknown): void {
  if (typeof reason === 'string' && reason !== '' && reason.length <= LONGEST_REASON) return;
  throw new SessionError(
    'SESSION_OPTIONS_INVALID',
    `The reason of an end must be a text of 1 to ${LONGEST_REASON} characters, got ${typeof reason === 'string' ? `${reason.length}` : typeof reason}.`,
  );
}

/** Returns why the session of a record has ended; `null` for the record of a session. */
export function reasonOfEnd({ body }: SessionRecord): EndReason | null {
  if (!body.startsWith(FORMAT)) return null;
  try {
    const reason: unknown = JSON.parse(body.slice(FORMAT.length));
    return typeof reason === 'string' ? reason : 'revoked';
  } catch {
    return 'revoked';
  }
}

/** Whether a client has the last secret of a session that has ended. */
export function isLastSecret(ended: SessionRecord, secretHash: SecretHash): boolean {
  return sameHash(endedHashOf(secretHash), ended.secretHash);
}

function endedHashOf(secretHash: SecretHash): SecretHash {
  return hash('sha256', `ended.${secretHash}`, 'base64url') as SecretHash;
}
