import { randomText } from './random-text';
import { decodeValue } from './session-body';
import type { SessionDraft } from './session-draft';
import type { LoginState, SessionState } from './session-state';

/** States that are not taken are forgotten beyond this number, those first that end first. */
const MAX_STATES = 10;

const HANDLE_BYTES = 24;

/** Returns a handle of a state that cannot be guessed. */
export function newHandle(): string {
  return randomText(HANDLE_BYTES);
}

/**
 * Keeps what a login at another site needs when the browser comes back. Returns a random handle, which the site gives back.
 * @param provider the site, which alone may give the handle back
 * @param validFor in milliseconds
 * @param handle a random one of the caller
 * @throws SessionValueError; what a change of a session throws
 */
export function keepState(
  draft: SessionDraft,
  provider: string,
  value: unknown,
  validFor: number,
  handle = newHandle(),
): string {
  const text = draft.values.encode('state', value);
  const now = draft.settings.clock();
  draft.record('data', (state) => {
    const valid = Object.entries(state.own.states ?? {})
      .filter(([, { until }]) => until > now)
      .sort(([, a], [, b]) => a.until - b.until);
    const states = Object.fromEntries(valid.slice(1 - MAX_STATES));
    states[handle] = { provider, until: now + validFor, value: text };
    state.own = { ...state.own, states };
  });
  return handle;
}

/**
 * Records that a state is taken out. Returns `null` when there is none of this handle and provider.
 * @returns a function that tells, after the commit, whether this request got the state, and its value
 */
export function takeOutState(
  draft: SessionDraft,
  provider: string,
  handle: string,
): (() => { readonly value: unknown } | null) | null {
  const { clock, codec } = draft.settings;
  const findIn = (state: SessionState): LoginState | null => {
    const found = state.own.states?.[handle];
    return found?.provider === provider && found.until > clock() ? found : null;
  };
  if (findIn(draft.state) === null) return null;
  let found: LoginState | null = null;
  draft.record('take', (state) => {
    found = findIn(state);
    const { [handle]: _, ...states } = state.own.states ?? {};
    state.own = { ...state.own, states };
  });
  return () => found && { value: decodeValue(found.value, codec) };
}
