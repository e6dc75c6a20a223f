import type { SessionRecord } from '../../core/session-record';
import type { SessionId } from '../../core/session-token';

/** Maximum number of cached sessions. Beyond it the oldest is removed. */
const LIMIT = 10_000;

interface CachedCoverage {
  readonly principal: string;
  readonly until: number;
}

/**
 * Caches which recently used sessions are in their principal's index, and until which expiry. Saves one round trip per write. The update
 * script checks the coverage itself, so an outdated or missing entry is harmless.
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
