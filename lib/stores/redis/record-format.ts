import type { SessionRecord } from '../../core/session-record';
import type { SecretHash, SessionId } from '../../core/session-token';

/** Digits of a number. The year 9999 in epoch milliseconds has 15. */
export const DIGITS = 16;

/** Characters of a mark, and the number of marks. */
const MARK_LENGTH = 8;
const MARKS = 4;

const LINE = /^1 (\d{16}) (\d{16}) \d{16} \d{16} \S{32} (\S+) (\S+) (null|"[^\n]*")\n/;

/**
 * The text of a new record: a header line, then the body unchanged.
 *
 * ```
 * 1 <version> <expiresAt> <covered until> <stamp> <marks> <secretHash> <id> <principal as JSON>⏎<body>
 * ```
 *
 * Numbers have 16 digits, so that scripts can compare them as text and replace them in place. `covered until` and `stamp` are the
 * {@link Coverage}. `marks` are the nonces of the latest writes. The id identifies the record, in case a client returns the answer to
 * another command. The first digit is the format; a value of another format is not changed.
 */
export function encodeRecord(
  { id, version, expiresAt, secretHash, principal, body }: SessionRecord,
  coverage: Coverage,
  mark: string,
): string {
  const numbers = [version, toRedisExpiry(expiresAt)].map(toDigits).join(' ');
  const marks = mark.padEnd(MARKS * MARK_LENGTH, '.');
  return `1 ${numbers} ${coverage.until} ${coverage.stamp} ${marks} ${secretHash} ${id} ${toPrincipalField(principal)}\n${body}`;
}

/** `null` for a text of another format or program, and for the text of another session. */
export function decodeRecord(id: SessionId, text: string): SessionRecord | null {
  const [line, version, expiresAt, secretHash, owner, principal] = LINE.exec(text) ?? [];
  if (line === undefined || owner !== id) return null;
  try {
    return {
      id,
      version: Number(version),
      secretHash: secretHash as SecretHash,
      principal: fromPrincipalField(principal!),
      expiresAt: Number(expiresAt),
      body: text.slice(line.length),
    };
  } catch {
    return null; // the principal is not valid JSON
  }
}

/** The principal in the header line: JSON, so that it has no line breaks and `null` differs from `"null"`. */
export function toPrincipalField(principal: string | null): string {
  return JSON.stringify(principal);
}

export function fromPrincipalField(text: string): string | null {
  return JSON.parse(text) as string | null;
}

/**
 * A session's entry in its principal's index: until when it stands by the server's clock, and when it was made. Two numbers of
 * {@link DIGITS} digits, both zero without a principal.
 *
 * The entry is prolonged with its session, because a record does not say until when that may go on. A deadline in the record would spare an
 * active session two commands an hour. But the entries of sessions that expire by idling would then stay for the whole lifetime,
 * 250 bytes each, and every store would need a column more.
 */
export interface Coverage {
  readonly until: string;
  readonly stamp: string;
}

/** The coverage of a session without a principal. */
export const NO_COVERAGE: Coverage = { until: toDigits(0), stamp: toDigits(0) };

export function toDigits(number: number): string {
  return String(number).padStart(DIGITS, '0');
}

/** The time that is left until an expiry, in whole milliseconds; negative when it is past. */
export function timeToLive(expiresAt: number, now: number): number {
  return toRedisExpiry(expiresAt) - Math.floor(now);
}

/** The nearest expiry that Redis accepts: a whole number from 1 up. It rounds up, so the session never expires early. */
export function toRedisExpiry(expiresAt: number): number {
  return Math.min(Math.max(Math.ceil(expiresAt), 1), Number.MAX_SAFE_INTEGER);
}
