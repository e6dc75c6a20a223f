import type { SessionRecord } from '../../core/session-record';
import type { SessionStore, StoreCall } from '../../core/session-store';
import type { PrincipalIndexedStore } from '../../core/store-capabilities';
import { newToken } from '../../core/session-token';
import { SessionError } from '../../core/session.errors';

/** Each round finds sessions that logged in since the previous one, and those that changed during it. */
const MAX_ROUNDS = 10;

/** How many sessions are removed at once. */
const REMOVALS_AT_ONCE = 10;

/**
 * Removes the sessions of a principal one by one. The durable store's `deleteByPrincipal` does not return which sessions it removed, and so
 * which copies to remove: a session may have logged in between finding and removing.
 * @param tiers removes a session and its copy
 * @throws SessionError `SESSION_CONFLICT` when sessions may be left, because they kept changing
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
    `The sessions of a principal kept changing: ${removed} are removed, and some may be left. Try again.`,
  );
}

/** Replaces the secret of the version that was found before it deletes, so that a session with another principal by now is kept. */
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
