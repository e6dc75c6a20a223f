import type { SessionRecord } from '../../core/session-record';
import type { SessionId } from '../../core/session-token';

/** A session in the memory store. Its expiry is in its queue, at `heapIndex`. */
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
}

const SCRATCH_BYTES = 16 * 1024;
const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

/**
 * Copies a text into a new string. V8 keeps the whole parent of a substring, and all parts of a concatenation, in memory: an id cut from
 * a header would keep the header alive as long as the session. Text with lone surrogates is returned unchanged.
 */
export function compact<T extends string>(text: T): T {
  // A UTF-16 unit takes at most 3 bytes.
  if (text.length * 3 <= SCRATCH_BYTES) {
    const bytes = scratch.write(text, 0, 'utf8');
    const copy = scratch.toString('utf8', 0, bytes);
    return (copy === text ? copy : text) as T;
  }
  const copy = Buffer.from(text, 'utf8').toString('utf8');
  return (copy === text ? copy : text) as T;
}
