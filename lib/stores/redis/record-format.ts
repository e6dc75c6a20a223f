import type { SessionRecord } from '../../core/session-record';
import type { SecretHash, SessionId } from '../../core/session-token';

/**
 * A session as the one string it is in Redis: a line about it, then its body as it was given.
 *
 * ```
 * 1 <version> <expiresAt> <covered until> <stamp> <marks> <secretHash> <id> <principal as JSON>⏎<body>
 * ```
 *
 * The numbers have 16 digits, so that scripts compare them as text and replace them in place. `covered until` and `stamp` say
 * which entry of the principal's index stands for the session, and up to which expiry it does. `marks` tells the latest writes apart. The id
 * says whose text it is, should a client hand out the answer to another command.
 * The first digit is the format's: what begins with another is left alone.
 */
export interface IndexedRecord {
  readonly record: SessionRecord;
  readonly coveredUntil: number;
}

/** Digits of a number. The year 9999 takes 15 of them. */
export const DIGITS = 16;

/** Characters of a mark, and of the marks of the latest {@link MARKS} writes. */
const MARK_LENGTH = 8;
const MARKS = 4;

const LINE = /^1 (\d{16}) (\d{16}) (\d{16}) \d{16} \S{32} (\S+) (\S+) (null|"[^\n]*")\n/;

/** The line of a new session, and its body. */
export function encodeRecord(
  { id, version, expiresAt, secretHash, principal, body }: SessionRecord,
  coverage: Coverage,
  mark: string,
): string {
  const numbers = [version, toRedisExpiry(expiresAt)].map(toDigits).join(' ');
  const marks = mark.padEnd(MARKS * MARK_LENGTH, '.');
  return `1 ${numbers} ${coverage.until} ${coverage.stamp} ${marks} ${secretHash} ${id} ${encodePrincipal(principal)}\n${body}`;
}

/** `null` for what another format, or somebody else, has written, and for another session's text. */
export function decodeRecord(id: SessionId, text: string): IndexedRecord | null {
  const [line, version, expiresAt, coveredUntil, secretHash, owner, principal] = LINE.exec(text) ?? [];
  if (line === undefined || owner !== id) return null;
  try {
    const record = {
      id,
      version: Number(version),
      secretHash: secretHash as SecretHash,
      principal: decodePrincipal(principal!),
      expiresAt: Number(expiresAt),
      body: text.slice(line.length),
    };
    return { record, coveredUntil: Number(coveredUntil) };
  } catch {
    return null; // what looks like JSON is none
  }
}

/** As it stands in the line: without line breaks, and telling nobody from somebody of that name. */
export function encodePrincipal(principal: string | null): string {
  return JSON.stringify(principal);
}

export function decodePrincipal(text: string): string | null {
  return JSON.parse(text) as string | null;
}

/** Which entry of the index stands for a session, as it is written down: two numbers in digits, or two times nothing. */
export interface Coverage {
  readonly until: string;
  readonly stamp: string;
}

/** Of nobody's session. */
export const NO_COVERAGE: Coverage = { until: toDigits(0), stamp: toDigits(0) };

export function toDigits(number: number): string {
  return String(number).padStart(DIGITS, '0');
}

/** Redis takes no instant before 1, and none that is not whole; from then on a session is dead either way. */
export function toRedisExpiry(expiresAt: number): number {
  return Math.min(Math.max(Math.ceil(expiresAt), 1), Number.MAX_SAFE_INTEGER);
}
