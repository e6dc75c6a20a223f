import type { SessionRecord } from '../../core/session-record';
import type { SessionId } from '../../core/session-token';
import type { SessionHead } from '../../core/store-capabilities';

/** Number of heads in one generation; there are two. */
const GENERATION = 5000;

/**
 * Remembers whose the sessions are that this process has read and written lately, and when they expire. An update does not return what it
 * has replaced, and a request that updates a session has read it before.
 */
export class KnownHeads {
  #recent = new Map<SessionId, SessionHead>();
  #older = new Map<SessionId, SessionHead>();

  note({ id, version, principal, secretHash, expiresAt }: SessionHead): void {
    if (this.#recent.size >= GENERATION) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(id, { id, version, principal, secretHash, expiresAt });
  }

  /** Notes that a session was extended, or may have been. */
  noteExtension(id: SessionId, expiresAt: number): void {
    const known = this.#of(id);
    if (known !== undefined && known.expiresAt < expiresAt) this.note({ ...known, expiresAt });
  }

  /** Whether an update gives a session another principal or secret, or an earlier end, or may do so. */
  mayBeEndedBy({ id, principal, secretHash, expiresAt }: SessionRecord, expectedVersion: number): boolean {
    const known = this.#of(id);
    if (known?.version !== expectedVersion) return true;
    return known.principal !== principal || known.secretHash !== secretHash || expiresAt < known.expiresAt;
  }

  #of(id: SessionId): SessionHead | undefined {
    return this.#recent.get(id) ?? this.#older.get(id);
  }
}
