import { newSessionId } from '../../core/session-token';
import { SessionStoreError } from '../../core/session.errors';
import { delay } from './delay';
import { TierStateRecord, type TierState } from './tier-state';
import type { TieredOptions } from './tiered.options';

/** Leave to use the fast tier, given at an instant. */
export interface Permit {
  /** Epoch milliseconds. A copy made with this permit is as old as that. */
  readonly at: number;
  /** Copies made before this instant are not to be believed. */
  readonly since: number;
}

/** Each attempt that fails means that another process has written the notice. */
const MAX_ATTEMPTS = 10;

/**
 * Decides whether this process may believe the fast tier. It may for the length of a lease after the durable tier was last asked
 * and had no notice against it. So whoever has posted a notice and waited that long knows that nobody believes anything in the
 * fast tier; and the notice stands until every copy that was made before is too old to be believed.
 *
 * A fast tier that is not shared is held by one process at a time, which says so in the notice.
 *
 * The lease is measured by a clock that only goes forward; what processes tell each other is in wall-clock time, and `clockSkew` is added.
 */
export class FastLease {
  readonly #state: TierStateRecord;
  readonly #processId = newSessionId();
  /** When the last question began that was answered well, as `performance.now()` tells time. */
  #askedAt = -Infinity;
  #asking: Promise<void> | undefined;
  /** While the notice is against this process: for longer than any leave that it has. */
  #deniedUntil = -Infinity;
  /** While the notice is against everybody. */
  #suspendedUntil = -Infinity;
  /** When this process heard of it, as `performance.now()` tells time. */
  #appliedAt = -Infinity;
  #suspending: Promise<void> | undefined;
  /** While this process holds a tier that is not shared, and since when. */
  #heldUntil = -Infinity;
  #heldSince = -Infinity;

  constructor(private readonly options: TieredOptions) {
    this.#state = new TierStateRecord(options.durable);
  }

  /** Leave to use the fast tier from now on, or `null`. Asks the durable tier when the lease is over, ahead of that in the background. */
  async permit(): Promise<Permit | null> {
    const { clock, lease, shared } = this.options;
    const at = clock();
    if (at < this.#deniedUntil) return null;
    if (!this.#isFresh(lease)) await this.#ask();
    else if (!this.#isFresh(lease / 2)) void this.#ask();
    if (!this.mayUse()) return null;
    return { at, since: shared ? -Infinity : this.#heldSince };
  }

  /** Whether the leave that was given last still holds. */
  mayUse(): boolean {
    return this.#isFresh(this.options.lease) && this.reachesAll();
  }

  /** Whether nobody believes the fast tier at this moment, nor what was in it until now at any other. */
  isSuspended(): boolean {
    const { clock, lease, clockSkew } = this.options;
    return clock() < this.#suspendedUntil - clockSkew && performance.now() - this.#appliedAt >= lease;
  }

  /** Whether every copy that anybody believes is one that this process can reach. */
  reachesAll(): boolean {
    return this.options.clock() >= this.#deniedUntil && this.#holds();
  }

  /**
   * Resolves when nobody believes what is in the fast tier now, nor will.
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

  /** Lets another process have a tier that is not shared. */
  async release(): Promise<void> {
    const seen = this.#heldUntil > this.options.clock() ? await this.#state.read() : null;
    if (seen?.holder === this.#processId) await this.#state.write(seen, { holder: null, until: 0 });
    this.#state.close();
  }

  #isFresh(length: number): boolean {
    return performance.now() - this.#askedAt < length;
  }

  #holds(): boolean {
    const { shared, clock, clockSkew } = this.options;
    return shared || clock() < this.#heldUntil - clockSkew;
  }

  /** Never rejects: no answer is no leave. */
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

  /** Takes a tier that nobody holds, and keeps one that is held already. */
  async #hold(seen: TierState | null): Promise<boolean> {
    const { clock, maxAge, clockSkew } = this.options;
    const now = clock();
    const length = maxAge + 2 * clockSkew;
    const isHeld = this.#holds() && seen?.holder === this.#processId;
    if (isHeld && seen.until - now > length / 2) return true;
    if (!(await this.#state.write(seen, { holder: this.#processId, until: now + length }))) return false;
    // While nobody held it others may have written.
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
    throw new SessionStoreError('suspend', 'other processes kept writing the notice of the fast tier');
  }
}
