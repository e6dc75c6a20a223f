import type { SessionRecord } from '../../core/session-record';
import type { SessionId } from '../../core/session-token';

/** Sessions that are remembered; the oldest give way. */
const LIMIT = 10_000;

interface CachedCoverage {
  readonly principal: string;
  readonly until: number;
}

/**
 * Which sessions of the latest requests are in their principal's index already, and until when: a guess that saves asking. Whoever
 * writes on the strength of it is told when it was wrong, so it may be out of date, or forgotten at any time.
 */
export class CoverageCache {
  readonly #entries = new Map<SessionId, CachedCoverage>();

  covers({ id, principal, expiresAt }: SessionRecord): boolean {
    const known = this.#entries.get(id);
    return known !== undefined && known.principal === principal && expiresAt <= known.until;
  }

  set({ id, principal }: SessionRecord, until: number): void {
    this.#entries.delete(id);
    if (principal === null) return;
    this.#entries.set(id, { principal, until });
    if (this.#entries.size > LIMIT) this.delete(this.#entries.keys().next().value!);
  }

  delete(id: SessionId): void {
    this.#entries.delete(id);
  }
}
