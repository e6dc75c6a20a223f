import { UnreadableBody } from './session-body';
import type { SessionRecord } from './session-record';
import type { SessionRepository } from './session-repository';
import type { SessionId } from './session-token';
import { tooManyConflicts } from './session.errors';

/** Each round finds sessions that logged in since the previous one, and those that changed during it. */
const MAX_ROUNDS = 10;

/** How many sessions are ended at once. */
const ENDS_AT_ONCE = 10;

/**
 * Ends the sessions of a principal but for one. Ends them as they were found, so that one that another principal has by now stays.
 * @throws SessionError `SESSION_CONFLICT` when sessions may be left, because they kept changing
 */
export async function endOthers(
  find: () => Promise<SessionRecord[]>,
  kept: SessionId,
  repository: SessionRepository,
): Promise<void> {
  const end = (record: SessionRecord): Promise<unknown> =>
    repository.endUnchanged(record).catch((error: unknown) => {
      if (error instanceof UnreadableBody) return repository.end(record);
      throw error;
    });
  for (let round = 1; round <= MAX_ROUNDS; round++) {
    const others = (await find()).filter(({ id }) => id !== kept);
    if (others.length === 0) return;
    for (let start = 0; start < others.length; start += ENDS_AT_ONCE)
      await Promise.all(others.slice(start, start + ENDS_AT_ONCE).map(end));
  }
  throw tooManyConflicts(MAX_ROUNDS);
}
