import type { Principal } from './principal';

/** How many sessions a principal may have, and what happens beyond that. */
export interface SessionLimit {
  /** Returns a whole number from 1, or `Infinity`. */
  readonly max: (principal: Principal) => number | Promise<number>;
  readonly policy: LimitPolicy;
}

/**
 * What happens at a login beyond the limit. `evict-oldest` ends the sessions whose logins are the longest ago, `evict-idle` those that were
 * not used for the longest time, `refuse` refuses the login.
 */
export type LimitPolicy = 'evict-oldest' | 'evict-idle' | 'refuse';

/** The settings of logins. Durations are in milliseconds. */
export interface LoginSettings {
  /** Lifetime of a login until its further factor is proved. */
  readonly pendingLifetime: number;
  /** Whether reaching the idle timeout locks a login until it is proved again, instead of ending it. */
  readonly locksWhenIdle: boolean;
  /** `null` for any number of sessions. */
  readonly limit: SessionLimit | null;
}

export const DEFAULT_LOGIN_SETTINGS: LoginSettings = {
  pendingLifetime: 600_000,
  locksWhenIdle: false,
  limit: null,
};
