import type { Clock } from './clock';
import type { SessionId } from './session-token';
import type { EndSubscription } from './store-capabilities';
import type { LoginEnd, LoginSource, WatchedLogin } from './watched-login';

/** How often expiries are checked, and sessions of a store that cannot tell of ends are read, in milliseconds. */
const TICK = 500;

/**
 * How long a login goes without being read, in milliseconds, also when the store tells of ends: a process may crash between an end and its
 * hint, and an administrator may delete records by hand.
 */
const RECHECK = 30_000;

/** How long the store's subscription outlives the last watch, in milliseconds, so that short streams do not connect again and again. */
const LINGER = 30_000;

/**
 * For how many ticks a login is read after a hint: a store of two tiers may need two seconds until no copy of an ended session is read.
 */
const TICKS_AFTER_HINT = 4;

/** Maximum number of logins that are read together. */
const LOGINS_PER_PASS = 1000;

/** Maximum number of logins that are read at once, each by itself, after their last read has failed. */
const RETRIES_AT_ONCE = 16;

/** One login, and what waits for its end. Instants are those of `performance.now()`. */
interface Watch {
  login: WatchedLogin;
  readonly onEnd: (end: LoginEnd) => void;
  /** When it must be read again at the latest. */
  dueAt: number;
  /** Number of hints so far. */
  hints: number;
  /** How many further ticks read it. */
  again: number;
}

/**
 * Tells when watched logins end: by a logout or another login, in any process, by a revocation, or by expiry. A rotation is no end.
 *
 * The store's hints name the sessions to read. One interval for all of them checks expiries. When the store gives no hints, or cannot for
 * the moment, it also reads all that are watched. A failure of the store ends nothing, and holds up only the logins that could not be read.
 */
export class SessionEnds {
  readonly #watches = new Map<SessionId, Set<Watch>>();
  /** Those whose last read has failed, the one that has waited longest first. */
  readonly #unread = new Set<Watch>();
  readonly #reads = new PacedRuns();
  readonly #retries = new PacedRuns();
  #subscription: EndSubscription | null = null;
  #timer: NodeJS.Timeout | undefined;
  #idleSince = 0;
  #isScheduled = false;
  #isClosed = false;

  constructor(
    private readonly source: LoginSource,
    private readonly clock: Clock,
  ) {}

  /**
   * Calls `onEnd` once, when the login has ended, perhaps before this call. It must not throw.
   * @returns a function that stops watching
   */
  watch(login: WatchedLogin, onEnd: (end: LoginEnd) => void): () => void {
    if (this.#isClosed) return () => {};
    const watch: Watch = { login, onEnd, dueAt: 0, hints: 0, again: 0 };
    const ofSession = this.#watches.get(login.id) ?? new Set();
    this.#watches.set(login.id, ofSession.add(watch));
    this.#start();
    this.#readSoon();
    return () => this.#remove(watch);
  }

  /** Forgets all watches, and accepts no more. */
  close(): void {
    this.#isClosed = true;
    this.#watches.clear();
    this.#unread.clear();
    this.#stop();
  }

  #start(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setInterval(() => this.#tick(), TICK).unref();
    this.#subscription = this.source.watchEnds((id) => this.#hint(id));
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#subscription?.close();
    this.#subscription = null;
  }

  #remove(watch: Watch): void {
    const { id } = watch.login;
    this.#unread.delete(watch);
    const ofSession = this.#watches.get(id);
    if (ofSession?.delete(watch) !== true || ofSession.size > 0) return;
    this.#watches.delete(id);
    this.#idleSince = performance.now();
  }

  #hint(id: SessionId | null): void {
    const hinted = id === null ? this.#watches.values() : [this.#watches.get(id) ?? []];
    let isWatched = false;
    for (const ofSession of hinted)
      for (const watch of ofSession) {
        isWatched = true;
        watch.dueAt = 0;
        watch.hints++;
        watch.again = TICKS_AFTER_HINT;
      }
    if (isWatched) this.#readSoon();
  }

  #tick(): void {
    if (this.#watches.size === 0) {
      if (performance.now() - this.#idleSince > LINGER) this.#stop();
      return;
    }
    if (this.#reads.isRested) void this.#read(this.#subscription?.isActive !== true);
    if (this.#retries.isRested) void this.#retries.run(() => this.#retry());
  }

  /** Reads what is due after this turn of the event loop, so that many hints lead to one read. */
  #readSoon(): void {
    if (this.#isScheduled || this.#reads.isRunning) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      void this.#read(false);
    });
  }

  /** @param all also those that are not due */
  async #read(all: boolean): Promise<void> {
    await this.#reads.run(async () => {
      const due = this.#due(all);
      for (let start = 0; start < due.length; start += LOGINS_PER_PASS)
        await this.#judge(due.slice(start, start + LOGINS_PER_PASS));
    });
    // Hints that came during the reads.
    if (this.#due(false).length > 0) this.#readSoon();
  }

  /** Reads some whose last read has failed, and goes on while the store answers for one of them. */
  async #retry(): Promise<void> {
    for (let before = Infinity; this.#unread.size > 0 && this.#unread.size < before;) {
      before = this.#unread.size;
      await Promise.all([...this.#unread].slice(0, RETRIES_AT_ONCE).map((watch) => this.#judge([watch])));
    }
  }

  /** Those whose last read has failed are never due: {@link #retry} reads them, so that they delay no other. */
  #due(all: boolean): Watch[] {
    const due: Watch[] = [];
    const [elapsed, now] = [performance.now(), this.clock()];
    for (const ofSession of this.#watches.values())
      for (const watch of ofSession) {
        if (this.#unread.has(watch)) continue;
        if (all || watch.dueAt <= elapsed || watch.login.expiresAt <= now) due.push(watch);
      }
    return due;
  }

  async #judge(watches: readonly Watch[]): Promise<void> {
    const hints = watches.map((watch) => watch.hints);
    const logins = watches.map(({ login }) => login);
    // The store has reported its failure.
    const statuses = await this.source.statusOf(logins).catch(() => logins.map(() => null));
    for (const [index, watch] of watches.entries()) {
      const status = statuses[index]!;
      if (this.#watches.get(watch.login.id)?.has(watch) !== true) continue;
      this.#unread.delete(watch);
      if (status === null) {
        this.#unread.add(watch);
        continue;
      }
      if (typeof status !== 'string') {
        watch.login = status;
        if (watch.hints === hints[index]) this.#schedule(watch);
        continue;
      }
      this.#remove(watch);
      watch.onEnd(status);
    }
  }

  /** Spreads the next reads, so that sessions watched at one time are not all read at one time. */
  #schedule(watch: Watch): void {
    watch.dueAt = performance.now() + (watch.again > 0 ? TICK / 2 : RECHECK * (0.75 + Math.random() / 4));
    watch.again = Math.max(0, watch.again - 1);
  }
}

/** Runs one piece of work at a time. A store that answers slowly gets as long a pause after it. */
class PacedRuns {
  #restsUntil = 0;
  isRunning = false;

  get isRested(): boolean {
    return !this.isRunning && performance.now() >= this.#restsUntil;
  }

  /** Does nothing while another piece of work runs. */
  async run(work: () => Promise<void>): Promise<void> {
    if (this.isRunning) return;
    this.isRunning = true;
    const begunAt = performance.now();
    try {
      await work();
    } finally {
      this.isRunning = false;
      this.#restsUntil = 2 * performance.now() - begunAt;
    }
  }
}
