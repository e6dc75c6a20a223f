import type { SessionRecord } from '../../core/session-record';
import type { PrincipalIndexedStore, SessionStore, StoreCall } from '../../core/session-store';
import { newToken } from '../../core/session-token';
import { SessionError } from '../../core/session.errors';

/** Each round finds what has logged in since the one before, and what somebody wrote to meanwhile. */
const MAX_ROUNDS = 10;

/** How many are removed at a time. */
const REMOVALS_AT_ONCE = 10;

/**
 * Removes the sessions of a principal one by one: the durable store's own way would not tell whose copies have to go, since a session
 * may have been logged in between finding them and removing them.
 * @param tiers removes a session with its copy
 * @throws SessionError `SESSION_CONFLICT` when sessions are left, because others kept writing to them
 */
export async function removeByPrincipal(
  durable: SessionStore & PrincipalIndexedStore,
  tiers: SessionStore,
  principal: string,
  call: StoreCall,
): Promise<number> {
  let removed = 0;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const found = await durable.findByPrincipal(principal, call);
    if (found.length === 0) return removed;
    for (let start = 0; start < found.length; start += REMOVALS_AT_ONCE) {
      const removals = found
        .slice(start, start + REMOVALS_AT_ONCE)
        .map((record) => remove(durable, tiers, record, call));
      removed += (await Promise.all(removals)).filter(Boolean).length;
    }
  }
  throw new SessionError(
    'SESSION_CONFLICT',
    `Others kept writing to the sessions of a principal: ${removed} are removed, and some may be left. Try again.`,
  );
}

/** Locks it as it was found, so that nobody's goes who is somebody else by now. */
async function remove(
  durable: SessionStore,
  tiers: SessionStore,
  record: SessionRecord,
  call: StoreCall,
): Promise<boolean> {
  const { id, version } = record;
  const { secretHash } = newToken(id, 'tiered');
  if (!(await durable.update({ ...record, version: version + 1, secretHash }, version, call))) return false;
  await tiers.delete(id, call);
  return true;
}
