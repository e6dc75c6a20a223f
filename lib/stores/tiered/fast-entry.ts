import { randomInt } from 'node:crypto';
import type { SessionRecord } from '../../core/session-record';
import type { SecretHash, SessionId } from '../../core/session-token';

/** A copy of the durable tier's record at `madeAt`, in epoch milliseconds. In write-behind mode it may have newer data. */
export interface Copy {
  readonly kind: 'copy';
  readonly record: SessionRecord;
  readonly madeAt: number;
}

/** Prevents others from storing a copy while a process reads the durable tier or writes to it. */
export interface Reservation {
  readonly kind: 'reserved';
  readonly by: 'reader' | 'writer';
  readonly version: number;
  /** The copy that it replaced. Valid until the write is acknowledged; by then the reservation is replaced. */
  readonly copy: Copy | null;
}

/** The fast tier's entry for a session: empty, a copy, a reservation, or stale. A stale entry may be replaced. */
export type FastEntry =
  { readonly kind: 'empty' } | { readonly kind: 'stale'; readonly version: number } | Copy | Reservation;

/** The copies that are valid: made at `since` or later, at most `maxAge` old, and not expired at the last sweep. */
export interface CopyValidity {
  readonly since: number;
  readonly maxAge: number;
  readonly clockSkew: number;
  /** The latest instant given to a sweep, in epoch milliseconds. */
  readonly sweptAt: number;
}

/** How long a reservation is valid if its process crashes, in milliseconds. */
const RESERVATION_TIME = 5_000;

/** The secret hash of a reservation without a copy; no secret has it. */
const NO_SECRET = 'A'.repeat(43) as SecretHash;

/** Greater than any version of a session, and exact in every store: Lua prints at most 14 digits. */
const FIRST_STAMP = 2 ** 32;
const LAST_STAMP = 2 ** 46;

const COPY = /^([^,]+),([^,]+),(\d*),/;
const RESERVED = /^(reader|writer)(?: (\d+) )?/;

/**
 * The record that stores a copy. It has the session's version, so that the writer of the next version can replace it conditionally. The
 * principal is part of the body, because copies are not searched by principal.
 */
export function encodeCopy(record: SessionRecord, madeAt: number, maxAge: number): SessionRecord {
  const { principal, expiresAt, body } = record;
  const length = principal === null ? '' : principal.length;
  return {
    ...record,
    principal: null,
    expiresAt: Math.min(expiresAt, madeAt + maxAge),
    body: `${madeAt},${expiresAt},${length},${principal ?? ''}${body}`,
  };
}

/** The record of a reservation. Its version is random, so that reservations differ. */
export function encodeReservation(
  id: SessionId,
  by: 'reader' | 'writer',
  seen: FastEntry,
  now: number,
): SessionRecord {
  const under = seen.kind === 'copy' ? encodeCopy(seen.record, seen.madeAt, Infinity) : null;
  return {
    id,
    version: randomInt(FIRST_STAMP, LAST_STAMP),
    secretHash: under?.secretHash ?? NO_SECRET,
    principal: null,
    expiresAt: now + RESERVATION_TIME,
    body: under === null ? by : `${by} ${under.version} ${under.body}`,
  };
}

/** Decodes a record of the fast tier. */
export function decodeEntry(found: SessionRecord | null, now: number, validity: CopyValidity): FastEntry {
  if (found === null) return { kind: 'empty' };
  const stale: FastEntry = { kind: 'stale', version: found.version };
  const reserved = RESERVED.exec(found.body);
  if (reserved === null) return decodeCopy(found, now, validity) ?? stale;
  // A reservation from the future is stale: a clock that stepped back must not prolong it.
  const { expiresAt } = found;
  if (expiresAt <= now || expiresAt > now + RESERVATION_TIME + validity.clockSkew) return stale;
  const [head, by, version] = reserved as unknown as [string, Reservation['by'], string?];
  const covered = { ...found, version: Number(version), body: found.body.slice(head.length) };
  return { kind: 'reserved', by, version: found.version, copy: decodeCopy(covered, now, validity) };
}

function decodeCopy(found: SessionRecord, now: number, validity: CopyValidity): Copy | null {
  const { since, maxAge, clockSkew, sweptAt } = validity;
  const [head, made, expires, length] = COPY.exec(found.body) ?? [];
  if (head === undefined) return null;
  const [madeAt, expiresAt, end] = [Number(made), Number(expires), head.length + Number(length)];
  // A copy of an expired session is stale: the session may have been extended since.
  const isAlive = expiresAt > Math.max(now, sweptAt);
  const isYoung = madeAt >= since && madeAt + maxAge > now && madeAt <= now + clockSkew;
  if (!isAlive || !isYoung) return null;
  const principal = length === '' ? null : found.body.slice(head.length, end);
  return {
    kind: 'copy',
    madeAt,
    record: { ...found, principal, expiresAt, body: found.body.slice(end) },
  };
}
