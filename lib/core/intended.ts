import { isLocalPath } from './local-path';
import type { SessionDraft } from './session-draft';

/** Records where a visitor wanted to go, if it is a path of this site and the session can be changed. */
export function rememberIntended(draft: SessionDraft, path: string): void {
  if (draft.destroyed || draft.sealed || !isLocalPath(path) || draft.state.own.intended === path) return;
  draft.record('data', (state) => (state.own = { ...state.own, intended: path }));
}

/**
 * Records that the path is taken out. Returns `null` when there is none.
 * @returns the path that the operation found, also when it was replayed
 */
export function takeOutIntended(draft: SessionDraft): (() => string | null) | null {
  if (draft.state.own.intended === undefined) return null;
  let found: unknown;
  draft.record('take', (state) => {
    const { intended, ...kept } = state.own;
    found = intended;
    state.own = kept;
  });
  return () => (isLocalPath(found) ? found : null);
}
