import type { StoreCall } from '../../core/session-store';
import { isAborted } from './redis-connection';
import { redisFailureOf } from './redis-failure';

/** How often the commands that wait are looked at, in milliseconds. */
const LOOK_EVERY = 1000;
/** How many looks in a row find a connection silent before it is replaced. */
const SILENT_LOOKS = 2;
/** How many looks a replaced connection is left alone. */
const SPARED_LOOKS = 5;

interface WaitingCommand {
  readonly key: string;
  readonly call: StoreCall;
}

/**
 * Replaces connections that answer nothing. When a network drops a connection without closing it, a client of Redis notices that only
 * after a quarter of an hour, when TCP gives up, and all commands wait until then.
 *
 * A connection is silent when a call has passed its deadline with its command unanswered, and nothing else has been answered since. So a
 * server that is slower than the deadline allows, but answers, keeps its connections.
 */
export class AnswerWatch<C extends object> {
  /** One instance per client, shared by all stores, so that they do not replace a connection twice. */
  static readonly #all = new WeakMap<object, AnswerWatch<object>>();

  readonly #waiting = new Set<WaitingCommand>();
  /** For each silent connection the number of looks that found it so; negative while it is left alone. */
  readonly #silent = new Map<C, number>();
  #timer: NodeJS.Timeout | undefined;

  private constructor(
    private readonly connectionOf: (key: string) => C | undefined,
    private readonly replace: (connection: C) => void,
  ) {}

  /**
   * @param connectionOf the connection on which commands with this key are sent, if there is one at present
   * @param replace must do nothing with a connection that is not established
   */
  static of<C extends object>(
    client: object,
    connectionOf: (key: string) => C | undefined,
    replace: (connection: C) => void,
  ): AnswerWatch<C> {
    const known = this.#all.get(client) as AnswerWatch<C> | undefined;
    if (known !== undefined) return known;
    const watch = new AnswerWatch(connectionOf, replace);
    this.#all.set(client, watch as unknown as AnswerWatch<object>);
    return watch;
  }

  /** Passes a command to the client, and waits for its answer. */
  async send(key: string, call: StoreCall, send: () => Promise<unknown>): Promise<unknown> {
    const command = { key, call };
    this.#waiting.add(command);
    if (this.#timer === undefined) this.#timer = setTimeout(this.#look, LOOK_EVERY).unref();
    try {
      const reply = await send();
      this.#answered(key);
      return reply;
    } catch (error) {
      if (redisFailureOf(error).code !== null) this.#answered(key);
      throw error;
    } finally {
      this.#waiting.delete(command);
    }
  }

  #answered(key: string): void {
    if (this.#silent.size === 0) return;
    const connection = this.connectionOf(key);
    if (connection !== undefined) this.#silent.delete(connection);
  }

  /** Looks are counted, not measured: answers that arrived while the event loop was blocked are read between two of them. */
  readonly #look = (): void => {
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
        this.replace(connection);
      }
    }
    this.#timer = this.#waiting.size > 0 ? setTimeout(this.#look, LOOK_EVERY).unref() : undefined;
  };

  /** The commands whose calls have passed their deadlines, by connection. */
  #unanswered(): Map<C, WaitingCommand[]> {
    const unanswered = new Map<C, WaitingCommand[]>();
    for (const command of this.#waiting) {
      const connection = isAborted(command.call) ? this.connectionOf(command.key) : undefined;
      if (connection === undefined) continue;
      const commands = unanswered.get(connection);
      if (commands === undefined) unanswered.set(connection, [command]);
      else commands.push(command);
    }
    return unanswered;
  }
}
