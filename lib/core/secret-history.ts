import type { Rights } from './rights';
import { familyOf, sameHash, type ParsedToken, type SecretHash } from './session-token';

/**
 * What replaces a secret. A stricter replacement that follows applies to the older secrets, too. `isolate` is a renewal after which requests
 * under way have no more right to the session than after a login. `act` begins or ends that a principal acts as another one.
 */
const MILDEST_FIRST = ['rotate', 'elevate', 'renew', 'isolate', 'act', 'login', 'logout'] as const;
export type Replacement = (typeof MILDEST_FIRST)[number];

/** A secret that was replaced. Instants are epoch milliseconds. */
export interface FormerSecret {
  /** The first characters of its hash, or {@link FAMILY} and the hash of a family, for all secrets of that family. */
  readonly hash: string;
  readonly by: Replacement;
  readonly at: number;
  /** When its successor was first used. `null` means never: the client may not have received the successor. */
  readonly successorSeenAt: number | null;
  /** The rights of the secret, if the session's rights have changed since. */
  readonly rights: Rights | null;
}

/** The former secrets of a session. The hash of the current secret is in the record. */
export interface SecretHistory {
  /** When the current secret was issued, in epoch milliseconds. */
  readonly issuedAt: number;
  /** The family of the current secret: all that rotated into each other. `null` before the first rotation. */
  readonly family: string | null;
  /** Oldest first. */
  readonly former: readonly FormerSecret[];
}

/** What a request with a given secret may do. */
export type Standing =
  | { readonly kind: 'current' }
  /** May use the session, with `rights` if they have changed since. If `isUnanswered`, it must be issued a new token. */
  | { readonly kind: 'usable'; readonly rights: Rights | null; readonly isUnanswered: boolean }
  /** May end the session, and nothing else. Begins no new session. */
  | { readonly kind: 'endable' }
  /** May do nothing. While `isRecent` it begins no new session either: that session's cookie would replace the newer one. */
  | { readonly kind: 'dead'; readonly isRecent: boolean }
  /** A copy: its successor is in use. */
  | { readonly kind: 'stolen' }
  /** Never a secret of this session, or replaced so long ago that its entry was removed. */
  | { readonly kind: 'unknown' };

export const CURRENT: Standing = { kind: 'current' };

/** How long a page's concurrent requests may use the old secret after its successor is in use, in milliseconds. */
export const GRACE = 10_000;

/** Maximum delivery time of a response, in milliseconds. Until then a late logout counts, and no session replaces the newer cookie. */
export const DELIVERY = 60_000;

/** Maximum duration of a request, in milliseconds. Former secrets are kept at least this long. */
export const LONGEST_REQUEST = 300_000;

/** Maximum number of usable former secrets. Rotation waits while there are this many. */
const MAX_USABLE = 32;

/** Maximum number of other former secrets, which only requests under way and late logouts have: more would slow down each request. */
const MAX_SPENT = 4;

/** Marks the hash of a family whose rotation ended with a change of rights. An unknown secret of that family is a copy. */
const FAMILY = '~';
const MAX_FAMILIES = 2;

const HASH_LENGTH = 22;

export function isReplacement(value: unknown): value is Replacement {
  return (MILDEST_FIRST as readonly unknown[]).includes(value);
}

/** Returns the strictest replacement among some operations, or `null`. */
export function strictestOf(operations: readonly { readonly kind: string }[]): Replacement | null {
  let strictest = -1;
  for (const { kind } of operations)
    strictest = Math.max(strictest, MILDEST_FIRST.indexOf(kind as Replacement));
  return MILDEST_FIRST[strictest] ?? null;
}

/** Whether requests under way lose the session, except for the right to end it. */
export function isStrict(by: Replacement): boolean {
  return MILDEST_FIRST.indexOf(by) >= MILDEST_FIRST.indexOf('isolate');
}

export function newHistory(now: number): SecretHistory {
  return { issuedAt: now, family: null, former: [] };
}

/** Returns what a request at `now` may do whose secret is not the current one. */
export function standingOf(history: SecretHistory, token: ParsedToken, now: number): Standing {
  const former = formerOf(history, token);
  if (former === null) return standingOfForgotten(history, token, now);
  const { by, at, rights } = former;
  const isRecent = now < at + DELIVERY;
  if (isUsable(former, now)) return { kind: 'usable', rights, isUnanswered: by === 'rotate' && !isRecent };
  if (by === 'rotate') return { kind: 'stolen' };
  return isRecent && by !== 'logout' ? { kind: 'endable' } : { kind: 'dead', isRecent };
}

/**
 * The same for a secret that has no entry. One of a known family is a copy: the family is known because its secrets were rotated. For a while
 * after the family was replaced it may also be in a request under way, with an entry that made room for newer ones: see {@link MAX_SPENT}.
 */
function standingOfForgotten(history: SecretHistory, token: ParsedToken, now: number): Standing {
  const family = familyEntryOf(history, token);
  if (family === null) return { kind: 'unknown' };
  const isRecent = family.by !== 'rotate' && now < family.at + DELIVERY;
  return isRecent ? { kind: 'dead', isRecent } : { kind: 'stolen' };
}

/** Whether a former secret still opens the session at `now`. */
function isUsable({ by, at, successorSeenAt }: FormerSecret, now: number): boolean {
  if (by === 'rotate')
    return successorSeenAt === null || now < Math.min(successorSeenAt + GRACE, at + DELIVERY);
  return by === 'elevate' && now < at + GRACE;
}

/** Returns what replaced the secret of a request that opened its session while the secret was current; `null` if that is unknown. */
export function replacementOf(history: SecretHistory, token: ParsedToken): Replaced | null {
  return formerOf(history, token) ?? familyEntryOf(history, token);
}

/** Whether the current secret is old enough to be rotated. */
export function isRotationDue(history: SecretHistory, every: number, now: number): boolean {
  return now - history.issuedAt >= every && hasRoom(history, now);
}

/** Whether one more former secret may be usable. */
export function hasRoom({ former }: SecretHistory, now: number): boolean {
  return former.filter((each) => isUsable(each, now)).length < MAX_USABLE;
}

/** Whether the first request with the current secret is not recorded yet. */
export function isSuccessorUnseen({ former }: SecretHistory): boolean {
  const last = former.at(-1);
  return last?.by === 'rotate' && last.successorSeenAt === null;
}

/** Returns the history after the first request with the current secret. */
export function withSuccessorSeen(history: SecretHistory, now: number): SecretHistory {
  const former = history.former.map((each) =>
    each.by === 'rotate' && each.successorSeenAt === null ? { ...each, successorSeenAt: now } : each,
  );
  return { ...history, former };
}

/**
 * Returns the history after a rotation.
 * @param current the hash that is replaced
 * @param token what the request came with; the new secret is of its family
 */
export function afterRotation(
  history: SecretHistory,
  current: SecretHash,
  token: ParsedToken,
  now: number,
): SecretHistory {
  const own = shortOf(token.secretHash);
  const isCurrent = token.secretHash === current;
  // A client that comes with an older secret has not received the current one, and still may.
  const hashes = isCurrent ? [own] : [shortOf(current), own];
  const others = isCurrent
    ? withSuccessorSeen(history, now).former
    : history.former.filter(({ hash }) => hash !== own);
  const rotated = hashes.map((hash) => newFormer(hash, 'rotate', now, null));
  return { issuedAt: now, family: familyOf(token), former: trimmed([...others, ...rotated], now) };
}

/**
 * Returns the history after the secret was replaced because rights changed, or may have. Older secrets get no more than the current one.
 * @param current the hash that is replaced
 * @param before the rights of the session until now, which old secrets keep for a while; `null` for none
 */
export function afterReplacement(
  { family, former }: SecretHistory,
  current: SecretHash,
  by: Exclude<Replacement, 'rotate'>,
  before: Rights | null,
  now: number,
): SecretHistory {
  const isLost = isStrict(by);
  const older = former
    .filter(({ hash }) => !isLost || !hash.startsWith(FAMILY))
    .map((each) => {
      const rights = isLost ? null : (each.rights ?? before);
      // A copy remains a copy, and an earlier, stricter replacement remains in force.
      const isCopy = !isLost && each.by === 'rotate' && !isUsable(each, now);
      if (isCopy || MILDEST_FIRST.indexOf(each.by) >= MILDEST_FIRST.indexOf(by))
        return rights === each.rights ? each : { ...each, rights };
      return { ...each, rights, by, successorSeenAt: null, at: isUsable(each, now) ? now : each.at };
    });
  const hashes = family === null || isLost ? [shortOf(current)] : [FAMILY + family, shortOf(current)];
  const replaced = hashes.map((hash) => newFormer(hash, by, now, before));
  return { issuedAt: now, family: null, former: trimmed([...older, ...replaced], now) };
}

/** Returns the history without entries that no running request can need: each request reads them. */
export function pruned(history: SecretHistory, now: number): SecretHistory {
  const hasStale = history.former.some(({ at }) => now >= at + LONGEST_REQUEST);
  return hasStale ? { ...history, former: trimmed(history.former, now) } : history;
}

/** Removes the entries that no running request can need. Of too many, the newest stay. */
function trimmed(former: readonly FormerSecret[], now: number): FormerSecret[] {
  const room = { family: MAX_FAMILIES, usable: MAX_USABLE, spent: MAX_SPENT };
  const isNeeded = (each: FormerSecret): boolean => {
    const kind = each.hash.startsWith(FAMILY) ? 'family' : isUsable(each, now) ? 'usable' : 'spent';
    return (kind !== 'spent' || now < each.at + LONGEST_REQUEST) && room[kind]-- > 0;
  };
  return former.toReversed().filter(isNeeded).reverse();
}

function newFormer(hash: string, by: Replacement, at: number, rights: Rights | null): FormerSecret {
  return { hash, by, at, successorSeenAt: null, rights };
}

type Replaced = Pick<FormerSecret, 'by' | 'at' | 'rights'>;

/** Returns the entry of a token if it is a recent former one of the session. */
export function formerOf({ former }: SecretHistory, { secretHash }: ParsedToken): FormerSecret | null {
  const hash = shortOf(secretHash);
  return former.find((each) => sameHash(each.hash, hash)) ?? null;
}

/** Returns what replaced the family of a token, or `null` if it is of no known family. */
function familyEntryOf({ family, former, issuedAt }: SecretHistory, token: ParsedToken): Replaced | null {
  if (former.length === 0 && family === null) return null;
  const own = familyOf(token);
  if (family !== null && sameHash(family, own)) return { by: 'rotate', at: issuedAt, rights: null };
  return former.find(({ hash }) => sameHash(hash, FAMILY + own)) ?? null;
}

function shortOf(hash: SecretHash): string {
  return hash.slice(0, HASH_LENGTH);
}
