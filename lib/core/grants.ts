import type { SessionDraft } from './session-draft';
import { getOwn, setOwn, type SessionState } from './session-state';
import { SessionError } from './session.errors';

/** In milliseconds. */
const DEFAULT_VALIDITY = 300_000;

const LONGEST_NAME = 200;

/** Grants that are not used are forgotten beyond this number, those first that end first. */
const MAX_GRANTS = 20;

/** See `Session.grant`. */
export function grant(draft: SessionDraft, operation: string, validFor = DEFAULT_VALIDITY): void {
  assertName(operation);
  if (!Number.isFinite(validFor) || validFor < 1)
    throw new SessionError('SESSION_OPTIONS_INVALID', 'grant() needs a validity in positive milliseconds.');
  const { principal, isPending } = draft.rights ?? draft.state;
  if (principal === null || isPending)
    throw new SessionError('SESSION_NOT_LOGGED_IN', 'grant() needs a login: call login() first.');
  const now = draft.settings.clock();
  draft.record('data', (state) => {
    const valid = Object.entries(state.own.grants ?? {})
      .filter(([name, until]) => until > now && name !== operation)
      .sort(([, a], [, b]) => a - b);
    const grants: Record<string, number> = {};
    for (const [name, until] of valid.slice(1 - MAX_GRANTS)) setOwn(grants, name, until);
    setOwn(grants, operation, now + validFor);
    state.own = { ...state.own, grants };
  });
}

/**
 * Records that a grant is used up. Returns `null` when there is no grant, or when the token of the request is from before the rights changed.
 * @returns a function that tells, after the commit, whether this request got the grant
 */
export function useGrant(draft: SessionDraft, operation: string): (() => boolean) | null {
  assertName(operation);
  if (draft.rights !== null || validUntil(draft.state, operation) <= draft.settings.clock()) return null;
  let isFound = false;
  draft.record('take', (state) => {
    isFound = validUntil(state, operation) > draft.settings.clock();
    const { [operation]: _, ...grants } = state.own.grants ?? {};
    state.own = { ...state.own, grants };
  });
  return () => isFound;
}

function validUntil({ own }: SessionState, operation: string): number {
  return (getOwn(own.grants ?? {}, operation) as number | undefined) ?? -Infinity;
}

function assertName(operation: string): void {
  if (typeof operation === 'string' && operation !== '' && operation.length <= LONGEST_NAME) return;
  throw new SessionError(
    'SESSION_OPTIONS_INVALID',
    `A grant needs the name of an operation of 1 to ${LONGEST_NAME} characters.`,
  );
}
