import type { StoreCall } from '../../core/session-store';
import type { NodeRedisClient } from './redis-client';
import { signalOf } from './redis-connection';
import { TransientError } from './redis-failure';

/** A client that emits an event synchronously when a connection is lost. */
interface ConnectionEvents {
  on(event: string, listener: () => void): unknown;
}

type Send = (signal: AbortSignal) => Promise<unknown>;

/**
 * Passes a command to a client of `redis`, and withdraws it when its call is aborted. A client older than 6.2 does not survive that, so
 * {@link UnsentCommands} withdraws its commands only when its connection breaks.
 * @param event what the client emits synchronously when a connection is lost
 */
export function passToClient(
  client: NodeRedisClient & ConnectionEvents,
  event: string,
  call: StoreCall,
  send: Send,
): Promise<unknown> {
  return isOlderThan62(client) ? UnsentCommands.of(client, event).send(send) : send(signalOf(call));
}

/** Whether a client of `redis` lacks the commands that 6.2 added, and so has the faults that {@link UnsentCommands} describes. */
export function isOlderThan62(client: NodeRedisClient): boolean {
  return !('sDiffCard' in client);
}

/**
 * Commands that a client of `redis` has accepted and not yet written to the socket. Two faults make them dangerous. All versions of 5 have
 * both, up to the last, 5.12, so that requiring a newer 5 would not help.
 *
 * Before 6.0: when the connection breaks at that moment, the client writes them to the dead socket and waits for their answers on the next
 * connection. There each answer is matched to the wrong command, starting with the handshake, and the client never becomes ready again. So
 * this class withdraws unwritten commands as soon as a connection breaks.
 *
 * Before 6.2: withdrawing an older command before a newer one breaks the client's linked list and loses all commands behind it. So this
 * class withdraws the newest first, and the signal of a call must not withdraw a command.
 */
class UnsentCommands {
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
  async send(send: Send): Promise<unknown> {
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
