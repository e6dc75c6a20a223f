import { networkOf } from './network-of';
import { Throttle, type Clock } from './throttle';

const MINUTE = 60 * 1000;
const PER_ADDRESS = { attempts: 30, window: 5 * MINUTE };
const PER_ACCOUNT_AND_ADDRESS = { attempts: 5, window: 5 * MINUTE };
const PER_ACCOUNT = { attempts: 20, window: 15 * MINUTE };
const MOST_FAMILIAR = 20_000;

/**
 * Slows down who guesses passwords, by three limits: for one address, whichever accounts it tries; for one account from one
 * address; and for one account from everywhere, for an attacker with many addresses.
 *
 * The third alone would let strangers keep an owner out. It therefore leaves out familiar addresses, from which the account was logged
 * in to before: their attempts are neither counted nor refused by it. An owner at a new address waits as the strangers do, at most for
 * the window.
 *
 * An account need not exist to be limited. Only a client that shares a familiar address could tell.
 */
export class LoginThrottle {
  readonly #byAddress: Throttle;
  readonly #byBoth: Throttle;
  readonly #byAccount: Throttle;
  /** Pairs of address and account, the one that logged in longest ago first. */
  readonly #familiar = new Set<string>();

  constructor(clock?: Clock) {
    this.#byAddress = new Throttle(PER_ADDRESS, clock);
    this.#byBoth = new Throttle(PER_ACCOUNT_AND_ADDRESS, clock);
    this.#byAccount = new Throttle(PER_ACCOUNT, clock);
  }

  /** Counts an attempt, and returns the milliseconds to wait before it may be made: 0 for go on. */
  attempt(address: string, account: string): number {
    const network = networkOf(address);
    const both = `${network} ${account}`;
    // In this order: what one limit refuses is not held against the next, or one address could use up what all have.
    return (
      this.#byAddress.attempt(network) ||
      this.#byBoth.attempt(both) ||
      (this.#familiar.has(both) ? 0 : this.#byAccount.attempt(account))
    );
  }

  /**
   * The password was right. The attempt is taken back, and the address is familiar from now on. The account's count stays: otherwise
   * strangers could go on guessing whenever the owner logs in.
   */
  succeeded(address: string, account: string): void {
    const network = networkOf(address);
    const both = `${network} ${account}`;
    this.#byAddress.takeBack(network);
    this.#byBoth.forget(both);
    if (!this.#familiar.delete(both)) this.#byAccount.takeBack(account);
    this.#familiar.add(both);
    if (this.#familiar.size > MOST_FAMILIAR) this.#familiar.delete(this.#familiar.keys().next().value!);
  }
}
