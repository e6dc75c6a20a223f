import { pauseAfter } from './core/pacer';
import { isSweepable } from './core/store-capabilities';
import type { SessionStore } from './core/session-store';
import type { StoreClient } from './core/store-client';
import type { Clock } from './core/clock';

/** Maximum number of records that one call removes. */
const SWEEP_BATCH = 200;

/** Minimum pause between two batches, in milliseconds. */
const SHORTEST_PAUSE = 10;

/** Removes expired records in the background: one timer per store, in batches with pauses between them. */
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

  /** Resolves when a running batch has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** Adds up to a tenth at random, so that processes do not all sweep at the same time. */
  #schedule(delay: number): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(
      () => void (this.#running = this.#sweep()),
      delay * (1 + Math.random() / 10),
    ).unref();
  }

  async #sweep(): Promise<void> {
    let removed = 0;
    const begun = performance.now();
    try {
      removed = await this.client.sweep(this.clock(), SWEEP_BATCH);
    } catch {
      // The client has reported the error. The next round tries again.
    }
    this.#schedule(
      removed < SWEEP_BATCH ? this.every! : pauseAfter(performance.now() - begun, SHORTEST_PAUSE),
    );
  }
}
