import type { SessionRecord } from '../../core/session-record';
import type { SessionStore, StoreCall } from '../../core/session-store';

/** Maximum number of attempts; each fails because the durable tier changed between a read and the following write. */
const MAX_ATTEMPTS = 5;

/** The outcome of a late write; `superseded` when the durable tier has a newer record of the same generation. */
export type LateWrite = 'written' | 'superseded' | 'refused';

/** Whether two records have the same secret and principal. A renewal of the token, a login and a logout each begin a new generation. */
export function isSameGeneration(a: SessionRecord, b: SessionRecord): boolean {
  return a.secretHash === b.secretHash && a.principal === b.principal;
}

/**
 * Writes a record to the durable tier, which may lack earlier versions of it, because only the fast tier has acknowledged them. Never
 * creates a record, and never overwrites another generation or a newer version.
 *
 * @param expectedVersion the version that the durable tier is expected to have
 * @param base the record that was read before this one was made, or the record itself
 * @returns `'refused'` when the session is deleted or renewed, or another change has this version. Only `'written'` has written anything
 */
export async function writeLate(
  durable: SessionStore,
  record: SessionRecord,
  expectedVersion: number,
  base: SessionRecord,
  call: StoreCall,
): Promise<LateWrite> {
  for (let attempt = 0, expected = expectedVersion; attempt < MAX_ATTEMPTS; attempt++) {
    if (await write(durable, record, expected, call)) return 'written';
    const found = await durable.find(record.id, call);
    if (found === null || !isSameGeneration(found, base)) return 'refused';
    if (found.version > base.version) return 'superseded';
    // The fast tier had lost the session, and another change took this version.
    if (found.version === record.version && found.body !== record.body) return 'refused';
    expected = found.version;
  }
  return 'superseded';
}

/** When the durable tier already has this version, only the expiry changes. */
function write(
  durable: SessionStore,
  record: SessionRecord,
  expected: number,
  call: StoreCall,
): Promise<boolean> {
  const { id, version, expiresAt } = record;
  return version === expected
    ? durable.extend(id, expected, expiresAt, call)
    : durable.update(record, expected, call);
}
