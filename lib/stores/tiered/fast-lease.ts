import { newSessionId } from '../../core/session-token';
import { SessionStoreError } from '../../core/session.errors';
import { delay } from './delay';
import { TierStateRecord, type TierState } from './tier-state';
import type { TieredOptions } from './tiered.options';

/** Permission to use the fast tier, given at an instant. */
export interface Permit {
  /** Epoch milliseconds. The age of a copy made with this permit counts from here. */
  readonly at: number;
  /** Copies made before this instant are stale. */
  readonly since: number;
}

/** An attempt fails only because another process has changed the tier state. */
const MAX_ATTEMPTS = 10;

/**
 * Decides whether this process may use the fast tier. It may for one lease after it read the tier state and was not denied. So a process
 * that has marked the tier stale and waited for one lease knows that no process uses the fast tier. The mark applies until all copies made
 * before it exceed `maxAge`.
 *
 * A fast tier that is not shared is held by one process at a time, whose id is in the tier state.
 *
 * Each process measures its lease with a monotonic clock. Instants in the tier state are wall-clock time, with `clockSkew` added.
 */
export class FastLease {
  readonly #state: TierStateRecord;
  readonly #processId = newSessionId();
  /** When the last successful read of the tier state began, by `performance.now()`. */
  #askedAt = -Infinity;
  #asking: Promise<void> | undefined;
  /** Epoch milliseconds until which the tier state denies this process the fast tier. */
  #deniedUntil = -Infinity;
  /** Epoch milliseconds until which the tier state denies all processes the fast tier. */
  #suspendedUntil = -Infinity;
  /** When this process read that mark, by `performance.now()`. */
  #appliedAt = -Infinity;
  #suspending: Promise<void> | undefined;
  /** Epoch milliseconds between which this process holds a tier that is not shared. */
  #heldUntil = -Infinity;
  #heldSince = -Infinity;

  constructor(private readonly options: TieredOptions) {
    this.#state = new TierStateRecord(options.durable);
  }

  /** Permission to use the fast tier now, or `null`. Reads the tier state when the lease is over, and in the background after half of it. */
  async permit(): Promise<Permit | null> {
    const { clock, lease, shared } = this.options;
    const at = clock();
    if (at < this.#deniedUntil) return null;
    if (!this.#isFresh(lease)) await this.#ask();
    else if (!this.#isFresh(lease / 2)) void this.#ask();
    if (!this.mayUse()) return null;
    return { at, since: shared ? -Infinity : this.#heldSince };
  }

  /** Whether the last permit is still valid. */
  mayUse(): boolean {
    return this.#isFresh(this.options.lease) && this.reachesAll();
  }

  /** Whether no process uses the fast tier now, and none will ever use its present copies. */
  isSuspended(): boolean {
    const { clock, lease, clockSkew } = this.options;
    return clock() < this.#suspendedUntil - clockSkew && performance.now() - this.#appliedAt >= lease;
  }

  /** Whether this process can reach all copies that any process may use. */
  reachesAll(): boolean {
    return this.options.clock() >= this.#deniedUntil && this.#holds();
  }

  /**
   * Marks the fast tier stale, and resolves when no process uses its present copies any more.
   * @throws SessionStoreError; the signal's reason
   */
  async suspend(signal: AbortSignal): Promise<void> {
    const { clock, lease, clockSkew } = this.options;
    if (clock() >= this.#suspendedUntil - clockSkew) {
      this.#suspending ??= this.#markStale().finally(() => (this.#suspending = undefined));
      await this.#suspending;
    }
    await delay(lease - (performance.now() - this.#appliedAt), signal);
  }

  /** Releases a tier that is not shared to other processes. The next permit asks anew. */
  async release(): Promise<void> {
    await this.#asking;
    const isHeld = this.#heldUntil > this.options.clock();
    this.#askedAt = this.#heldUntil = -Infinity;
    const seen = isHeld ? await this.#state.read() : null;
    if (seen?.holder === this.#processId) await this.#state.write(seen, { holder: null, until: 0 });
  }

  #isFresh(length: number): boolean {
    return performance.now() - this.#askedAt < length;
  }

  #holds(): boolean {
    const { shared, clock, clockSkew } = this.options;
    return shared || clock() < this.#heldUntil - clockSkew;
  }

  /** Reads the tier state. Never rejects: without an answer there is no permit. */
  #ask(): Promise<void> {
    const began = performance.now();
    const ask = async (): Promise<void> => {
      const seen = await this.#state.read();
      const isMine = seen?.holder === this.#processId;
      if (seen !== null && !isMine && this.options.clock() < seen.until) return this.#apply(seen);
      const mayUse = this.options.shared || (await this.#hold(seen));
      if (mayUse) this.#askedAt = began;
    };
    this.#asking ??= ask()
      .catch(() => {})
      .finally(() => (this.#asking = undefined));
    return this.#asking;
  }

  #apply({ holder, until }: Pick<TierState, 'holder' | 'until'>): void {
    this.#deniedUntil = until;
    if (holder !== null || until === this.#suspendedUntil) return;
    this.#suspendedUntil = until;
    this.#appliedAt = performance.now();
  }

  /** Acquires a tier that no process holds, or prolongs the hold of this process. */
  async #hold(seen: TierState | null): Promise<boolean> {
    const { clock, maxAge, clockSkew } = this.options;
    const now = clock();
    const length = maxAge + 2 * clockSkew;
    const isHeld = this.#holds() && seen?.holder === this.#processId;
    if (isHeld && seen.until - now > length / 2) return true;
    if (!(await this.#state.write(seen, { holder: this.#processId, until: now + length }))) return false;
    // While no process held the tier, others may have written.
    if (!isHeld) this.#heldSince = now;
    this.#heldUntil = now + length;
    return true;
  }

  async #markStale(): Promise<void> {
    const { clock, maxAge, lease, clockSkew } = this.options;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const seen = await this.#state.read();
      if (seen?.holder === null && clock() < seen.until - clockSkew) return this.#apply(seen);
      const state = { holder: null, until: clock() + maxAge + lease + 3 * clockSkew };
      if (await this.#state.write(seen, state)) return this.#apply(state);
    }
    throw new SessionStoreError('suspend', 'other processes kept changing the state of the fast tier');
  }
}
