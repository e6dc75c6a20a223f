import { reasonOfEnd, type EndReason } from './ended-session';
import type { SessionRecord } from './session-record';
import type { SessionRepository } from './session-repository';
import type { SessionId } from './session-token';

/** Each round finds sessions that logged in since the previous one, and those that changed during it. */
const MAX_ROUNDS = 10;

/** Each attempt finds a session that another request wrote to since. */
const MAX_ATTEMPTS = 10;

/** How many sessions are ended at once. */
const ENDS_AT_ONCE = 10;

/**
 * Ends the sessions of a principal but for one. Ends them as they were found, so that one that another principal has by now stays. Returns
 * whether none is left: sessions may keep changing.
 * @param end returns `false` when the session has changed
 */
export async function endOthers(
  find: () => Promise<SessionRecord[]>,
  kept: SessionId | null,
  end: (record: SessionRecord) => Promise<unknown>,
): Promise<boolean> {
  for (let round = 1; round <= MAX_ROUNDS; round++) {
    const others = (await find()).filter(({ id }) => id !== kept);
    if (others.length === 0) return true;
    for (let start = 0; start < others.length; start += ENDS_AT_ONCE)
      await Promise.all(others.slice(start, start + ENDS_AT_ONCE).map(end));
  }
  return false;
}

/**
 * Ends a session of a principal that was found in a list, also when it was written to since: a list may be older than the store's `find`. When
 * other requests keep writing first, removes it without a reason: who has a copy of its token must not keep it alive by writing to it.
 * @param isStill whether a session that was written to since is still to be ended
 * @returns `over` when it has ended already, or is another principal's by now; `left` when it is not to be ended any more
 */
export async function endLatest(
  repository: Pick<SessionRepository, 'endAs' | 'end' | 'get'>,
  record: SessionRecord,
  reason: EndReason,
  isStill: (found: SessionRecord) => boolean = () => true,
): Promise<'ended' | 'over' | 'left'> {
  let latest = record;
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    if (await repository.endAs(latest, reason)) return 'ended';
    const found = await repository.get(record.id);
    if (found === null || found.principal !== record.principal || reasonOfEnd(found) !== null) return 'over';
    if (!isStill(found)) return 'left';
    latest = found;
  }
  await repository.end(latest);
  return 'ended';
}
