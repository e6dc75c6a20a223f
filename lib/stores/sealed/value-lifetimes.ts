import { decodeFacts } from '../../core/session-body';
import { expiryOf, type Lifespan } from '../../core/session-expiry';
import type { SessionRecord } from '../../core/session-record';
import type { SessionSettings } from '../../core/session-settings';
import type { SessionState } from '../../core/session-state';

/** Whether one of the two limits comes earlier in `limits` than in `others`. */
export function isShorter(limits: Lifespan, others: Lifespan): boolean {
  const { deadline, idleTimeout } = limits;
  return deadline < others.deadline || (idleTimeout ?? Infinity) < (others.idleTimeout ?? Infinity);
}

/**
 * Whether a visitor's session with these limits can outlast one with the configured timeouts. If not, it does at no later time either: both
 * of its ends come nearer.
 */
export function isUnusual(limits: Lifespan, settings: SessionSettings, now: number): boolean {
  return expiryOf(limits, now) > usualExpiry(settings, now);
}

/**
 * Returns when the last value of a session expires, of those with the secret of this one and of those that are made now, in epoch
 * milliseconds. `Infinity` when that is unknown: for a login, and when this value has expired, so that its renewal may be forgotten.
 *
 * A visitor's value expires at its deadline, or an idle timeout after it was made, and `now` is the latest time at which one was made. But a
 * concurrent request may have given its own value other limits than this one has. Shorter limits renew the secret. Longer limits are
 * within the configured timeouts, or the list has an entry that lasts until their deadline.
 */
export function lastExpiryOf(record: SessionRecord, settings: SessionSettings, now: number): number {
  if (record.principal !== null || record.expiresAt <= now) return Infinity;
  try {
    return Math.max(expiryOf(decodeFacts(record.body), now), usualExpiry(settings, now));
  } catch {
    return Infinity;
  }
}

/**
 * The instant that tells whether a session was revoked with its principal: its login, or when it stayed while all others were ended. A
 * sealed session has no history of secrets, and keeps the latter in its place.
 */
export function standsSince({ startedAt, secrets }: SessionState): number {
  return Math.max(startedAt, secrets.issuedAt);
}

function usualExpiry({ timeouts: { lifetime, idleTimeout } }: SessionSettings, now: number): number {
  return expiryOf({ deadline: now + lifetime, idleTimeout }, now);
}
