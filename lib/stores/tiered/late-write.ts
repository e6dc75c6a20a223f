import type { SessionRecord } from '../../core/session-record';
import type { SessionStore, StoreCall } from '../../core/session-store';

/** How often the durable tier may have moved on between a read and the write after it. */
const MAX_ATTEMPTS = 5;

/** What became of a late write; `superseded` when the durable tier has something newer of the same line. */
export type LateWrite = 'written' | 'superseded' | 'refused';

/** Whose data it is: a renewal of the token, a login and a logout begin a new line, and each ends the one before. */
export function isSameGeneration(a: SessionRecord, b: SessionRecord): boolean {
  return a.secretHash === b.secretHash && a.principal === b.principal;
}

/**
 * Brings the durable tier to a record that it does not know the predecessor of, because data changes of the same line were acknowledged
 * by the fast tier alone. Never creates, and never writes over another line or over something newer.
 *
 * @param expectedVersion what the durable tier has, as far as is known
 * @param line the record that was read before this one was made, or the record itself
 * @returns `'refused'` when the session is gone, renewed, or another change got this version. Unless `'written'` nothing was
 */
export async function writeLate(
  durable: SessionStore,
  record: SessionRecord,
  expectedVersion: number,
  line: SessionRecord,
  call: StoreCall,
): Promise<LateWrite> {
  for (let attempt = 0, expected = expectedVersion; attempt < MAX_ATTEMPTS; attempt++) {
    if (await write(durable, record, expected, call)) return 'written';
    const found = await durable.find(record.id, call);
    if (found === null || !isSameGeneration(found, line)) return 'refused';
    if (found.version > line.version) return 'superseded';
    // The fast tier had lost the session.
    if (found.version === record.version && found.body !== record.body) return 'refused';
    expected = found.version;
  }
  return 'superseded';
}

/** A record of a version that is there already only moves the expiry. */
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
