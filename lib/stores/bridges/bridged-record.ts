import type { SessionRecord } from '../../core/session-record';
import { isSessionId } from '../../core/session-token';

/**
 * What was found, if it is a record and nothing else; `null` for what is foreign, broken or of another shape. Others may write
 * where a bridge leads, and what they wrote opens no session.
 */
export function parseRecord(found: unknown): SessionRecord | null {
  if (typeof found !== 'object' || found === null) return null;
  const { id, version, secretHash, principal, expiresAt, body } = found as Record<
    keyof SessionRecord,
    unknown
  >;
  const sound =
    [id, secretHash, body].every((text) => typeof text === 'string') &&
    isSessionId(id as string) &&
    Number.isSafeInteger(version) &&
    Number.isFinite(expiresAt) &&
    (principal === null || typeof principal === 'string');
  return sound ? ({ id, version, secretHash, principal, expiresAt, body } as SessionRecord) : null;
}
