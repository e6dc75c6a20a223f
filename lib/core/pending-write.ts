import { NO_RIGHTS, ownerOf, rightsIn, type Rights } from './rights';
import { KEEP, type CommitOutcome, type Delivery } from './commit-outcome';
import { afterReplacement, afterRotation, hasRoom, newHistory, pruned } from './secret-history';
import type { Replacement, SecretHistory } from './secret-history';
import { decodeFacts, encodeBody } from './session-body';
import type { SessionDraft } from './session-draft';
import { expiryOf, isIdle } from './session-expiry';
import type { Operation } from './session-operation';
import type { SessionRecord } from './session-record';
import type { SessionSettings } from './session-settings';
import type { SessionState } from './session-state';
import { withReceipt } from './receipts';
import { newToken, rotatedToken, sameHash, type ParsedToken } from './session-token';
import { SessionTooLargeError } from './session.errors';

/** A record to be written, and which part of the draft it contains: more may be recorded while the store works. */
export interface PendingWrite {
  readonly record: SessionRecord;
  readonly state: SessionState;
  readonly token: ParsedToken;
  /** Time of writing. */
  readonly at: number;
  /** See `SessionDraft.lineage`. */
  readonly lineage: number;
  /** Whether it ends the session, because its deadline was set to the past. */
  readonly isOver: boolean;
  /** How it replaces the secret; `null` when it does not. */
  readonly replacement: Replacement | null;
  /** Whether it takes out a value that no other request may get. */
  readonly takes: boolean;
  /** Whether the client must be told its token. */
  readonly tells: boolean;
  /** The operations of the draft that it contains. */
  readonly operations: readonly Operation[];
}

/** Differences of sealed sessions. */
interface WriteOptions {
  /** How the secret is replaced. @default as the draft asks */
  readonly replacement?: Replacement | null;
  /** The token to use if a new one is needed. @default a new one */
  readonly renewed?: ParsedToken | undefined;
  /** Whether the record contains the history of its secrets. @default true */
  readonly hasHistory?: boolean;
}

/**
 * Returns the draft as it is to be written now, with a new token if it needs one.
 * @throws SessionValueError, SessionTooLargeError
 */
export function toPendingWrite(draft: SessionDraft, options: WriteOptions = {}): PendingWrite {
  dropVainRotation(draft);
  const { base, id, settings } = draft;
  const now = settings.clock();
  const { replacement: asked = draft.replacement, renewed, hasHistory = true } = options;
  const replacement = base === null ? null : asked;
  const kept = base !== null && replacement === null ? draft.token : null;
  const rotated = replacement === 'rotate' && draft.token !== null ? rotatedToken(draft.token) : null;
  const token = kept ?? renewed ?? rotated ?? newToken(id, settings.name);
  // It is later than the present when the session has just stayed while the others of its principal were ended.
  const issuedAt = Math.max(draft.state.secrets.issuedAt, draft.has('isolate') ? now : 0);
  const secrets = hasHistory ? secretsOf(draft, replacement, now) : newHistory(issuedAt);
  const lastSeenAt = isUse(draft) ? now : draft.state.lastSeenAt;
  const takes = draft.has('take');
  const receipts = takes && hasHistory ? withReceipt(draft.state.receipts) : draft.state.receipts;
  const state = { ...draft.state, lastSeenAt, secrets, receipts };
  const record: SessionRecord = {
    id,
    version: (base?.version ?? 0) + 1,
    // A request may have come with a secret that was replaced meanwhile.
    secretHash: kept === null && !draft.isAdministered ? token.secretHash : base!.secretHash,
    principal: ownerOf(state),
    expiresAt: expiryOf(state, lastSeenAt),
    body: toBody(draft, state),
  };
  return {
    record,
    state,
    token,
    at: now,
    lineage: draft.lineage,
    isOver: record.expiresAt <= now && (base === null || draft.has('lifespan')),
    replacement,
    takes,
    tells:
      !draft.isAdministered &&
      (kept === null || (record.secretHash === kept.secretHash && changesLifespan(draft, base!))),
    operations: [...draft.operations],
  };
}

/**
 * Whether a record may not be written to any more: it has expired, or its login was locked, while the request was under way. Another request may
 * have used the session meanwhile, so it has to be read again.
 */
export function hasLapsed(draft: SessionDraft, { expiresAt, body }: SessionRecord): boolean {
  const now = draft.now();
  if (expiresAt <= now) return true;
  const { isLocked, state } = draft;
  const isLockable = state.isLocking && !isLocked && !ENDS_LOCK.some((kind) => draft.has(kind));
  return isLockable && isIdle(decodeFacts(body), now);
}

/** A lock ends with a proof, or with the login. */
const ENDS_LOCK = ['login', 'elevate', 'logout'] as const;

function isUse(draft: SessionDraft): boolean {
  if (draft.touches || draft.base === null || draft.has('login')) return true;
  if (draft.operations.some(({ isSignIn }) => isSignIn)) return true;
  return draft.isLocked && ENDS_LOCK.some((kind) => draft.has(kind));
}

/** Drops a rotation that is not needed: the token was rotated meanwhile, or too many former ones are in use. */
export function dropVainRotation(draft: SessionDraft): void {
  const { base, token, isUnanswered, state, settings } = draft;
  if (base === null || token === null || isUnanswered || !draft.has('rotate')) return;
  if (!sameHash(token.secretHash, base.secretHash) || !hasRoom(state.secrets, settings.clock()))
    draft.drop('rotate');
}

/** Updates the draft after a successful write, and emits its events. Returns what the client must do. */
export function finishWrite(draft: SessionDraft, write: PendingWrite, delivery: Delivery): CommitOutcome {
  const { record, token, state, replacement } = write;
  const { id, principal } = record;
  const { settings } = draft;
  const { emit } = settings;
  if (record.version === 1) emit({ type: 'created', id, principal });
  else if (replacement !== null)
    emit({ type: 'renewed', id, principal, ...(replacement === 'rotate' && { reason: 'rotation' }) });
  draft.settle(record, draft.isAdministered ? null : token, write.operations);
  draft.state.secrets = state.secrets;
  draft.state.receipts = state.receipts;
  draft.notedAt = state.lastSeenAt;
  if (!draft.touches) draft.state.lastSeenAt = state.lastSeenAt;
  return write.tells && delivery.reach !== 'never' ? issueToken(state, token, settings) : KEEP;
}

export function issueToken(
  state: SessionState,
  { token }: ParsedToken,
  settings: SessionSettings,
): CommitOutcome {
  return { kind: 'issue', token, keepUntil: keepUntil(state, settings) };
}

/** Until when the client may keep its token: epoch milliseconds; `null` for as long as the browser runs. */
function keepUntil({ remembered, deadline }: SessionState, { persistent }: SessionSettings): number | null {
  return remembered || persistent ? deadline : null;
}

/** Whether the client must keep its token for another time. Only then: a late answer with an old token could replace a newer one. */
function changesLifespan(draft: SessionDraft, { body }: SessionRecord): boolean {
  const { state, settings } = draft;
  return draft.has('lifespan') && keepUntil(state, settings) !== keepUntil(decodeFacts(body), settings);
}

function secretsOf(draft: SessionDraft, replacement: Replacement | null, now: number): SecretHistory {
  const { base, token, state } = draft;
  if (base === null || token === null || replacement === null) return pruned(state.secrets, now);
  if (replacement === 'rotate') return afterRotation(state.secrets, base.secretHash, token, now);
  const before = replacement === 'elevate' ? formerRights(draft, base) : null;
  return afterReplacement(state.secrets, base.secretHash, replacement, before, now);
}

/** A request that unlocks the login leaves its old secret without rights. */
function formerRights({ isLocked }: SessionDraft, { body }: SessionRecord): Rights {
  return isLocked ? NO_RIGHTS : rightsIn(decodeFacts(body));
}

function toBody(draft: SessionDraft, state: SessionState): string {
  const { codec, maxBytes, schemas } = draft.settings;
  if (schemas !== undefined) draft.values.assertValid(state.data);
  let body: string;
  try {
    body = encodeBody(state, codec);
  } catch (error) {
    // An object was changed in place to something unsupported. Encoding the parts throws the error that names its key.
    partsOf(draft);
    throw error;
  }
  // A UTF-16 unit takes at most three bytes.
  const size = body.length * 3 <= maxBytes ? 0 : Buffer.byteLength(body);
  if (size > maxBytes) throw new SessionTooLargeError(largestPart(draft), size, maxBytes);
  return body;
}

/** Returns the name of the largest part, for an error message. */
export function largestPart(draft: SessionDraft): string {
  return partsOf(draft).reduce((a, b) => (b.size > a.size ? b : a)).name;
}

function partsOf({ state, values }: SessionDraft): { name: string; size: number }[] {
  const { data, messages, constants, principal, actor, own } = state;
  const sizeOf = (key: string, value: unknown): number => values.encode(key, value).length;
  return [
    ...Object.entries(data).map(([key, value]) => ({ name: `'${key}'`, size: sizeOf(key, value) })),
    { name: 'its flash messages', size: sizeOf('messages', messages) },
    { name: 'its form input', size: sizeOf('input', own.input) },
    { name: 'its grants', size: sizeOf('grants', own.grants) },
    { name: 'its constants', size: sizeOf('constants', constants) },
    { name: 'its principal', size: JSON.stringify(principal).length },
    { name: 'the data that actAs() has set aside', size: actor?.content.length ?? 0 },
  ];
}
