import type { LimitPolicy, LoginSettings, SessionLimit } from './core/login-settings';
import type { Principal } from './core/principal';
import type { DeviceDescription } from './requests/client-device';
import type { Authorize } from './requests/session-instance';
import type { Duration } from './durations';

/** Options of `SessionModule.forRoot` about logins. */
export interface LoginModuleOptions {
  /**
   * How many sessions one principal may be logged in to: a whole number from 1, or a function of the principal that returns one, or `Infinity`
   * for no limit. The function is called once for each login; when it fails, the login is refused. Needs a store that finds sessions by
   * principal. Pending logins do not count. All instances on one store count together.
   * @default no limit
   */
  readonly maxSessionsPerPrincipal?: number | ((principal: Principal) => number | Promise<number>);
  /**
   * What happens at a login beyond the limit: `evict-oldest` ends the session with the oldest login, `evict-idle` the one that was not used for
   * the longest time, `refuse` refuses the login with `SESSION_LIMIT_REACHED` (403). Of logins at the same moment, any may be refused;
   * `refuse` ends no session. A session whose client lost its cookie counts until it expires.
   * @default 'evict-oldest'
   */
  readonly onLimit?: LimitPolicy;
  /** Lifetime of a login with `pending: true` until its further factor is proved. @default '10m' */
  readonly pendingLifetime?: Duration;
  /**
   * What happens to a login when its idle timeout is reached. `end` ends the session. `lock` keeps it until its lifetime ends: no guard takes
   * it for a login until `elevate` or `login` proves the principal again, and its data stays.
   * @default 'end'
   */
  readonly onIdle?: 'end' | 'lock';
  /**
   * Whether a login notes the client in `session.device`: with `true` a label such as "Firefox on Windows", made by `bowser` if it is
   * installed, and the client's address; or a function that returns the label. This is personal data.
   * @default false
   */
  readonly devices?: boolean | DeviceDescription;
  /**
   * Asked by `AuthGuard` after the login and the roles, for permissions or tenants: `false` is answered with 403 `NOT_AUTHORIZED`.
   * @default every principal with the required role is allowed
   */
  readonly authorize?: Authorize;
}

/** The keys of {@link LoginModuleOptions}. */
export const LOGIN_OPTIONS: Record<keyof LoginModuleOptions, true> = {
  maxSessionsPerPrincipal: true,
  onLimit: true,
  pendingLifetime: true,
  onIdle: true,
  devices: true,
  authorize: true,
};

const LIMIT_POLICIES: readonly LimitPolicy[] = ['evict-oldest', 'evict-idle', 'refuse'];

/**
 * Fills in the defaults, and returns a message for each invalid option.
 * @param duration returns a duration in milliseconds, and reports an invalid one itself
 * @param show returns a value as a message shows it
 */
export function resolveLogins(
  options: LoginModuleOptions,
  duration: (option: string, value: Duration) => number,
  show: (value: unknown) => string,
): { readonly logins: LoginSettings; readonly problems: string[] } {
  const {
    maxSessionsPerPrincipal: max,
    onLimit = 'evict-oldest',
    onIdle = 'end',
    devices,
    authorize,
  } = options;
  const problems: string[] = [];
  const isCount = typeof max === 'number' && Number.isSafeInteger(max) && max >= 1;
  if (max !== undefined && !isCount && typeof max !== 'function')
    problems.push(`maxSessionsPerPrincipal must be a whole number from 1 or a function, got ${show(max)}`);
  if (!LIMIT_POLICIES.includes(onLimit))
    problems.push(`onLimit must be one of ${LIMIT_POLICIES.join(', ')}, got ${show(onLimit)}`);
  if (options.onLimit !== undefined && max === undefined)
    problems.push('onLimit needs maxSessionsPerPrincipal');
  if (onIdle !== 'end' && onIdle !== 'lock')
    problems.push(`onIdle must be 'end' or 'lock', got ${show(onIdle)}`);
  if (devices !== undefined && typeof devices !== 'boolean' && typeof devices !== 'function')
    problems.push(`devices must be true, false or a function, got ${show(devices)}`);
  if (authorize !== undefined && typeof authorize !== 'function')
    problems.push(`authorize must be a function, got ${show(authorize)}`);
  const limit: SessionLimit | null =
    max === undefined ? null : { max: typeof max === 'function' ? max : () => max, policy: onLimit };
  const pendingLifetime = duration('pendingLifetime', options.pendingLifetime ?? 600_000);
  return { logins: { pendingLifetime, locksWhenIdle: onIdle === 'lock', limit }, problems };
}
