import type { StoreCall } from '../../core/session-store';
import { isAborted } from './redis-connection';
import { isCommandTimeout, redisFailureOf } from './redis-failure';

/** How often the commands that wait are looked at, in milliseconds. */
const LOOK_EVERY = 1000;
/** How many looks a replaced connection is left alone. */
const SPARED_LOOKS = 5;

interface WaitingCommand<C> {
  readonly call: StoreCall;
  readonly connectionOf: () => C | undefined;
  readonly answer: Promise<unknown>;
}

/**
 * Replaces connections that answer nothing. When a network drops a connection without closing it, a client of Redis notices that only
 * after a quarter of an hour, when TCP gives up, and all commands wait until then.
 *
 * A connection is replaced when two looks in a row find a call on it past its deadline with its command unanswered, and nothing has arrived
 * between the two. So a server that is slower than the deadline allows, but answers, keeps its connections.
 *
 * Only for a client that the store alone uses: commands of other code may delay those of the store, and would be rejected or executed twice.
 */
export class AnswerWatch<C extends object> {
  readonly #waiting = new Set<WaitingCommand<C>>();
  /** Connections on which the client gave a command up, with what they had received by then. */
  readonly #gaveUp = new Map<C, number>();
  /** Connections that the last look found unanswered, with what they had received by then. */
  readonly #silent = new Map<C, number>();
  /** For each connection that was replaced the number of looks for which it is still left alone. */
  readonly #spared = new Map<C, number>();
  #timer: NodeJS.Timeout | undefined;
  #look: NodeJS.Immediate | undefined;

  /**
   * @param replace must do nothing with a connection that is not established, or that the application closes
   * @param receivedOn how many bytes a connection has received; needed if the client gives commands up
   */
  constructor(
    private readonly replace: (connection: C) => void,
    private readonly receivedOn: (connection: C) => number = () => 0,
  ) {}

  /**
   * Passes a command to the client, and waits for its answer.
   * @param connectionOf the connection on which the command is sent, if there is one at present
   */
  async send(
    connectionOf: () => C | undefined,
    call: StoreCall,
    send: () => Promise<unknown>,
  ): Promise<unknown> {
    const command = { call, connectionOf, answer: send() };
    this.#waiting.add(command);
    this.#lookLater();
    try {
      const reply = await command.answer;
      this.#answered(command);
      return reply;
    } catch (error) {
      if (isCommandTimeout(error)) this.#givenUp(command);
      else if (redisFailureOf(error).code !== null) this.#answered(command);
      throw error;
    } finally {
      this.#waiting.delete(command);
    }
  }

  /** The connections on which commands wait. */
  get waitedFor(): ReadonlySet<C> {
    const connections = new Set<C>();
    for (const command of this.#waiting) {
      const connection = connectionOf(command);
      if (connection !== undefined) connections.add(connection);
    }
    return connections;
  }

  /** Replaces nothing any more, and resolves when the commands that wait have ended. The next command starts the watch again. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    clearImmediate(this.#look);
    this.#timer = this.#look = undefined;
    for (const connections of [this.#silent, this.#spared, this.#gaveUp]) connections.clear();
    await Promise.allSettled(Array.from(this.#waiting, ({ answer }) => answer));
  }

  /** The look follows the timer when what has arrived is read: after a blocked event loop, timers come first. */
  #lookLater(): void {
    this.#timer ??= setTimeout(() => (this.#look = setImmediate(() => this.#lookNow())), LOOK_EVERY).unref();
  }

  #answered(command: WaitingCommand<C>): void {
    if (this.#silent.size + this.#spared.size + this.#gaveUp.size === 0) return;
    const connection = connectionOf(command);
    if (connection === undefined) return;
    for (const connections of [this.#silent, this.#spared, this.#gaveUp]) connections.delete(connection);
  }

  #givenUp(command: WaitingCommand<C>): void {
    const connection = connectionOf(command);
    if (connection === undefined || this.#gaveUp.has(connection)) return;
    this.#gaveUp.set(connection, this.receivedOn(connection));
    this.#lookLater();
  }

  #lookNow(): void {
    this.#timer = undefined;
    const unanswered = this.#unanswered();
    for (const [connection, looks] of this.#spared) {
      unanswered.delete(connection);
      if (looks > 1) this.#spared.set(connection, looks - 1);
      else this.#spared.delete(connection);
    }
    for (const connection of this.#silent.keys())
      if (!unanswered.has(connection)) this.#silent.delete(connection);
    for (const [connection, commands] of unanswered) {
      const received = this.receivedOn(connection);
      if (this.#silent.get(connection) !== received) this.#silent.set(connection, received);
      else {
        this.#silent.delete(connection);
        this.#spared.set(connection, SPARED_LOOKS);
        // They say nothing about the next connection.
        for (const command of commands) this.#waiting.delete(command);
        this.#gaveUp.delete(connection);
        this.#tryToReplace(connection);
      }
    }
    if (this.#waiting.size + this.#gaveUp.size > 0) this.#lookLater();
  }

  /** Never throws: it runs in a look, where an error would end the process. */
  #tryToReplace(connection: C): void {
    try {
      this.replace(connection);
    } catch {
      // The next looks try again if the connection stays silent.
    }
  }

  /** The connections with commands whose calls have passed their deadlines, or that the client gave up. */
  #unanswered(): Map<C, WaitingCommand<C>[]> {
    const unanswered = new Map<C, WaitingCommand<C>[]>();
    for (const [connection, received] of this.#gaveUp) {
      // What the client gave up may be answered later, however late.
      if (this.receivedOn(connection) === received) unanswered.set(connection, []);
      else this.#gaveUp.delete(connection);
    }
    for (const command of this.#waiting) {
      const connection = isAborted(command.call) ? connectionOf(command) : undefined;
      if (connection === undefined) continue;
      const commands = unanswered.get(connection);
      if (commands === undefined) unanswered.set(connection, [command]);
      else commands.push(command);
    }
    return unanswered;
  }
}

/** Never throws: a command's reply must not depend on it. */
function connectionOf<C>(command: WaitingCommand<C>): C | undefined {
  try {
    return command.connectionOf();
  } catch {
    return undefined;
  }
}
