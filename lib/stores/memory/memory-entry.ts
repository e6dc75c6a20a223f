import type { SessionRecord } from '../../core/session-record';
import type { SessionId } from '../../core/session-token';
import { compact } from './compact';

/** A session in the memory store. Its expiry is stored in its queue, at `heapIndex`. */
export class MemoryEntry {
  readonly id: SessionId;
  version: number;
  secretHash: SessionRecord['secretHash'];
  principal: string | null;
  body: string;
  /** Its index in the heap of its queue; -1 when it is in no queue. */
  heapIndex = -1;
  /** Neighbors in the list of the same principal's sessions. */
  previous: MemoryEntry | null = null;
  next: MemoryEntry | null = null;

  constructor(record: SessionRecord) {
    this.id = compact(record.id);
    this.version = record.version;
    this.secretHash = compact(record.secretHash);
    this.principal = record.principal === null ? null : compact(record.principal);
    this.body = compact(record.body);
  }

  /** Copies all fields except `principal` and `expiresAt`, which are indexed and need an update of their index. */
  assign(record: SessionRecord): void {
    this.version = record.version;
    if (this.secretHash !== record.secretHash) this.secretHash = compact(record.secretHash);
    if (this.body !== record.body) this.body = compact(record.body);
  }

  /** A new record; changing it does not change the entry. */
  toRecord(expiresAt: number): SessionRecord {
    const { id, version, secretHash, principal, body } = this;
    return { id, version, secretHash, principal, expiresAt, body };
  }
}
