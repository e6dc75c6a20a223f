import type { SessionRecord } from '../../core/session-record';
import type { SessionId } from '../../core/session-token';

/** Sessions that are remembered; the oldest give way. */
const LIMIT = 10_000;

interface Known {
  readonly principal: string;
  readonly until: number;
}

/**
 * Which sessions of the latest requests are in their principal's index already, and until when: a guess that saves asking. Whoever
 * writes on the strength of it is told when it was wrong, so it may be out of date, or forgotten at any time.
 */
export class KnownCoverage {
  readonly #known = new Map<SessionId, Known>();

  covers({ id, principal, expiresAt }: SessionRecord): boolean {
    const known = this.#known.get(id);
    return known !== undefined && known.principal === principal && expiresAt <= known.until;
  }

  note({ id, principal }: SessionRecord, until: number): void {
    this.#known.delete(id);
    if (principal === null) return;
    this.#known.set(id, { principal, until });
    if (this.#known.size > LIMIT) this.forget(this.#known.keys().next().value!);
  }

  forget(id: SessionId): void {
    this.#known.delete(id);
  }
}
