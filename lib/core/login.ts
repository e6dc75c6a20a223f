import { assertOnlyPrincipal, principalKey, toPrincipal, toRoles, type PrincipalInput } from './principal';
import type { ConstantValues } from './session-data';
import type { SessionDraft } from './session-draft';
import { getOwn, setOwn, type SessionState } from './session-state';
import { SessionError } from './session.errors';

/** How far ahead of ours the clock may be that read `checkedAt`, in milliseconds. */
const MAX_AHEAD = 60_000;

/** Options of `login`. */
export interface LoginOptions {
  /**
   * Keeps the session across a restart of the browser, with the instance's `rememberMe` timeouts.
   * @default false
   */
  readonly rememberMe?: boolean;
  /**
   * Keeps the data and flash messages from before the login. Data of *another* principal is never kept: a login as another principal ends the session
   * and begins a new one.
   * @default true
   */
  readonly keepData?: boolean;
  /**
   * When the credentials were checked: epoch milliseconds, read before the password is. The commit then refuses the login if all sessions of the
   * principal were ended since (`endAll`), or the check is more than an hour old, with `SESSION_LOGIN_OUTDATED`: a login that checked the
   * old password does not survive its change. Clocks of different processes may differ by a second.
   * @default the login is not checked
   */
  readonly checkedAt?: number;
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
  assertOnlyPrincipal(input);
  const constants = Object.entries(options.constants ?? {}).map(([key, value]) => {
    return [key, draft.values.encode(key, value)] as const;
  });
  const key = principalKey(principal);
  const { rememberMe: remembered = false, keepData = true } = options;
  const checkedAt = checkedAtOf(options, draft.settings.clock());
  draft.assertWritable();
  // If this login is refused, what was changed before it stays.
  draft.noticeMutations();
  if (draft.superseded) {
    draft.superseded = false;
    // A login needs no right to the lost session. Changes of a session that was not stored are this request's own.
    if (draft.base !== null) draft.abandon();
  }
  const before = draft.state.principal;
  if (before !== null && principalKey(before) !== key) draft.retire('login');
  for (const [key, text] of constants) setConstant({ ...draft.state.constants }, key, text);
  const { clock, timeouts, rememberedTimeouts } = draft.settings;
  const { lifetime, idleTimeout } = remembered ? rememberedTimeouts : timeouts;
  const now = clock();
  const apply = (state: SessionState): void => {
    if (!keepData) Object.assign(state, { data: {}, messages: [] });
    const limits = {
      startedAt: now,
      deadline: now + lifetime,
      hasOwnDeadline: false,
      idleTimeout,
      remembered,
    };
    Object.assign(state, { principal, authenticatedAt: now, ...limits });
    for (const [key, text] of constants) setConstant(state.constants, key, text);
  };
  draft.record('login', apply, checkedAt === null ? undefined : { principal: key, checkedAt });
  // The id is the one that the session has after the commit.
  const event = { type: 'loggedIn', id: null, reason: null } as const;
  draft.announcements.push({ ...event, principal: key });
}

/** A time ahead of our clock counts as the present, since a revocation from now on must be later. */
function checkedAtOf(options: LoginOptions, now: number): number | null {
  // A time that was kept somewhere and is missing there must not pass for a login without the check.
  if (!('checkedAt' in options)) return null;
  const { checkedAt } = options;
  if (typeof checkedAt === 'number' && Number.isFinite(checkedAt) && checkedAt <= now + MAX_AHEAD)
    return Math.min(checkedAt, now);
  throw new SessionError(
    'SESSION_OPTIONS_INVALID',
    `login({ checkedAt }) must be a past time in epoch milliseconds, got ${String(checkedAt)}: pass Date.now() as it was before the credentials were checked, or leave it out.`,
  );
}

/** See `Session.setConstant`. */
export function setConstant(constants: Record<string, string>, key: string, text: string): void {
  if ((getOwn(constants, key) ?? text) !== text) {
    const message = `The constant '${key}' already has another value in this session. Log out first.`;
    throw new SessionError('SESSION_CONSTANT_FIXED', message);
  }
  setOwn(constants, key, text);
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
  const latest = clock() + timeouts.lifetime;
  draft.record('logout', (state) => {
    const { createdAt: startedAt, deadline } = state;
    const login = { principal: null, authenticatedAt: null, constants: {}, remembered: false };
    const limits = { startedAt, deadline: Math.min(deadline, latest), idleTimeout: timeouts.idleTimeout };
    Object.assign(state, login, limits);
  });
  draft.left = null;
}

/** See `Session.destroy`. */
export function destroy(draft: SessionDraft): void {
  if (draft.destroyed) return;
  draft.assertWritable();
  draft.retire('destroy');
  draft.destroyed = true;
}

/** See `Session.elevate`. */
export function elevate(draft: SessionDraft, { roles }: Elevation): void {
  const { principal } = draft.rights ?? draft.state;
  if (principal === null)
    throw new SessionError('SESSION_NOT_LOGGED_IN', 'elevate() needs a login: call login() first.');
  const given = roles === undefined ? null : toRoles(roles);
  const now = draft.settings.clock();
  draft.record('elevate', (state) => {
    // Without new roles: those of this request that no other request has taken meanwhile.
    const kept = (state.principal?.roles ?? []).filter((role) => principal.roles.includes(role));
    const elevated = Object.freeze({ ...principal, roles: given ?? Object.freeze(kept) });
    Object.assign(state, { principal: elevated, authenticatedAt: now });
  });
}
