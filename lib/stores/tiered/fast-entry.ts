import { randomInt } from 'node:crypto';
import type { SessionRecord } from '../../core/session-record';
import type { SecretHash, SessionId } from '../../core/session-token';

/** What the durable tier said of a session at `madeAt`, in epoch milliseconds; in write-behind mode perhaps with newer data. */
export interface Copy {
  readonly kind: 'copy';
  readonly record: SessionRecord;
  readonly madeAt: number;
}

/** Somebody keeps others from putting a copy there: who is reading the durable tier, or who is writing to it. */
export interface Reservation {
  readonly kind: 'reserved';
  readonly by: 'reader' | 'writer';
  readonly version: number;
  /** What it was laid over. Good until the write is acknowledged, and then it is gone. */
  readonly copy: Copy | null;
}

/** What the fast tier holds of a session: nothing, a copy, a reservation, or what is not to be believed any more and may be replaced. */
export type FastEntry =
  { readonly kind: 'empty' } | { readonly kind: 'stale'; readonly version: number } | Copy | Reservation;

/** Which copies are believed: those made from `since` on, none older than `maxAge`, and none whose session a sweeper has taken for dead. */
export interface CopyValidity {
  readonly since: number;
  readonly maxAge: number;
  readonly clockSkew: number;
  /** The latest instant that a sweep was told. */
  readonly sweptAt: number;
}

/** How long a reservation holds when whoever made it is never heard of again, in milliseconds. */
const RESERVATION_TIME = 5_000;

/** A reservation stands for no secret. */
const NO_SECRET = 'A'.repeat(43) as SecretHash;

/** Above any version that a session will have, and exact however a store keeps it: Lua prints no more than 14 digits. */
const FIRST_STAMP = 2 ** 32;
const LAST_STAMP = 2 ** 46;

const COPY = /^([^,]+),([^,]+),(\d*),/;
const RESERVED = /^(reader|writer)(?: (\d+) )?/;

/**
 * A record that holds a copy. It has the version of its session, so that whoever writes the next one can replace it if nobody else
 * has. The principal is kept inside, since nobody looks for copies by it.
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

/** A record that reserves an entry. Its version is drawn, so that no reservation is taken for another. */
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

/** What a record of the fast tier means. */
export function decodeEntry(found: SessionRecord | null, now: number, validity: CopyValidity): FastEntry {
  if (found === null) return { kind: 'empty' };
  const stale: FastEntry = { kind: 'stale', version: found.version };
  const reserved = RESERVED.exec(found.body);
  if (reserved === null) return decodeCopy(found, now, validity) ?? stale;
  // A clock that has stepped back makes a reservation last no longer.
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
  // What says that its session is dead is not believed either: it may have been extended since.
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
