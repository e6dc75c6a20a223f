import { TransientError } from './redis-failure';

/** A client that emits an event synchronously when a connection is lost. */
interface ConnectionEvents {
  on(event: string, listener: () => void): unknown;
}

/**
 * Commands that version 5 of `redis` has accepted and not yet written to the socket. When the connection breaks at that moment, the client
 * writes them to the dead socket and waits for their answers on the next connection. There each answer is matched to the wrong command,
 * starting with the handshake, and the client never becomes ready again. So this class withdraws unwritten commands as soon as a
 * connection breaks.
 *
 * It withdraws them only then, and the newest first. Withdrawing an older command before a newer one breaks the client's linked list and
 * loses all commands behind it. So the signal of a call must not withdraw a command.
 */
export class UnsentCommands {
  /** One instance per client, shared by all stores, because its listener is never removed. */
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

  /** @param send passes a command to the client; its signal withdraws the command, and has no effect once the command is written */
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
