import { principalKey, toPrincipal, toRoles, type PrincipalInput } from './principal';
import type { ConstantValues } from './session-data';
import type { SessionDraft } from './session-draft';
import { getOwn, setOwn } from './session-state';
import { SessionError } from './session.errors';

/** Options of `login`. */
export interface LoginOptions {
  /**
   * Keeps the session across a restart of the browser, with the instance's `rememberMe` timeouts.
   * @default false
   */
  readonly rememberMe?: boolean;
  /**
   * Keeps the data set before the login. Data of *another* principal is never kept: a login as another principal ends the session
   * and begins a new one.
   * @default true
   */
  readonly keepData?: boolean;
  /** Values that cannot change until logout, read with `session.constant(key)`. */
  readonly constants?: ConstantValues;
}

/** Options of `logout`. */
export interface LogoutOptions {
  /**
   * Keeps the data in an anonymous session with a new token. Otherwise the session ends, and later changes, such as a flash message,
   * create a new one. When another request renews the token concurrently, the session ends in any case: a logout is never lost.
   * @default false
   */
  readonly keepData?: boolean;
}

/** Options of `elevate`. */
export interface Elevation {
  /** The new roles. @default the current roles */
  readonly roles?: readonly string[];
}

/** See `Session.login`. */
export function login(draft: SessionDraft, input: PrincipalInput, options: LoginOptions): void {
  const principal = toPrincipal(input);
  const constants = encodeConstants(draft, options.constants);
  draft.assertWritable();
  if (draft.superseded) {
    draft.superseded = false;
    // A login needs no right to the lost session. Changes of a session that was not stored are this request's own.
    if (draft.base !== null) draft.abandon();
  }
  const before = draft.state.principal;
  if (before !== null && principalKey(before) !== principalKey(principal)) draft.retire('login');
  else assertConstants(draft, constants);

  const { clock, timeouts, rememberedTimeouts } = draft.settings;
  const now = clock();
  const remembered = options.rememberMe ?? false;
  const { lifetime, idleTimeout } = remembered ? rememberedTimeouts : timeouts;
  const keepData = options.keepData ?? true;
  draft.record('login', (state) => {
    if (!keepData) state.data = {};
    Object.assign(state, {
      principal,
      remembered,
      authenticatedAt: now,
      startedAt: now,
      deadline: now + lifetime,
      idleTimeout,
    });
    for (const [key, text] of Object.entries(constants)) setOwn(state.constants, key, text);
  });
  // The id is the one that the session has after the commit.
  draft.announcements.push({
    type: 'loggedIn',
    id: null,
    principal: principalKey(principal),
    reason: null,
  });
}

/** See `Session.logout`. */
export function logout(draft: SessionDraft, { keepData = false }: LogoutOptions): void {
  draft.assertWritable();
  draft.forgetLogins();
  const { id, principal = null } = draft.base ?? draft.endable ?? {};
  if (id !== undefined && principal !== null)
    draft.announcements.push({ type: 'loggedOut', id, principal, reason: 'logout' });
  if (!keepData || draft.endable !== null) return draft.retire('logout');
  if (draft.state.principal === null) return;
  const { timeouts, clock } = draft.settings;
  const now = clock();
  draft.record('logout', (state) => {
    Object.assign(state, {
      principal: null,
      authenticatedAt: null,
      startedAt: state.createdAt,
      constants: {},
      remembered: false,
      deadline: Math.min(state.deadline, now + timeouts.lifetime),
      idleTimeout: timeouts.idleTimeout,
    });
  });
}

/** See `Session.elevate`. */
export function elevate(draft: SessionDraft, { roles }: Elevation): void {
  const { principal } = draft.rights ?? draft.state;
  if (principal === null)
    throw new SessionError('SESSION_NOT_LOGGED_IN', 'elevate() needs a login: call login() first.');
  const given = roles === undefined ? null : toRoles(roles);
  const now = draft.settings.clock();
  draft.record('elevate', (state) => {
    // Roles that another request has given or taken meanwhile are not this request's to give or keep.
    const kept = (state.principal?.roles ?? []).filter((role) => principal.roles.includes(role));
    const elevated = Object.freeze({ ...principal, roles: given ?? Object.freeze(kept) });
    Object.assign(state, { principal: elevated, authenticatedAt: now });
  });
}

function encodeConstants(draft: SessionDraft, constants: ConstantValues = {}): Record<string, string> {
  return Object.fromEntries(
    Object.entries(constants).map(([key, value]) => [key, draft.values.encode(key, value)]),
  );
}

function assertConstants({ state }: SessionDraft, constants: Record<string, string>): void {
  for (const [key, text] of Object.entries(constants)) {
    const fixed = getOwn(state.constants, key);
    if (fixed !== undefined && fixed !== text) {
      throw new SessionError(
        'SESSION_CONSTANT_FIXED',
        `The constant '${key}' already has another value in this login. Log out first.`,
      );
    }
  }
}
