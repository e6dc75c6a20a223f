import { TransientError } from './redis-failure';

/** What emits an event when a connection is lost, before anything else can happen. */
interface ConnectionEvents {
  on(event: string, listener: () => void): unknown;
}

/**
 * Commands that version 5 of `redis` has taken and not yet written. When a connection breaks in that moment, it writes them to the
 * dead one and waits for their answers on the next: each answer there goes to the wrong command, and since that begins with its
 * greeting, the client never is ready again. So what has not been written is taken back as soon as a connection breaks.
 *
 * Only then, and the newest first: whoever takes the older of two back before the newer loses all that follow, because its list
 * goes on after an entry that is no longer there. So the signal of a call must not take anything back.
 */
export class UnsentCommands {
  /** One for each client, however many stores there are: it listens forever. */
  static readonly #all = new WeakMap<object, UnsentCommands>();

  readonly #waiting = new Set<AbortController>();

  static of(client: ConnectionEvents, event: string): UnsentCommands {
    let unsent = this.#all.get(client);
    if (unsent === undefined) {
      unsent = new UnsentCommands();
      this.#all.set(client, unsent);
      client.on(event, unsent.#takeBack);
    }
    return unsent;
  }

  /** @param send hands a command over; its signal takes it back, which does nothing once it is written */
  async send(send: (signal: AbortSignal) => Promise<unknown>): Promise<unknown> {
    const controller = new AbortController();
    this.#waiting.add(controller);
    try {
      return await send(controller.signal);
    } catch (error) {
      throw controller.signal.aborted
        ? new TransientError('The connection broke before the command was sent')
        : error;
    } finally {
      this.#waiting.delete(controller);
    }
  }

  readonly #takeBack = (): void => {
    for (const controller of [...this.#waiting].reverse()) controller.abort();
  };
}
