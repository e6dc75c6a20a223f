import type { SessionRecord } from '../../core/session-record';
import { isSessionId } from '../../core/session-token';

/**
 * The value as a record; `null` when it is not an object with exactly the types of a record. Other programs may write to the adapted
 * store, and a value of theirs must not open a session.
 */
export function parseRecord(found: unknown): SessionRecord | null {
  if (typeof found !== 'object' || found === null) return null;
  const { id, version, secretHash, principal, expiresAt, body } = found as Record<
    keyof SessionRecord,
    unknown
  >;
  const sound =
    [secretHash, body].every((text) => typeof text === 'string') &&
    isSessionId(id) &&
    Number.isSafeInteger(version) &&
    Number.isFinite(expiresAt) &&
    (principal === null || typeof principal === 'string');
  return sound ? ({ id, version, secretHash, principal, expiresAt, body } as SessionRecord) : null;
}
