/** Something that must not take forever. */
export interface Expiring {
  /** When it is given up, as `performance.now()` tells time. */
  due: number;
  expire(): void;
}

/**
 * Gives up what takes too long. Everything has the same time, so what began first is due first: one timer does for
 * all of them, and beginning and ending cost next to nothing.
 */
export class CallDeadlines {
  readonly #pending = new Set<Expiring>();
  #timer: NodeJS.Timeout | undefined;

  /** @param timeout in milliseconds */
  constructor(readonly timeout: number) {}

  add(call: Expiring): void {
    call.due = performance.now() + this.timeout;
    this.#pending.add(call);
    if (this.#timer === undefined) this.#wait(this.timeout);
  }

  delete(call: Expiring): void {
    this.#pending.delete(call);
  }

  /** No calls will come any more. */
  close(): void {
    clearTimeout(this.#timer);
  }

  /** The timer alone keeps no process alive: whoever waits for an answer has a socket open. */
  #wait(milliseconds: number): void {
    this.#timer = setTimeout(() => this.#check(), Math.ceil(milliseconds)).unref();
  }

  #check(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (const call of this.#pending) {
      if (call.due > now) return this.#wait(call.due - now);
      this.#pending.delete(call);
      call.expire();
    }
  }
}
