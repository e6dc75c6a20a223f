import type { SessionRecord } from '../../core/session-record';
import { isSessionId, type SecretHash } from '../../core/session-token';

/** The text that is sealed: a line `id secretHash version issuedAt expiresAt`, then the body. */
export function toSealedText(
  { id, secretHash, version, expiresAt, body }: SessionRecord,
  issuedAt: number,
): string {
  return `${id} ${secretHash} ${version} ${issuedAt} ${expiresAt}\n${body}`;
}

const HASH_AT = 23;
const VERSION_AT = 67;

/**
 * Returns the record, or `null` when the text is malformed. The record's `principal` is `null`; the body has it.
 * @param longest maximum lifetime after `issuedAt`, in milliseconds; overrides a later `expiresAt`
 */
export function fromSealedText(text: string, longest: number): SessionRecord | null {
  const end = text.indexOf('\n');
  const id = text.slice(0, HASH_AT - 1);
  if (!isSessionId(id) || text[HASH_AT - 1] !== ' ' || text[VERSION_AT - 1] !== ' ') return null;
  const issuedAt = text.indexOf(' ', VERSION_AT) + 1;
  const expiresAt = text.indexOf(' ', issuedAt) + 1;
  const record: SessionRecord = {
    id,
    version: Number(text.slice(VERSION_AT, issuedAt)),
    secretHash: text.slice(HASH_AT, VERSION_AT - 1) as SecretHash,
    principal: null,
    expiresAt: Math.min(
      Number(text.slice(expiresAt, end)),
      Number(text.slice(issuedAt, expiresAt)) + longest,
    ),
    body: text.slice(end + 1),
  };
  return Number.isFinite(record.version + record.expiresAt) ? record : null;
}
