import { principalKey } from './principal';
import { KEEP, type CommitOutcome, type Delivery } from './commit-outcome';
import {
  afterReplacement,
  afterRotation,
  newHistory,
  type Replacement,
  type SecretHistory,
} from './secret-history';
import { decodeFacts, encodeBody } from './session-body';
import type { SessionDraft } from './session-draft';
import { expiryOf } from './session-expiry';
import type { Operation } from './session-operation';
import type { SessionRecord } from './session-record';
import type { SessionFacts, SessionState } from './session-state';
import { newToken, rotatedToken, type ParsedToken } from './session-token';
import { SessionTooLargeError } from './session.errors';

/** A record ready to be written, and how much of the draft is in it: more may be recorded while the store works. */
export interface PendingWrite {
  readonly record: SessionRecord;
  readonly state: SessionState;
  readonly token: ParsedToken;
  /** The instant of writing. */
  readonly at: number;
  /** Which of the sessions that the draft has been in turn. */
  readonly lineage: number;
  readonly isNew: boolean;
  /** Whether it ends the session: its deadline was set to the past. */
  readonly isOver: boolean;
  /** What replaces the secret, or `null` when it stays. */
  readonly replacement: Replacement | null;
  /** Whether it takes out a value that no other request may get. */
  readonly takes: boolean;
  /** Whether the client has to be told its token. */
  readonly tells: boolean;
  /** The draft's operations that are in it. */
  readonly operations: readonly Operation[];
}

/** Where sealed sessions differ. */
interface WriteOptions {
  /** What replaces the secret. @default what the draft asks for */
  readonly replacement?: Replacement | null;
  /** The token to use if it needs a new one. @default one is made */
  readonly renewed?: ParsedToken | undefined;
  /** Whether the record tells what its former secrets may do. @default true */
  readonly hasHistory?: boolean;
}

/**
 * The draft as it would be written now, under a token of its own where it needs one.
 * @throws SessionValueError, SessionTooLargeError
 */
export function toPendingWrite(draft: SessionDraft, options: WriteOptions = {}): PendingWrite {
  draft.dropVainRotation();
  const { base, settings } = draft;
  const now = settings.clock();
  const { replacement: asked = draft.replacement, renewed, hasHistory = true } = options;
  const replacement = base === null ? null : asked;
  const kept = base !== null && replacement === null ? draft.token : null;
  const token = kept ?? renewed ?? nextToken(draft, replacement);
  const secrets = hasHistory ? secretsOf(draft, replacement, now) : newHistory(draft.state.createdAt);
  const state = { ...draft.state, lastSeenAt: now, secrets };
  const record: SessionRecord = {
    id: draft.id,
    version: (base?.version ?? 0) + 1,
    // A request may have come with a secret that was replaced meanwhile.
    secretHash: kept === null ? token.secretHash : base!.secretHash,
    principal: state.principal === null ? null : principalKey(state.principal),
    expiresAt: expiryOf(state, now),
    body: toBody(draft, state),
  };
  return {
    record,
    state,
    token,
    at: now,
    lineage: draft.lineage,
    isNew: base === null,
    isOver: record.expiresAt <= now && (base === null || draft.has('lifespan')),
    replacement,
    takes: draft.has('take'),
    tells: kept === null || (record.secretHash === kept.secretHash && changesLifespan(draft, base!)),
    operations: [...draft.operations],
  };
}

/** After the write: what is told to listeners and to the client. */
export function finishWrite(draft: SessionDraft, write: PendingWrite, { reach }: Delivery): CommitOutcome {
  const { record, token, state, isNew, replacement } = write;
  const { id, principal } = record;
  const { emit } = draft.settings;
  if (isNew) emit({ type: 'created', id, principal });
  else if (replacement !== null)
    emit({ type: 'renewed', id, principal, ...(replacement === 'rotated' && { reason: 'rotation' }) });
  draft.settle(record, token, write.operations);
  draft.state.secrets = state.secrets;
  return write.tells && reach !== 'never' ? issueToken(state, token) : KEEP;
}

/** A token for the client, and until when it may keep it. */
export function issueToken(state: SessionFacts, { token }: ParsedToken): CommitOutcome {
  return { kind: 'issue', token, keepUntil: keepUntil(state) };
}

/** Until when the client may keep its token: epoch milliseconds; `null` for as long as the browser runs. */
export function keepUntil({ remembered, deadline }: SessionFacts): number | null {
  return remembered ? deadline : null;
}

/**
 * Whether the client may keep its token for longer or shorter than it knows. Telling it the same again is more than a waste: a late
 * answer could put the token of before a login in the place of the new one.
 */
function changesLifespan(draft: SessionDraft, { body }: SessionRecord): boolean {
  return draft.has('lifespan') && keepUntil(draft.state) !== keepUntil(decodeFacts(body));
}

function nextToken({ id, token, settings }: SessionDraft, replacement: Replacement | null): ParsedToken {
  return replacement === 'rotated' && token !== null ? rotatedToken(token) : newToken(id, settings.name);
}

function secretsOf(draft: SessionDraft, replacement: Replacement | null, now: number): SecretHistory {
  const { base, token, state } = draft;
  if (base === null || token === null || replacement === null) return state.secrets;
  if (replacement === 'rotated') return afterRotation(state.secrets, base.secretHash, token, now);
  return afterReplacement(state.secrets, base.secretHash, replacement, decodeFacts(base.body), now);
}

function toBody(draft: SessionDraft, state: SessionState): string {
  const { codec, maxBytes } = draft.settings;
  let body: string;
  try {
    body = encodeBody(state, codec);
  } catch (error) {
    // An object has been changed in place to something that cannot be kept: encoded one by one, it gives itself away.
    partsOf(draft);
    throw error;
  }
  // No character takes more than three bytes.
  if (body.length * 3 <= maxBytes) return body;
  const size = Buffer.byteLength(body);
  if (size <= maxBytes) return body;
  throw new SessionTooLargeError(largestPart(draft), size, maxBytes);
}

/** What takes the most room, in words for the developer who has to make some. */
export function largestPart(draft: SessionDraft): string {
  return partsOf(draft).reduce((a, b) => (b.size > a.size ? b : a)).name;
}

function partsOf({ state, values }: SessionDraft): { name: string; size: number }[] {
  const { data, messages, constants } = state;
  const sizeOf = (key: string, value: unknown): number => values.encode(key, value).length;
  return [
    ...Object.entries(data).map(([key, value]) => ({ name: `'${key}'`, size: sizeOf(key, value) })),
    { name: 'its flash messages', size: sizeOf('messages', messages) },
    { name: 'its constants', size: sizeOf('constants', constants) },
  ];
}
