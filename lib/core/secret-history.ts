import type { Principal } from './principal';
import { familyOf, sameHash, type ParsedToken, type SecretHash } from './session-token';

/** What replaced a secret, from the mildest to the strictest: a stricter one that follows counts for the secrets before it, too. */
const REPLACEMENTS = ['rotated', 'elevated', 'renewed', 'loggedIn', 'loggedOut'] as const;
export type Replacement = (typeof REPLACEMENTS)[number];

/** What a session could do before its rights changed. */
export interface FormerRights {
  readonly principal: Principal | null;
  /** Epoch milliseconds. */
  readonly authenticatedAt: number | null;
}

/** A secret that was replaced. Instants are epoch milliseconds. */
export interface FormerSecret {
  /** The beginning of its hash; with {@link FAMILY} before it, the hash of a whole family. */
  readonly hash: string;
  readonly by: Replacement;
  readonly at: number;
  /** When the first request came with its successor; `null` while none has: the answer may have been lost. */
  readonly successorSeenAt: number | null;
  /** What it had, if rights have changed since. */
  readonly rights: FormerRights | null;
}

/** The secrets of a session, apart from the present one, whose hash is the record's. */
export interface SecretHistory {
  /** When the present secret was issued: epoch milliseconds. */
  readonly issuedAt: number;
  /** Hash of what all secrets have in common that rotated into each other; `null` before the first rotation. */
  readonly family: string | null;
  /** From the oldest to the youngest. */
  readonly former: readonly FormerSecret[];
}

/** What a request may do that comes with some secret. */
export type Standing =
  | { readonly kind: 'current' }
  /** What the secret could do when it was replaced: `rights` if they have changed. With `isUnanswered` it is to be given a new one. */
  | { readonly kind: 'usable'; readonly rights: FormerRights | null; readonly isUnanswered: boolean }
  /** It may end the session and nothing else, and begins no other. */
  | { readonly kind: 'endable' }
  /** Nothing. While `isRecent` it begins no session either: its cookie would take the place of the newer one. */
  | { readonly kind: 'dead'; readonly isRecent: boolean }
  /** A copy of a secret whose successor is in use. */
  | { readonly kind: 'stolen' }
  /** It was never a secret of this session, or so long ago that nothing is known of it. */
  | { readonly kind: 'unknown' };

/** Whether a text names a replacement. */
export function isReplacement(text: unknown): text is Replacement {
  return (REPLACEMENTS as readonly unknown[]).includes(text);
}

export const CURRENT: Standing = { kind: 'current' };
const UNKNOWN: Standing = { kind: 'unknown' };
const STOLEN: Standing = { kind: 'stolen' };
const ENDABLE: Standing = { kind: 'endable' };

/** How long a page's other requests may still come with the secret of before, once its successor is in use, in milliseconds. */
const GRACE = 10_000;

/** How long an answer may be under way, in milliseconds: so long a late logout counts, and no session begins in its cookie's place. */
export const DELIVERY = 60_000;

/** How long a request may take, in milliseconds: so long is known what replaced the secret that it came with. */
export const LONGEST_REQUEST = 300_000;

/** So many secrets are known at most. While so many are in use, rotating waits. */
const MOST_FORMER = 32;

/** Marks the hash of a family that rotated no further because rights changed. A secret of it that is not known otherwise is a copy. */
const FAMILY = '~';
const MOST_FAMILIES = 2;

const HASH_LENGTH = 22;

export function newHistory(now: number): SecretHistory {
  return { issuedAt: now, family: null, former: [] };
}

/** What a request may do that comes at `now` with a secret that is not the present one. */
export function standingOf(history: SecretHistory, token: ParsedToken, now: number): Standing {
  const former = formerOf(history, token);
  if (former === null) return familyEntryOf(history, token) === null ? UNKNOWN : STOLEN;
  const { by, at, rights } = former;
  const isRecent = now < at + DELIVERY;
  if (isUsable(former, now)) return { kind: 'usable', rights, isUnanswered: by === 'rotated' && !isRecent };
  switch (by) {
    case 'rotated':
      return STOLEN;
    case 'elevated':
    case 'renewed':
    case 'loggedIn':
      return isRecent ? ENDABLE : { kind: 'dead', isRecent };
    case 'loggedOut':
      return { kind: 'dead', isRecent };
  }
}

/** Whether requests that come with it at `now` still go on as before it was replaced. */
function isUsable({ by, at, successorSeenAt }: FormerSecret, now: number): boolean {
  if (by === 'rotated')
    return successorSeenAt === null || now < Math.min(successorSeenAt + GRACE, at + DELIVERY);
  return by === 'elevated' && now < at + GRACE;
}

/**
 * What has replaced the secret of a request under way, which was good when the request opened its session; `null` when that is
 * not known any more.
 */
export function replacementOf(
  history: SecretHistory,
  token: ParsedToken,
): Pick<FormerSecret, 'by' | 'rights'> | null {
  return formerOf(history, token) ?? familyEntryOf(history, token);
}

/** Whether this token was one of the session, not long ago. */
export function isFormer(history: SecretHistory, token: ParsedToken): boolean {
  return formerOf(history, token) !== null;
}

/** Whether the present secret is old enough to be rotated. */
export function isRotationDue(history: SecretHistory, every: number, now: number): boolean {
  return now - history.issuedAt >= every && hasRoom(history, now);
}

/** Whether one more secret may be in use beside the present one. */
export function hasRoom({ former }: SecretHistory, now: number): boolean {
  return former.filter((each) => isUsable(each, now)).length < MOST_FORMER;
}

/** Whether the first request with the present secret has come, and is to be noted. */
export function isSuccessorUnseen({ former }: SecretHistory): boolean {
  const last = former.at(-1);
  return last !== undefined && last.by === 'rotated' && last.successorSeenAt === null;
}

/** After the first request with the present secret. */
export function withSuccessorSeen(history: SecretHistory, now: number): SecretHistory {
  const former = history.former.map((each) =>
    each.by === 'rotated' && each.successorSeenAt === null ? { ...each, successorSeenAt: now } : each,
  );
  return { ...history, former };
}

/** After the present secret was replaced by one of its family. `token` is what the request came with, `present` the hash that is replaced. */
export function afterRotation(
  history: SecretHistory,
  present: SecretHash,
  token: ParsedToken,
  now: number,
): SecretHistory {
  const rotated = (hash: string): FormerSecret => ({
    hash,
    by: 'rotated',
    at: now,
    successorSeenAt: null,
    rights: null,
  });
  const mine = shortOf(token.secretHash);
  const former =
    token.secretHash === present
      ? [...withSuccessorSeen(history, now).former, rotated(mine)]
      : // Its answer seems lost, and may yet arrive late.
        [...history.former.filter(({ hash }) => hash !== mine), rotated(shortOf(present)), rotated(mine)];
  return { issuedAt: now, family: familyOf(token), former: trimmed(former, now) };
}

/** After the present secret was replaced for a change of rights, or in case of one. Secrets of before fare no better than the present one. */
export function afterReplacement(
  { family, former }: SecretHistory,
  present: SecretHash,
  by: Exclude<Replacement, 'rotated'>,
  before: FormerRights,
  now: number,
): SecretHistory {
  const isLogin = by === 'loggedIn' || by === 'loggedOut';
  const rights = by === 'elevated' ? before : null;
  const replaced = (hash: string): FormerSecret => ({ hash, by, at: now, successorSeenAt: null, rights });
  const older = former
    .filter(({ hash }) => !isLogin || !hash.startsWith(FAMILY))
    .map((each) => {
      const kept = { ...each, rights: isLogin ? null : (each.rights ?? rights) };
      // A copy stays one, and a stricter replacement of before stays in force.
      const isCopy = !isLogin && each.by === 'rotated' && !isUsable(each, now);
      if (isCopy || REPLACEMENTS.indexOf(each.by) >= REPLACEMENTS.indexOf(by)) return kept;
      return { ...kept, by, successorSeenAt: null, at: isUsable(each, now) ? now : each.at };
    });
  const ended = family === null || isLogin ? [] : [replaced(FAMILY + family)];
  return {
    issuedAt: now,
    family: null,
    former: trimmed([...older, ...ended, replaced(shortOf(present))], now),
  };
}

/** Without secrets that no request under way can have come with; of too many, those in use and the youngest stay. */
function trimmed(former: readonly FormerSecret[], now: number): FormerSecret[] {
  const families = former.filter(({ hash }) => hash.startsWith(FAMILY)).slice(-MOST_FAMILIES);
  const known = former.filter(
    (each) => !each.hash.startsWith(FAMILY) && (isUsable(each, now) || now < each.at + LONGEST_REQUEST),
  );
  let excess = known.length - MOST_FORMER;
  const kept = known.filter((each) => excess <= 0 || isUsable(each, now) || excess-- <= 0);
  return [...families, ...kept.slice(-MOST_FORMER)];
}

function formerOf({ former }: SecretHistory, { secretHash }: ParsedToken): FormerSecret | null {
  const hash = shortOf(secretHash);
  return former.find((each) => sameHash(each.hash, hash)) ?? null;
}

/** What became of the family that a token belongs to, or `null`. */
function familyEntryOf(
  { family, former }: SecretHistory,
  token: ParsedToken,
): Pick<FormerSecret, 'by' | 'rights'> | null {
  if (former.length === 0 && family === null) return null;
  const own = familyOf(token);
  if (family !== null && sameHash(family, own)) return { by: 'rotated', rights: null };
  return former.find(({ hash }) => sameHash(hash, FAMILY + own)) ?? null;
}

function shortOf(hash: SecretHash): string {
  return hash.slice(0, HASH_LENGTH);
}
