import { principalKey } from './principal';
import type { SessionDraft } from './session-draft';
import { expiryOf } from './session-expiry';
import type { SessionRecord } from './session-record';
import { type SessionState } from './session-state';
import { decodeBody, encodeBody } from './session-body';
import { newToken, type ParsedToken } from './session-token';
import { SessionTooLargeError } from './session.errors';

/** A record ready to be written, and how much of the draft is in it: more may be recorded while the store works. */
export interface PendingWrite {
  readonly record: SessionRecord;
  readonly token: ParsedToken;
  /** The instant of writing. */
  readonly at: number;
  /** Which of the sessions that the draft has been in turn. */
  readonly lineage: number;
  readonly isNew: boolean;
  /** Whether it is over as it stands: a deadline was set to the past, or has passed. */
  readonly isOver: boolean;
  /** Whether the client has to be told its token. */
  readonly tells: boolean;
  readonly written: { readonly operations: number; readonly renewals: number };
}

/**
 * The draft as it would be written now, under a token of its own where it needs one.
 * @param renewed the token to use if it needs a new one; by default one is made
 * @throws SessionValueError, SessionTooLargeError
 */
export function toPendingWrite(draft: SessionDraft, maxBytes: number, renewed?: ParsedToken): PendingWrite {
  const { base, state, context } = draft;
  const now = context.clock();
  const kept = base === null || draft.renewals > 0 ? null : draft.token;
  const token = kept ?? renewed ?? newToken(draft.id, context.name);
  const record: SessionRecord = {
    id: draft.id,
    version: (base?.version ?? 0) + 1,
    secretHash: token.secretHash,
    principal: state.principal === null ? null : principalKey(state.principal),
    expiresAt: expiryOf(state, now),
    body: toBody(draft, now, maxBytes),
  };
  return {
    record,
    token,
    at: now,
    lineage: draft.lineage,
    isNew: base === null,
    isOver: record.expiresAt <= now,
    tells: kept === null || (draft.reissue && keepUntil(state) !== known(base!, draft)),
    written: { operations: draft.operations.length, renewals: draft.renewals },
  };
}

/** Until when the client may keep its token: epoch milliseconds; `null` for as long as the browser runs. */
export function keepUntil({ remembered, deadline }: SessionState): number | null {
  return remembered ? deadline : null;
}

/**
 * What the client knows of how long to keep its token. Telling it the same again is more than a waste: a late answer could put
 * the token of before a login in the place of the new one.
 */
function known({ body }: SessionRecord, { context }: SessionDraft): number | null {
  return keepUntil(decodeBody(body, context.codec));
}

function toBody(draft: SessionDraft, now: number, maxBytes: number): string {
  let body: string;
  try {
    body = encodeBody(draft.state, draft.context.codec, now);
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

/** What takes the most room, in words for whoever has to make some. */
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
