import { setTimeout as pause } from 'node:timers/promises';
import type { StoreCall } from '../../core/session-store';
import { AnswerWatch } from './answer-watch';
import type { NodeRedisClient } from './redis-client';
import { warnOfNoReconnect, warnOfSilence } from './silence-warnings';
import { CLOSING_TIMEOUT, type RedisCommand } from './redis-connection';
import { TransientError } from './redis-failure';
import { textOf } from './redis-reply';
import { isOlderThan62, passToClient } from './unsent-commands';

/** Options of a command. They override those of the application's client. */
export interface CommandOptions {
  readonly abortSignal: AbortSignal;
  /** Empty: replies are strings, even when the application maps them to Buffers. */
  readonly typeMapping: object;
}

/** A client of one server. */
export interface NodeRedisSingle extends NodeRedisClient {
  readonly isReady: boolean;
  readonly options?: NodeRedisOptions;
  on(event: string, listener: () => void): unknown;
  sendCommand(command: readonly string[], options?: CommandOptions): Promise<unknown>;
  duplicate(overrides: object): NodeRedisSingle;
}

interface NodeRedisOptions {
  readonly pingInterval?: number;
  readonly socket?: { readonly socketTimeout?: number; readonly reconnectStrategy?: unknown };
}

/** Sends commands to the servers of a client, and watches whether they answer if the store alone uses the client. */
export class NodeRedisSender {
  readonly #watch: AnswerWatch<NodeRedisSingle> | null;
  /** The client of the server that was used last. Those of all servers have the same settings. */
  #used: NodeRedisSingle | undefined;

  /** @param isOwn whether the store alone uses the client */
  constructor(private readonly isOwn: boolean) {
    this.#watch = isOwn ? new AnswerWatch(replaceConnection) : null;
  }

  /** What is doubtful about the client's settings; known after the first command to a server. */
  get warning(): string | undefined {
    if (this.#used === undefined) return undefined;
    if (this.isOwn) return reconnects(this.#used) ? undefined : warnOfNoReconnect('reconnectStrategy');
    if (endsSilentConnections(this.#used)) return undefined;
    return warnOfSilence(
      'socketTimeout with pingInterval and reconnectStrategy',
      'socketTimeout: 2500, pingInterval: 1000 and a reconnectStrategy',
    );
  }

  /** Sends one command to one server. */
  async sendTo(client: NodeRedisSingle, command: RedisCommand, call: StoreCall): Promise<unknown> {
    const send = (signal: AbortSignal) => this.sendWith(signal, client, command, call);
    // Before 6.2 the client would queue the command, and could not withdraw it when the call is aborted.
    if (isOlderThan62(client) && !client.isReady) throw new TransientError('The client is not connected');
    return passToClient(client, 'reconnecting', call, send);
  }

  /** Sends one command to one server. @param abortSignal withdraws the command if it is not sent yet */
  async sendWith(
    abortSignal: AbortSignal,
    client: NodeRedisSingle,
    command: RedisCommand,
    call: StoreCall,
  ): Promise<unknown> {
    this.#used = client;
    const send = () => client.sendCommand(command, { abortSignal, typeMapping: {} });
    return this.watched(() => client, call, send);
  }

  /** Passes a command to the client. @param serverOf the client of the server that gets the command, if it is known */
  watched(
    serverOf: () => NodeRedisSingle | undefined,
    call: StoreCall,
    send: () => Promise<unknown>,
  ): Promise<unknown> {
    return this.#watch === null ? send() : this.#watch.send(serverOf, call, send);
  }

  /**
   * Destroys the client after the commands that wait have been answered, or else after {@link CLOSING_TIMEOUT}. The client's `close` would
   * wait too, but when a server never answers, clients before 6.3 cannot end the connection afterwards.
   */
  async close(client: NodeRedisClient): Promise<void> {
    const openable = client as Openable;
    // A client that is ready and not open is closing, and may wait for an answer that never comes.
    if (!openable.isOpen && openable.isReady !== true) return;
    if (this.#watch !== null) await withinClosingTimeout(this.#watch.stop());
    const silent = this.#watch?.waitedFor ?? [];
    clearTimeout(openable.cleanupTimeout);
    await withinClosingTimeout(destroyClient(openable));
    // Before 6.2 a pool may have forgotten clients that are in use, because of a fault in its linked list.
    for (const each of silent) await destroyClient(each);
  }
}

/**
 * Connects a client anew. The client rejects the commands that wait, and makes its subscriptions again. A client that is not ready
 * connects already; to destroy it then would leave it with two connections. A client that is ready and not open is closing.
 */
function replaceConnection(client: NodeRedisSingle): void {
  if (!client.isOpen || !client.isReady || !reconnects(client)) return;
  const openable = client as NodeRedisClient as Openable;
  openable.destroy();
  openable.connect().catch(() => undefined); // the client has reported it as an `error` event
}

/** A client that never reconnects would stay closed when the server cannot be reached at that moment. */
function reconnects({ options }: NodeRedisSingle): boolean {
  return options?.socket?.reconnectStrategy !== false;
}

/** The default `reconnectStrategy` closes the client after a `socketTimeout`. */
function endsSilentConnections({ options }: NodeRedisSingle): boolean {
  const { pingInterval, socket } = options ?? {};
  const reconnects = ['function', 'number'].includes(typeof socket?.reconnectStrategy);
  return Boolean(socket?.socketTimeout) && Boolean(pingInterval) && reconnects;
}

/** The members with which all kinds of clients are opened and closed. */
interface Openable extends NodeRedisClient {
  readonly isReady?: boolean;
  /** A timer of a pool, which `destroy` leaves running. */
  readonly cleanupTimeout?: NodeJS.Timeout;
  connect(): Promise<unknown>;
  destroy(): unknown;
}

/** Connects a client that is not open. */
export async function openClient(client: NodeRedisClient): Promise<void> {
  if (!client.isOpen) await (client as Openable).connect();
}

/** Closes a client at once. Before 6.3 it throws when it is closed already. */
export async function destroyClient(client: NodeRedisClient): Promise<void> {
  try {
    await (client as Openable).destroy();
  } catch {
    // Nothing is left that could be closed.
  }
}

async function withinClosingTimeout(closing: Promise<void>): Promise<void> {
  await Promise.race([closing, pause(CLOSING_TIMEOUT, undefined, { ref: false })]);
}

/** Clients have an option for a key prefix from 6.1 on. */
export function keyPrefixOf(client: NodeRedisClient): string {
  return textOf((client as { _keyPrefix?: string | Buffer })._keyPrefix ?? '');
}
