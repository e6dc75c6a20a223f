import { Injectable } from '@nestjs/common';

interface Count {
  readonly until: number;
  attempts: number;
}

const WINDOW = 5 * 60 * 1000;
/** For one account from one address. Counting the account alone would let anybody lock its owner out. */
const PER_ACCOUNT = 5;
/** For one address, whichever accounts it tries. */
const PER_ADDRESS = 30;
/** Bounds the memory; the oldest are forgotten first. */
const MAX_COUNTS = 20_000;

/**
 * Slows down who guesses passwords. An attempt is counted before the password is looked at, so that guesses made at once are
 * not all "the first". Honest limits: the counts are this process's own and end with it, and somebody with many addresses gets
 * that many times as far. A site with several processes keeps them in a shared place.
 */
@Injectable()
export class LoginThrottle {
  readonly #counts = new Map<string, Count>();

  /** Counts an attempt, and says how many milliseconds to wait before it may be made: 0 for go on. */
  attempt(address: string, account: string, now: number = Date.now()): number {
    const byAddress = this.#count(address, now);
    // Not counted against the account: refused attempts cost nothing, and could push everybody else's counts out.
    if (byAddress.attempts > PER_ADDRESS) return byAddress.until - now;
    const byAccount = this.#count(`${address} ${account}`, now);
    return byAccount.attempts > PER_ACCOUNT ? byAccount.until - now : 0;
  }

  /** The password was right: what was counted against the account is forgotten, and this attempt is not held against the address. */
  succeeded(address: string, account: string): void {
    this.#counts.delete(`${address} ${account}`);
    const byAddress = this.#counts.get(address);
    if (byAddress !== undefined) byAddress.attempts--;
  }

  #count(key: string, now: number): Count {
    const known = this.#counts.get(key);
    const count = known !== undefined && known.until > now ? known : { until: now + WINDOW, attempts: 0 };
    count.attempts++;
    // Put last, so that the map's first entry is the one that has rested longest.
    this.#counts.delete(key);
    this.#counts.set(key, count);
    for (const oldest of this.#counts.keys()) {
      if (this.#counts.size <= MAX_COUNTS) break;
      this.#counts.delete(oldest);
    }
    return count;
  }
}
