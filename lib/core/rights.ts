import { principalKey, type Principal } from './principal';

/**
 * What a login has proved: which principal uses the session, since when, and how. When a request changes the rights of a session, the others
 * that are under way keep those that they began with.
 */
export interface Rights {
  /** The principal, also while the login is pending. */
  readonly principal: Principal | null;
  /** Time of the last proof: epoch milliseconds, or `null` without a login. */
  readonly authenticatedAt: number | null;
  /** How the principal was authenticated: methods such as `pwd` and `otp` (RFC 8176). */
  readonly amr: readonly string[];
  /** How well the principal was authenticated; `0` without a login. */
  readonly level: number;
  /** Whether a further factor is due, so that this is no login yet. */
  readonly isPending: boolean;
  /** The principal who acts as `principal`, with what is set aside until that ends; `null` when a principal acts as itself. */
  readonly actor: Actor | null;
}

/** The session of a principal who acts as another one, as it was before. */
export interface Actor {
  readonly principal: Principal;
  readonly amr: readonly string[];
  readonly level: number;
  /** The data, constants, flash messages and grants, encoded. */
  readonly content: string;
}

const NO_METHODS: readonly string[] = Object.freeze([]);

/** The rights without a login. */
export const NO_RIGHTS: Rights = Object.freeze({
  principal: null,
  authenticatedAt: null,
  amr: NO_METHODS,
  level: 0,
  isPending: false,
  actor: null,
});

/** The level of a login that names none. */
export const DEFAULT_LEVEL = 1;

/** Returns the rights in an object that has more. */
export function rightsIn({ principal, authenticatedAt, amr, level, isPending, actor }: Rights): Rights {
  return { principal, authenticatedAt, amr, level, isPending, actor };
}

/** Returns `realm:id` of the principal to whom the session belongs: the one who has logged in, also while acting as another one. */
export function ownerOf({ principal, actor }: Pick<Rights, 'principal' | 'actor'>): string | null {
  const owner = actor?.principal ?? principal;
  return owner === null ? null : principalKey(owner);
}
