/** Every rule about time, as arithmetic on epoch milliseconds. */

/** The two ends of a session. */
export interface Lifespan {
  /** The absolute end, in epoch milliseconds. */
  readonly deadline: number;
  /** How long it may rest between two requests, in milliseconds; `null` when it may rest until its deadline. */
  readonly idleTimeout: number | null;
}

/** Lengths of a session of one kind, in milliseconds. */
export interface Timeouts {
  readonly lifetime: number;
  readonly idleTimeout: number | null;
}

/** An idle timeout is extended when a tenth of it has passed, so that a busy session is not written at every request. */
const EXTEND_AFTER = 0.1;

/** How little is left of an idle timeout when it is extended at the beginning of a request, in milliseconds: five minutes. */
const NEARLY = 300_000;

/** The instant from which a session seen `now` is dead: the earlier of its two ends. */
export function expiryOf({ deadline, idleTimeout }: Lifespan, now: number): number {
  return idleTimeout === null ? deadline : Math.min(deadline, now + idleTimeout);
}

/**
 * The new expiry when it is worth a write, else `null`. It never shortens a life, and brings nothing back that has expired.
 * @param judgedAt the instant at which the session must be alive; by default `now`
 */
export function extensionOf(
  lifespan: Lifespan,
  expiresAt: number,
  now: number,
  judgedAt = now,
): number | null {
  if (lifespan.idleTimeout === null || expiresAt <= judgedAt) return null;
  const next = expiryOf(lifespan, now);
  return next - expiresAt > lifespan.idleTimeout * EXTEND_AFTER ? next : null;
}

/** When a session was last seen, as far as its record tells: writes note it, extensions only move the expiry. */
export function lastSeenOf({ deadline, idleTimeout }: Lifespan, expiresAt: number, notedAt: number): number {
  return idleTimeout === null || expiresAt >= deadline ? notedAt : Math.max(notedAt, expiresAt - idleTimeout);
}

/** Whether so little is left of the idle timeout that the session could end while the request is under way that found it. */
export function isNearlyIdle({ deadline, idleTimeout }: Lifespan, expiresAt: number, now: number): boolean {
  return idleTimeout !== null && expiresAt < deadline && expiresAt - now < Math.min(idleTimeout / 2, NEARLY);
}
