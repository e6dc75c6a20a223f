import type { SessionRecord } from '../../core/session-record';
import type { SessionId } from '../../core/session-token';
import { compact } from './compact';

/** A session as the memory store holds it. When it expires is known to the queue it stands in, at `place`. */
export class MemoryEntry {
  readonly id: SessionId;
  version: number;
  secretHash: SessionRecord['secretHash'];
  principal: string | null;
  body: string;
  /** Where its queue keeps it; -1 outside any queue. */
  place = -1;
  /** Neighbors among the sessions of the same principal. */
  previous: MemoryEntry | null = null;
  next: MemoryEntry | null = null;

  constructor(record: SessionRecord) {
    this.id = compact(record.id);
    this.version = record.version;
    this.secretHash = compact(record.secretHash);
    this.principal = record.principal === null ? null : compact(record.principal);
    this.body = compact(record.body);
  }

  /** Takes over everything but `principal` and `expiresAt`, which are filed elsewhere too. */
  assign(record: SessionRecord): void {
    this.version = record.version;
    if (this.secretHash !== record.secretHash) this.secretHash = compact(record.secretHash);
    if (this.body !== record.body) this.body = compact(record.body);
  }

  /** A value of its own for whoever asks. */
  toRecord(expiresAt: number): SessionRecord {
    const { id, version, secretHash, principal, body } = this;
    return { id, version, secretHash, principal, expiresAt, body };
  }
}
