import type { SessionRecord } from '../../core/session-record';
import type { SessionId } from '../../core/session-token';
import type { SessionHead } from '../../core/store-capabilities';

/** Number of heads in one generation; there are two. */
const GENERATION = 5000;

/** The parts of a head that tell whose session it is. */
type Identity = Pick<SessionHead, 'version' | 'principal' | 'secretHash'>;

/**
 * Remembers whose the sessions are that this process has read and written lately. An update does not return what it has replaced, and a
 * request that updates a session has read it before.
 */
export class KnownHeads {
  #recent = new Map<SessionId, Identity>();
  #older = new Map<SessionId, Identity>();

  note({ id, version, principal, secretHash }: SessionHead): void {
    if (this.#recent.size >= GENERATION) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(id, { version, principal, secretHash });
  }

  /** Whether an update gives a session another principal or secret, or may do so. */
  mayBeChangedBy({ id, principal, secretHash }: SessionRecord, expectedVersion: number): boolean {
    const known = this.#recent.get(id) ?? this.#older.get(id);
    return (
      known?.version !== expectedVersion || known.principal !== principal || known.secretHash !== secretHash
    );
  }
}
