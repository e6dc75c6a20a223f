import { endActing } from './acting';
import { endOfPending } from './lifespan';
import { assertOnlyPrincipal, principalKey, toPrincipal, toRoles, type PrincipalInput } from './principal';
import { forgetReads } from './flash-reads';
import { DEFAULT_LEVEL, NO_RIGHTS, ownerOf } from './rights';
import type { ConstantValues } from './session-data';
import type { SessionDraft } from './session-draft';
import type { SessionSettings } from './session-settings';
import { getOwn, setOwn, type OwnValues, type SessionState } from './session-state';
import { SessionError, actingRefused } from './session.errors';

/** The level of a login after its second factor. */
const AFTER_PENDING = 2;

/** How far ahead of ours the clock may be that read `checkedAt`, in milliseconds. */
const MAX_AHEAD = 60_000;

/** The id of the event is the one that the session has after the commit. */
const ANNOUNCED = { id: null, reason: null } as const;

/** How a principal was authenticated. */
export interface Proof {
  /** The methods, such as `pwd`, `otp`, `hwk`: see RFC 8176. @default none; `elevate` adds to those of the login */
  readonly amr?: readonly string[] | undefined;
  /**
   * How well, as a whole number from 1, such as the authentication assurance levels of NIST SP 800-63B. Checked by `@RequireLevel`.
   * @default 1; with `elevate` the present level, at least 2 after a pending login
   */
  readonly level?: number | undefined;
}

/** Options of `login`. */
export interface LoginOptions extends Proof {
  /**
   * Whether a further factor is due. Until `elevate`, the principal is `session.pending` and not `session.principal`, so that no guard
   * takes it for a login, and the session ends after `pendingLifetime`.
   * @default false
   */
  readonly pending?: boolean | undefined;
  /**
   * Keeps the session across a restart of the browser, with the instance's `rememberMe` timeouts.
   * @default false
   */
  readonly rememberMe?: boolean | undefined;
  /**
   * Keeps the data, flash messages and form input from before the login. Data of *another* principal is never kept: a login as another principal ends the session
   * and begins a new one.
   * @default true
   */
  readonly keepData?: boolean | undefined;
  /**
   * When the credentials were checked: epoch milliseconds, read (`sessions.now()`) before the password is. The commit then refuses the login if all sessions of the
   * principal were ended since (`endAll`), or the check is more than an hour old, with `SESSION_LOGIN_OUTDATED`: a login that checked the
   * old password does not survive its change. Clocks of different processes may differ by a second.
   * @default the login is not checked
   */
  readonly checkedAt?: number | undefined;
  /** Values that cannot change until logout, read with `session.constant(key)`. */
  readonly constants?: ConstantValues | undefined;
}

/** Options of `logout`. */
export interface LogoutOptions {
  /**
   * Keeps the data in an anonymous session with a new token. Otherwise the session ends, and later changes, such as a flash message,
   * create a new one. When another request has renewed the token or elevated the session, the session ends in any case: a logout is never lost.
   * @default false
   */
  readonly keepData?: boolean | undefined;
}

/** Options of `elevate`. */
export interface Elevation extends Proof {
  /** The new roles. @default the current roles */
  readonly roles?: readonly string[] | undefined;
}

/** See `Session.login`. */
export function login(draft: SessionDraft, input: PrincipalInput, options: LoginOptions): void {
  const principal = toPrincipal(input);
  assertOnlyPrincipal(input);
  const constants = Object.entries(options.constants ?? {}).map(([key, value]) => {
    return [key, draft.values.encode(key, value)] as const;
  });
  const key = principalKey(principal);
  const { rememberMe: remembered = false, keepData = true, pending: isPending = false } = options;
  const amr = amrOf(options);
  const level = levelOf(options) ?? DEFAULT_LEVEL;
  const checkedAt = checkedAtOf(options, draft.settings.clock());
  draft.assertWritable();
  // If this login is refused, what was changed before it stays.
  draft.noticeMutations();
  if (draft.superseded) {
    draft.superseded = false;
    // A login needs no right to the lost session. Changes of a session that was not stored are this request's own.
    if (draft.base !== null) draft.abandon();
  }
  const before = ownerOf(draft.state);
  if (before !== null && (before !== key || draft.state.actor !== null)) draft.retire('login');
  for (const [key, text] of constants) setConstant({ ...draft.state.constants }, key, text);
  const { settings } = draft;
  const now = settings.clock();
  const device = draft.device();
  const limits = limitsOf(settings, now, remembered, isPending);
  const startedAt = timeOfLogin(settings, now);
  const apply = (state: SessionState): void => {
    const { before = { deadline: state.deadline, hasOwnDeadline: state.hasOwnDeadline } } = state.own;
    if (!keepData) Object.assign(state, { data: {}, messages: [], own: withoutInput(state.own) });
    const rights = { principal, authenticatedAt: now, amr, level, isPending, actor: null };
    Object.assign(state, { ...rights, ...limits, startedAt, device });
    state.own = { ...ownAfter(state.own), ...(isPending && { before }) };
    for (const [key, text] of constants) setConstant(state.constants, key, text);
  };
  const login = checkedAt === null ? {} : { login: { principal: key, checkedAt } };
  const announces = { ...ANNOUNCED, type: isPending ? 'loginPending' : 'loggedIn', principal: key } as const;
  draft.record('login', apply, { ...login, isSignIn: !isPending, announces });
}

type Limits = Pick<
  SessionState,
  'startedAt' | 'deadline' | 'hasOwnDeadline' | 'idleTimeout' | 'isLocking' | 'remembered'
>;

/** When each instance logged in last. */
const lastLogins = new WeakMap<SessionSettings, number>();

/** Returns the time of a login. With a limit of sessions, one of several in the same millisecond gets a later thousandth of it. */
function timeOfLogin(settings: SessionSettings, now: number): number {
  if (settings.logins.limit === null) return now;
  const last = lastLogins.get(settings) ?? -Infinity;
  const isSame = now <= last && Math.floor(now) === Math.floor(last);
  const at = isSame ? last + 0.001 : now;
  lastLogins.set(settings, at);
  return at;
}

/** Returns the timeouts of a login that begins now. */
function limitsOf(settings: SessionSettings, now: number, remembered: boolean, isPending: boolean): Limits {
  const { timeouts, rememberedTimeouts, logins } = settings;
  const { lifetime, idleTimeout } = remembered ? rememberedTimeouts : timeouts;
  const limits = { startedAt: now, hasOwnDeadline: false, remembered };
  if (isPending)
    return { ...limits, deadline: endOfPending(settings, now), idleTimeout: null, isLocking: false };
  return { ...limits, deadline: now + lifetime, idleTimeout, isLocking: logins.locksWhenIdle };
}

/** Returns what the library keeps for a session over a new login: nothing that the former one allowed, or an attacker knows. */
function ownAfter(own: OwnValues): OwnValues {
  const { grants: _grants, csrf: _csrf, deadline: _deadline, before: _before, ...kept } = own;
  return kept;
}

function amrOf({ amr = NO_RIGHTS.amr }: Proof): readonly string[] {
  const isMethod = (method: unknown): boolean => typeof method === 'string' && /^\S{1,32}$/.test(method);
  if (Array.isArray(amr) && amr.length <= 16 && amr.every(isMethod))
    return Object.freeze([...new Set<string>(amr)]);
  throw new SessionError(
    'SESSION_OPTIONS_INVALID',
    'amr must be an array of at most 16 names of methods without spaces, such as ["pwd", "otp"] (RFC 8176).',
  );
}

function levelOf({ level }: Proof): number | null {
  if (level === undefined) return null;
  if (Number.isSafeInteger(level) && level >= 1) return level;
  const message = `level must be a whole number from 1, got ${String(level)}.`;
  throw new SessionError('SESSION_OPTIONS_INVALID', message);
}

/** Where the visitor wanted to go stays: a login is what it waits for. */
function withoutInput({ input: _, ...kept }: OwnValues): OwnValues {
  return kept;
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
    `login({ checkedAt }) must be a past time in epoch milliseconds, got ${String(checkedAt)}: pass sessions.now() as it was before the credentials were checked, or leave it out.`,
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
  // A secret from before the session got more rights must not get the data under a token of its own.
  const mayKeep = draft.endable === null && draft.lent === null && draft.state.actor === null;
  if (!keepData || !mayKeep) return draft.retire('logout');
  if (draft.state.principal === null) return;
  const { timeouts, clock } = draft.settings;
  const latest = clock() + timeouts.lifetime;
  draft.record('logout', (state) => {
    const { createdAt: startedAt, own } = state;
    const { before = state, deadline: set = Infinity } = own;
    const deadline = Math.min(Math.max(before.deadline, state.deadline), set, latest);
    const hasOwnDeadline = before.hasOwnDeadline || state.hasOwnDeadline;
    const login = { ...NO_RIGHTS, device: null, constants: {}, own: {}, remembered: false, isLocking: false };
    Object.assign(state, login, { startedAt, deadline, hasOwnDeadline, idleTimeout: timeouts.idleTimeout });
  });
  forgetReads(draft);
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
export function elevate(draft: SessionDraft, elevation: Elevation): void {
  const { isPending, actor, ...rights } = draft.isLocked ? draft.state : (draft.rights ?? draft.state);
  const principal = actor?.principal ?? rights.principal;
  if (principal === null)
    throw new SessionError('SESSION_NOT_LOGGED_IN', 'elevate() needs a login: call login() first.');
  if (actor !== null && !draft.isLocked)
    throw actingRefused('elevate() is not for who acts as another principal');
  const { roles } = elevation;
  const given = roles === undefined ? null : toRoles(roles);
  const amr = amrOf(elevation);
  const level = levelOf(elevation);
  const reached = afterProof({ level: rights.level, isPending });
  const { settings } = draft;
  const now = settings.clock();
  draft.assertWritable();
  // The lock has ended it, and it is the real principal who proves.
  if (actor !== null) endActing(draft, draft.state);
  const secret = lastFormerOf(draft.state);
  const isCurrent = draft.lent === null;
  const loginAt = isPending ? timeOfLogin(settings, now) : now;
  const apply = (state: SessionState): void => {
    // Without new roles: those of this request that no other request has taken meanwhile. What was not changed with a new token was given to
    // the principal by `setRoles`.
    const isOwn = (role: string): boolean => principal.roles.includes(role);
    const present = state.principal?.roles ?? [];
    const kept = isCurrent && lastFormerOf(state) === secret ? present : present.filter(isOwn);
    const elevated = Object.freeze({ ...principal, roles: given ?? Object.freeze([...kept]) });
    // The same for the level and the methods: an old secret must not get what a newer one has proved.
    const least = Math.min(reached, afterProof(state));
    const proved = state.amr.filter((method) => rights.amr.includes(method));
    // A sealed login may have begun after the present: see its revocations.
    const startedAt = Math.max(loginAt, state.startedAt);
    if (state.isPending) {
      const { hasOwnDeadline, remembered } = state;
      const limits = limitsOf(settings, Math.floor(startedAt), remembered, false);
      // What the application has set meanwhile stays.
      const { deadline = limits.deadline, before: _, ...own } = state.own;
      const idleTimeout = state.idleTimeout ?? limits.idleTimeout;
      Object.assign(state, { ...limits, startedAt, deadline, hasOwnDeadline, idleTimeout, own });
    }
    const proof = { amr: Object.freeze([...new Set([...proved, ...amr])]), level: level ?? least };
    Object.assign(state, { principal: elevated, authenticatedAt: now, isPending: false, ...proof });
  };
  const announces = { ...ANNOUNCED, type: 'loggedIn', principal: principalKey(principal) } as const;
  draft.record('elevate', apply, isPending ? { isSignIn: true, announces } : {});
}

/** Returns what changes with each replacement of the secret. */
function lastFormerOf({ secrets }: SessionState): string | null {
  return secrets.former.at(-1)?.hash ?? null;
}

/** Returns the level after a proof that names none. */
function afterProof({ level, isPending }: Pick<SessionState, 'level' | 'isPending'>): number {
  return isPending ? Math.max(level, AFTER_PENDING) : level;
}
