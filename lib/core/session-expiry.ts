/** All rules about the expiry of sessions. Pure functions of epoch milliseconds. */

/** The two limits of a session. */
export interface Lifespan {
  /** The absolute limit, in epoch milliseconds. */
  readonly deadline: number;
  /** Maximum time between two requests, in milliseconds; `null` for no limit before the deadline. */
  readonly idleTimeout: number | null;
  /** Whether reaching the idle timeout only locks the login, until the deadline. @default false */
  readonly isLocking?: boolean;
}

interface Idling extends Required<Lifespan> {
  readonly lastSeenAt: number;
}

/** The configured timeouts, in milliseconds. */
export interface Timeouts {
  readonly lifetime: number;
  readonly idleTimeout: number | null;
}

/** The part of an idle timeout after which it is extended, so that not every request writes. */
const EXTEND_AFTER = 0.1;

/** Remaining idle time below which a session is extended at the beginning of a request, in milliseconds: five minutes. */
const SOON = 300_000;

/** Returns when a session used `now` expires: at the earlier of its two limits. */
export function expiryOf({ deadline, idleTimeout, isLocking }: Lifespan, now: number): number {
  return idleTimeout === null || isLocking ? deadline : Math.min(deadline, now + idleTimeout);
}

/**
 * Returns the new expiry, or `null` when it is not worth a write. It is never earlier than before, and never set on an expired session.
 * @param asOf the instant at which the session must not have expired; by default `now`
 */
export function extensionOf(lifespan: Lifespan, expiresAt: number, now: number, asOf = now): number | null {
  if (lifespan.idleTimeout === null || lifespan.isLocking || expiresAt <= asOf) return null;
  const next = expiryOf(lifespan, now);
  return next - expiresAt > lifespan.idleTimeout * EXTEND_AFTER ? next : null;
}

/** Returns when a session was last used. Writes record it; after an extension it is computed from the expiry. */
export function lastSeenOf(lifespan: Lifespan, expiresAt: number, notedAt: number): number {
  const { deadline, idleTimeout, isLocking } = lifespan;
  return idleTimeout === null || isLocking || expiresAt >= deadline
    ? notedAt
    : Math.max(notedAt, expiresAt - idleTimeout);
}

/** Returns when the idle timeout of a session that it only locks is reached; `null` for other sessions. */
export function lockOf({ isLocking, idleTimeout, lastSeenAt }: Idling): number | null {
  return isLocking && idleTimeout !== null ? lastSeenAt + idleTimeout : null;
}

/** Whether the idle timeout of a session that it only locks is reached. */
export function isIdle(session: Idling, now: number): boolean {
  return now >= (lockOf(session) ?? Infinity);
}

/**
 * Whether the last use of such a session is long enough ago to be written: its expiry does not tell it.
 * @param notedAt time of the last use that this request has written
 */
export function isUseDue(session: Idling, notedAt: number, now: number): boolean {
  const { isLocking, idleTimeout, lastSeenAt } = session;
  return (
    isLocking && idleTimeout !== null && now - Math.max(lastSeenAt, notedAt) > idleTimeout * EXTEND_AFTER
  );
}

/** Whether so little idle time remains that the session could expire during the current request. */
export function isNearlyIdle({ deadline, idleTimeout }: Lifespan, expiresAt: number, now: number): boolean {
  return idleTimeout !== null && expiresAt < deadline && expiresAt - now < Math.min(idleTimeout / 2, SOON);
}
