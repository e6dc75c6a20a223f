import { setTimeout as pause } from 'node:timers/promises';
import slotOf from 'cluster-key-slot';
import type { StoreCall } from '../../core/session-store';
import { AnswerWatch } from './answer-watch';
import type { IoredisClient } from './redis-client';
import { CLOSING_TIMEOUT, oneOf, signalOf } from './redis-connection';
import type { RedisCommand, RedisConnection, RedisNode } from './redis-connection';
import { textOf } from './redis-reply';
import { warnOfNoReconnect, warnOfSilence } from './silence-warnings';

/** The members that `Redis` and `Cluster` share. */
interface IoredisInstance extends IoredisClient {
  readonly isCluster?: boolean;
  /** The socket, if there is one. Not of a Cluster. */
  readonly stream?: { readonly bytesRead?: number } | null;
  readonly options: {
    readonly keyPrefix?: string | Buffer;
    readonly scaleReads?: unknown;
    readonly host?: string;
    readonly port?: number;
    readonly retryStrategy?: unknown;
    readonly socketTimeout?: number;
    /** Settings of the nodes of a Cluster. */
    readonly redisOptions?: { readonly socketTimeout?: number };
  };
  call(name: string, ...parameters: string[]): Promise<unknown>;
  connect(): Promise<unknown>;
  quit(): Promise<unknown>;
  disconnect(reconnect?: boolean): void;
  once(event: 'end', listener: (value: unknown) => void): unknown;
  on(event: 'message', listener: (channel: string, message: string) => void): unknown;
  on(event: 'error', listener: () => void): unknown;
  subscribe(channel: string): Promise<unknown>;
  duplicate(options: object): IoredisInstance;
}

interface IoredisCluster extends IoredisInstance {
  /** For each hash slot the addresses of its servers, the master first. */
  readonly slots: readonly (readonly string[])[];
  nodes(role: 'master'): IoredisInstance[];
  refreshSlotsCache(): void;
}

/** Duck typing, so that the client may come from another copy of the package. */
export function isIoredis(client: object): client is IoredisClient {
  const { call, status } = client as Partial<Record<string, unknown>>;
  return typeof call === 'function' && typeof status === 'string';
}

/**
 * `ioredis`: single server, Sentinel or Cluster. The client sends scripts to masters even when it reads from replicas, adds its
 * `keyPrefix` to keys, and resends commands in flight when the connection breaks. It cannot withdraw a queued command.
 */
export class IoredisConnection implements RedisConnection {
  readonly keyPrefix = '';
  readonly hiddenPrefix: string;
  readonly readsReplicas: boolean;
  readonly #client: IoredisInstance;
  readonly #cluster: IoredisCluster | null;
  /** `null` for a client that other code uses too. */
  readonly #watch: AnswerWatch<IoredisInstance> | null;

  constructor(client: IoredisClient, isOwn: boolean) {
    this.#client = client as IoredisInstance;
    const { isCluster, options } = this.#client;
    this.#cluster = isCluster === true ? (client as IoredisCluster) : null;
    this.hiddenPrefix = textOf(options.keyPrefix ?? '');
    this.#watch = isOwn ? new AnswerWatch((silent) => this.#replace(silent), receivedOn) : null;
    this.readsReplicas = this.#cluster !== null && (options.scaleReads ?? 'master') !== 'master';
  }

  get warning(): string | undefined {
    const { socketTimeout, redisOptions } = this.#client.options;
    if ((redisOptions?.socketTimeout ?? socketTimeout) !== undefined) return undefined;
    if (this.#watch !== null)
      return this.#reconnects(this.#client) ? undefined : warnOfNoReconnect('retryStrategy');
    const setting = 'socketTimeout: 2500';
    return warnOfSilence('socketTimeout', this.#cluster === null ? setting : `redisOptions: { ${setting} }`);
  }

  get isClosed(): boolean {
    return this.#client.status === 'end';
  }

  async open(): Promise<void> {
    if (['wait', 'end'].includes(this.#client.status)) await this.#client.connect();
  }

  async close(): Promise<void> {
    const client = this.#client;
    if (client.status === 'end') return;
    const ended = new Promise((resolve) => client.once('end', resolve));
    // A client that has not connected yet would do so to quit.
    if (client.status === 'wait') client.disconnect();
    else client.quit().catch(() => undefined);
    await Promise.race([ended, pause(CLOSING_TIMEOUT, undefined, { ref: false })]);
    client.disconnect();
  }

  send(key: string, command: RedisCommand, call: StoreCall): Promise<unknown> {
    const send = () =>
      this.#cluster === null ? sendTo(this.#client, command) : this.#sendLooking(command, signalOf(call));
    return this.#watch === null ? send() : this.#watch.send(() => this.#connectionOf(key), call, send);
  }

  async listen(
    channel: string,
    receive: (message: string) => void,
    lost: () => void,
    over: AbortSignal,
  ): Promise<void> {
    const model = this.#cluster === null ? this.#client : oneOf(this.#cluster.nodes('master'));
    const client = model.duplicate({ lazyConnect: true, retryStrategy: null });
    // Also while it connects: a client of Sentinels would try for ever.
    over.addEventListener('abort', () => client.disconnect(), { once: true });
    client.on('message', (from, message) => void (from === channel && receive(message)));
    client.on('error', () => {});
    client.once('end', lost);
    await client.connect();
    await client.subscribe(channel);
  }

  nodes(): readonly RedisNode[] {
    const clients = this.#cluster === null ? [this.#client] : mastersOf(this.#cluster);
    return clients.map((client) => ({ send: (command) => sendTo(client, command) }));
  }

  /** The connection of this key: in a Cluster that of its master. */
  #connectionOf(key: string): IoredisInstance | undefined {
    if (this.#cluster === null) return this.#client;
    const address = this.#cluster.slots[slotOf(this.hiddenPrefix + key)]?.[0];
    return this.#cluster.nodes('master').find(({ options: { host, port } }) => `${host}:${port}` === address);
  }

  /** The client resends what waits for an answer. A client without a `retryStrategy` would end; a Cluster makes its nodes anew. */
  #replace(silent: IoredisInstance): void {
    if (this.#reconnects(silent) && ['connect', 'ready'].includes(silent.status)) silent.disconnect(true);
  }

  #reconnects({ options }: IoredisInstance): boolean {
    return this.#cluster !== null || typeof options.retryStrategy === 'function';
  }

  async #sendLooking(command: RedisCommand, signal: AbortSignal): Promise<unknown> {
    const look = this.#look;
    signal.addEventListener('abort', look, { once: true });
    try {
      return await sendTo(this.#client, command);
    } finally {
      signal.removeEventListener('abort', look);
    }
  }

  /** Refreshes the slots: a master that hangs instead of closing its connections does not announce its successor. */
  readonly #look = (): void => this.#cluster?.refreshSlotsCache();
}

function receivedOn({ stream }: IoredisInstance): number {
  return stream?.bytesRead ?? 0;
}

/** All masters. @throws Error when one cannot be reached; ioredis leaves it out of its nodes */
function mastersOf(cluster: IoredisCluster): IoredisInstance[] {
  const masters = cluster.nodes('master');
  if (masters.length < new Set(cluster.slots.map(([master]) => master)).size)
    throw new Error('a master of the Cluster cannot be reached');
  return masters;
}

/** Async, because ioredis throws some errors synchronously. */
async function sendTo(client: IoredisInstance, [name, ...parameters]: RedisCommand): Promise<unknown> {
  return client.call(name, ...parameters);
}
