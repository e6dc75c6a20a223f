import { crc32 } from 'node:zlib';
import type { SessionRecord } from '../../core/session-record';
import type { SecretHash, SessionId } from '../../core/session-token';

/** The format this release writes. A file of a later format is not changed. */
const FILE_FORMAT = 1;
const NEWLINE = 0x0a;

/** Latest modification time to set, in seconds. On some file systems later times (from 2106 on) wrap around into the past. */
const LAST_SECOND = 0xffff_ffff;

/** A session on disk. */
export interface MarkedSession {
  readonly record: SessionRecord;
  /** The nonce in the name of its marker: identifies the login that gave the session its principal. `null` without a principal. */
  readonly mark: string | null;
}

/** What a session's file holds. */
export type SessionFile =
  | ({ readonly kind: 'live' } & MarkedSession)
  /** Written by a later release. */
  | { readonly kind: 'newer' }
  /** Truncated, damaged, or not a file of this store. */
  | { readonly kind: 'unreadable' };

type HeaderFields = [
  id: SessionId,
  version: number,
  expiresAt: number,
  secretHash: SecretHash,
  principal: string | null,
  mark: string | null,
];

/**
 * Three parts: format and checksums, the header as JSON, the body unchanged. The header has its own checksum, so that a session with a
 * damaged body can still be found, reported and removed.
 */
export function encodeFile({ record, mark }: MarkedSession): string {
  const { id, version, expiresAt, secretHash, principal, body } = record;
  const facts: HeaderFields = [id, version, expiresAt, secretHash, principal, mark];
  const head = JSON.stringify(facts);
  return `tessera-session ${FILE_FORMAT} ${checksum(head)} ${checksum(body)}\n${head}\n${body}`;
}

/** Returns a damaged body as an empty one. No session has an empty body, so the caller rejects it as corrupt. */
export function decodeFile(bytes: Buffer, id: SessionId): SessionFile {
  const [afterLine, afterHead] = [bytes.indexOf(NEWLINE), bytes.indexOf(NEWLINE, bytes.indexOf(NEWLINE) + 1)];
  const line = bytes.toString('latin1', 0, Math.max(0, afterLine));
  const [, format, headSum, bodySum] =
    /^tessera-session (\d{1,9})(?: ([0-9a-f]+) ([0-9a-f]+)$)?/.exec(line) ?? [];
  if (Number(format) > FILE_FORMAT) return { kind: 'newer' };
  const head = bytes.subarray(afterLine + 1, Math.max(0, afterHead));
  if (Number(format) !== FILE_FORMAT || afterHead < 0 || checksum(head) !== headSum)
    return { kind: 'unreadable' };

  const facts = JSON.parse(head.toString()) as HeaderFields;
  const [found, version, expiresAt, secretHash, principal, mark] = facts;
  if (found !== id) return { kind: 'unreadable' };
  const body = bytes.subarray(afterHead + 1);
  const record = {
    id,
    version,
    secretHash,
    principal,
    expiresAt,
    body: checksum(body) === bodySum ? body.toString() : '',
  };
  return { kind: 'live', record, mark };
}

/**
 * The modification time for a session's file, in seconds: its expiry or up to a second earlier, never later. The sweeper skips files
 * with a later time without reading them; for the others the header decides.
 */
export function fileTimeOf({ record }: MarkedSession): number {
  return Math.min(Math.max(0, Math.floor(record.expiresAt / 1000)), LAST_SECOND);
}

function checksum(data: string | Buffer): string {
  return crc32(data).toString(16);
}
