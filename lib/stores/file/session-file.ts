import { crc32 } from 'node:zlib';
import type { SessionRecord } from '../../core/session-record';
import type { SecretHash, SessionId } from '../../core/session-token';

/** The format this release writes. A file of a later one is left alone. */
const FILE_FORMAT = 1;
const NEWLINE = 0x0a;

/** Latest instant that a file's time is set to, in seconds: some file systems end in 2106, and take what is later for long ago. */
const LAST_SECOND = 0xffff_ffff;

/** A session as it lies on disk. */
export interface MarkedSession {
  readonly record: SessionRecord;
  /** Which change made it its principal's: the nonce in the name of its marker. `null` for nobody's. */
  readonly mark: string | null;
}

/** What a session's file holds. */
export type SessionFile =
  | ({ readonly kind: 'live' } & MarkedSession)
  /** Deleted, and about to be unlinked. */
  | ({ readonly kind: 'removed' } & MarkedSession)
  /** Written by a later release. */
  | { readonly kind: 'newer' }
  /** Truncated, damaged, or somebody else's. */
  | { readonly kind: 'unreadable' };

type HeaderFields = [
  id: SessionId,
  version: number,
  expiresAt: number,
  secretHash: SecretHash,
  principal: string | null,
  mark: string | null,
  removed: 0 | 1,
];

/**
 * Three parts: format and checksums, the session's facts as JSON, the body as it is. The facts have a checksum of their own, so that a
 * session whose body was damaged can still be found, reported and removed.
 */
export function encodeFile({ kind, record, mark }: SessionFile & { kind: 'live' | 'removed' }): string {
  const { id, version, expiresAt, secretHash, principal } = record;
  const removed = kind === 'removed';
  const facts: HeaderFields = [id, version, expiresAt, secretHash, principal, mark, removed ? 1 : 0];
  const [head, body] = [JSON.stringify(facts), removed ? '' : record.body];
  return `tessera-session ${FILE_FORMAT} ${checksum(head)} ${checksum(body)}\n${head}\n${body}`;
}

/** A body that is damaged is given as an empty one, which no session has; whoever opens it finds it corrupt. */
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
  const [found, version, expiresAt, secretHash, principal, mark, removed] = facts;
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
  return { kind: removed === 1 ? 'removed' : 'live', record, mark };
}

/**
 * The time to give a session's file, in seconds: its expiry or a little before, never after. It spares the sweeper the reading of
 * files that are not due; what is due is for the facts to say.
 */
export function fileTimeOf({ kind, record }: SessionFile & { kind: 'live' | 'removed' }): number {
  return kind === 'removed' ? 0 : Math.min(Math.max(0, Math.floor(record.expiresAt / 1000)), LAST_SECOND);
}

function checksum(data: string | Buffer): string {
  return crc32(data).toString(16);
}
