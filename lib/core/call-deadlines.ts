/** Something that must not take forever, and its place in the line of all that is under way. */
export abstract class Expiring {
  /** When it is given up, as `performance.now()` tells time. */
  due = 0;
  previous: Expiring | null = null;
  next: Expiring | null = null;

  /** Takes too long: it must leave the line. */
  abstract expire(): void;
}

/**
 * Gives up what takes too long. Everything has the same time, so what began first is due first: one timer does for
 * all of them, and beginning and ending cost next to nothing.
 */
export class CallDeadlines {
  #first: Expiring | null = null;
  #last: Expiring | null = null;
  #timer: NodeJS.Timeout | undefined;

  /** @param timeout in milliseconds */
  constructor(readonly timeout: number) {}

  add(call: Expiring): void {
    call.due = performance.now() + this.timeout;
    call.previous = this.#last;
    if (this.#last === null) this.#first = call;
    else this.#last.next = call;
    this.#last = call;
    if (this.#timer === undefined) this.#wait(this.timeout);
  }

  /** Once for each that was added. */
  remove(call: Expiring): void {
    const { previous, next } = call;
    // A store may hold on to a call for long, and must not hold its neighbors with it.
    call.previous = call.next = null;
    if (previous === null) this.#first = next;
    else previous.next = next;
    if (next === null) this.#last = previous;
    else next.previous = previous;
  }

  /** No calls will come any more. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** The timer alone keeps no process alive: whoever waits for an answer has a socket open. */
  #wait(milliseconds: number): void {
    this.#timer = setTimeout(() => this.#check(), Math.ceil(milliseconds)).unref();
  }

  #check(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (let call = this.#first; call !== null; call = this.#first) {
      if (call.due > now) return this.#wait(call.due - now);
      call.expire();
    }
  }
}
