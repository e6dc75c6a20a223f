import type { PendingWrite } from './pending-write';
import { hasReceiptOf } from './receipts';
import { formerOf } from './secret-history';
import { decodeBody } from './session-body';
import type { SessionCodec } from './session-codec';
import type { SessionRecord } from './session-record';
import { sameHash } from './session-token';

/** Whether the outcome of a write must be known: the client needs its new token, or the value that no other request gets. */
export function isCritical({ replacement, takes }: PendingWrite): boolean {
  return replacement !== null || takes;
}

/** Whether the present record shows that a write whose answer was lost was done; `null` when it does not tell. */
export function isWritten(write: PendingWrite, current: SessionRecord, codec: SessionCodec): boolean | null {
  const { record } = write;
  if (isCritical(write)) return contains(current, write, codec);
  const isOvertaken = current.version === record.version && current.body !== record.body;
  return isOvertaken || current.version < record.version ? false : null;
}

/** Whether a record contains a critical write, or was made from one that does; `null` when it does not tell. */
export function contains(
  current: SessionRecord,
  { record, token, replacement, state }: PendingWrite,
  codec: SessionCodec,
): boolean | null {
  const { secrets, receipts } = decodeBody(current.body, codec);
  if (replacement !== null)
    return sameHash(current.secretHash, record.secretHash) || formerOf(secrets, token) !== null;
  return hasReceiptOf(state.receipts!, receipts, current.version - record.version);
}
