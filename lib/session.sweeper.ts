import { restAfter } from './core/pacer';
import { isSweepable } from './core/store-capabilities';
import type { SessionStore } from './core/session-store';
import type { StoreClient } from './core/store-client';
import type { Clock } from './core/clock';

/** How many records one call removes, so that no call takes long. */
const BATCH = 200;

/** The shortest rest between two batches, in milliseconds. */
const SHORTEST_REST = 10;

/** Removes expired records in the background: one timer for the whole store, one batch after the other with a rest in between. */
export class SessionSweeper {
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(
    private readonly store: SessionStore,
    private readonly client: StoreClient,
    private readonly clock: Clock,
    private readonly every: number | null,
  ) {}

  start(): void {
    if (this.every !== null && isSweepable(this.store)) this.#schedule(this.every);
  }

  /** Resolves when a batch under way has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** Spread by up to a tenth, so that many processes do not come at once. */
  #schedule(delay: number): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(
      () => void (this.#running = this.#sweep()),
      delay * (1 + Math.random() / 10),
    ).unref();
  }

  async #sweep(): Promise<void> {
    if (!isSweepable(this.store)) return;
    const { store } = this;
    let removed = 0;
    const begun = performance.now();
    try {
      removed = await this.client.call('sweep', null, (call) => store.sweep(this.clock(), BATCH, call));
    } catch {
      // The client has reported it; the next round tries again.
    }
    this.#schedule(removed < BATCH ? this.every! : restAfter(performance.now() - begun, SHORTEST_REST));
  }
}
