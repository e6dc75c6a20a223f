import type { StoreCall } from '../../core/session-store';
import { isAborted } from './redis-connection';
import { isCommandTimeout, redisFailureOf } from './redis-failure';

/** How often the commands that wait are looked at, in milliseconds. */
const LOOK_EVERY = 1000;
/** How many looks in a row find a connection silent before it is replaced. */
const SILENT_LOOKS = 2;
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
 * A connection is silent when a call has passed its deadline with its command unanswered, and nothing else has been answered since. So a
 * server that is slower than the deadline allows, but answers, keeps its connections.
 *
 * Only for a client that the store alone uses: commands of other code may delay those of the store, and would be rejected or executed twice.
 */
export class AnswerWatch<C extends object> {
  readonly #waiting = new Set<WaitingCommand<C>>();
  /** Connections on which the client gave a command up, with what they had received by then. */
  readonly #gaveUp = new Map<C, number>();
  /** For each silent connection the number of looks that found it so; negative while it is left alone. */
  readonly #silent = new Map<C, number>();
  #timer: NodeJS.Timeout | undefined;

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
    this.#timer = undefined;
    this.#silent.clear();
    this.#gaveUp.clear();
    await Promise.allSettled(Array.from(this.#waiting, ({ answer }) => answer));
  }

  #lookLater(): void {
    this.#timer ??= setTimeout(this.#look, LOOK_EVERY).unref();
  }

  #answered(command: WaitingCommand<C>): void {
    if (this.#silent.size + this.#gaveUp.size === 0) return;
    const connection = connectionOf(command);
    if (connection === undefined) return;
    this.#silent.delete(connection);
    this.#gaveUp.delete(connection);
  }

  #givenUp(command: WaitingCommand<C>): void {
    const connection = connectionOf(command);
    if (connection === undefined || this.#gaveUp.has(connection)) return;
    this.#gaveUp.set(connection, this.receivedOn(connection));
    this.#lookLater();
  }

  /** Looks are counted, not measured: answers that arrived while the event loop was blocked are read between two of them. */
  readonly #look = (): void => {
    this.#timer = undefined;
    const unanswered = this.#unanswered();
    for (const connection of new Set([...this.#silent.keys(), ...unanswered.keys()])) {
      const looks = (this.#silent.get(connection) ?? 0) + 1;
      const commands = unanswered.get(connection);
      if (looks <= 0) this.#silent.set(connection, looks);
      else if (commands === undefined) this.#silent.delete(connection);
      else if (looks < SILENT_LOOKS) this.#silent.set(connection, looks);
      else {
        this.#silent.set(connection, -SPARED_LOOKS);
        // They say nothing about the next connection.
        for (const command of commands) this.#waiting.delete(command);
        this.#gaveUp.delete(connection);
        this.#tryToReplace(connection);
      }
    }
    if (this.#waiting.size + this.#gaveUp.size > 0) this.#lookLater();
  };

  /** Never throws: it runs in a timer, where an error would end the process. */
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
