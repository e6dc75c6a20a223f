import type { SessionId } from '../../core/session-token';

/** How long ends are collected before they are announced together, in milliseconds. PostgreSQL commits one announcement at a time. */
const COLLECT_FOR = 20;

/** Pause after a failure, in milliseconds. */
const RETRY_AFTER = 1000;

/** Maximum number of ids in one message: PostgreSQL allows 8000 bytes. */
const IDS_PER_MESSAGE = 300;

/** Maximum number of ids that wait for a server. The others are found by those who watch them, half a minute later. */
const MAX_WAITING = 50_000;

/** Announces the ends of sessions, a few at once. */
export class EndAnnouncer {
  readonly #waiting = new Set<SessionId>();
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> | null = null;

  constructor(private readonly send: (message: string) => Promise<unknown>) {}

  announce(id: SessionId): void {
    if (this.#waiting.size >= MAX_WAITING) return;
    this.#waiting.add(id);
    this.#schedule(COLLECT_FOR);
  }

  /** Announces what waits. Gives up at the first failure. */
  async close(): Promise<void> {
    await this.#sending;
    clearTimeout(this.#timer);
    await this.#sendAll().catch(() => undefined);
    this.#waiting.clear();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #schedule(delay: number): void {
    if (this.#timer !== undefined || this.#sending !== null) return;
    this.#timer = setTimeout(() => this.#flush(), delay).unref();
  }

  #flush(): void {
    this.#timer = undefined;
    this.#sending = this.#sendAll().then(
      () => this.#settle(COLLECT_FOR),
      () => this.#settle(RETRY_AFTER),
    );
  }

  #settle(delay: number): void {
    this.#sending = null;
    if (this.#waiting.size > 0) this.#schedule(delay);
  }

  /** Those that a message contained wait again if it failed. */
  async #sendAll(): Promise<void> {
    const ids = [...this.#waiting];
    this.#waiting.clear();
    for (let start = 0; start < ids.length; start += IDS_PER_MESSAGE) {
      try {
        await this.send(ids.slice(start, start + IDS_PER_MESSAGE).join(','));
      } catch (error) {
        for (const id of ids.slice(start)) this.#waiting.add(id);
        throw error;
      }
    }
  }
}
