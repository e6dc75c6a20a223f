import { takeBack } from './draft-undo';
import type { SessionDraft } from './session-draft';

/** Records that something is taken out of a session. Returns `null` when it is not there, else a function that tells what was found in the end. */
export type Taking<T> = (draft: SessionDraft) => (() => T | null) | null;

/**
 * Takes something out of a session: of any number of concurrent requests, exactly one gets it, and the others `null`. It may be lost when the
 * commit fails.
 * @param commit commits the session, and delivers the outcome
 * @throws what `commit` throws
 */
export async function takeOut<T>(
  draft: SessionDraft,
  taking: Taking<T>,
  commit: () => Promise<unknown>,
): Promise<T | null> {
  const found = taking(draft);
  if (found === null) return null;
  const { lineage } = draft;
  try {
    await commit();
  } catch (error) {
    if (draft.base === null) draft.drop('take');
    else takeBack(draft, draft.base, 'take');
    throw error;
  }
  // A login that lost to another one has continued as another session, with a copy of the data.
  return !draft.superseded && draft.lineage === lineage ? found() : null;
}
