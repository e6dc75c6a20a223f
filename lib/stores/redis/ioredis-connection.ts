import type { StoreCall } from '../../core/session-store';
import type { IoredisClient } from './redis-client';
import { type RedisCommand, type RedisConnection, type RedisNode, signalOf } from './redis-connection';
import { textOf } from './redis-reply';

/** What there is of `Redis` and of `Cluster`. */
interface IoredisInstance extends IoredisClient {
  readonly isCluster?: boolean;
  readonly options: { readonly keyPrefix?: string | Buffer; readonly scaleReads?: unknown };
  call(name: string, ...parameters: string[]): Promise<unknown>;
}

interface IoredisCluster extends IoredisInstance {
  /** For each slot the addresses of its servers, the master's first. */
  readonly slots: readonly (readonly string[])[];
  nodes(role: 'master'): IoredisInstance[];
  refreshSlotsCache(): void;
}

/** Duck typing, so that it may come from another copy of the package. */
export function isIoredis(client: object): client is IoredisClient {
  const { call, status } = client as Partial<Record<string, unknown>>;
  return typeof call === 'function' && typeof status === 'string';
}

/**
 * `ioredis`, single server, Sentinel or Cluster. It sends scripts to masters, also where it reads from replicas; puts its
 * `keyPrefix` before keys by itself; repeats by itself what was under way when the connection broke; and cannot take back what
 * waits to be sent.
 */
export class IoredisConnection implements RedisConnection {
  readonly keyPrefix = '';
  readonly hiddenPrefix: string;
  readonly readsReplicas: boolean;
  readonly #client: IoredisInstance;
  readonly #cluster: IoredisCluster | null;

  constructor(client: IoredisClient) {
    this.#client = client as IoredisInstance;
    const { isCluster, options } = this.#client;
    this.#cluster = isCluster === true ? (client as IoredisCluster) : null;
    this.hiddenPrefix = textOf(options.keyPrefix ?? '');
    this.readsReplicas = this.#cluster !== null && (options.scaleReads ?? 'master') !== 'master';
  }

  get isClosed(): boolean {
    return this.#client.status === 'end';
  }

  send(_key: string, command: RedisCommand, call: StoreCall): Promise<unknown> {
    return this.#cluster === null
      ? sendTo(this.#client, command)
      : this.#sendLooking(command, signalOf(call));
  }

  nodes(): readonly RedisNode[] {
    const clients = this.#cluster === null ? [this.#client] : mastersOf(this.#cluster);
    return clients.map((client) => ({ send: (command) => sendTo(client, command) }));
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

  /** A master that is silent instead of gone tells nobody who has taken its place. */
  readonly #look = (): void => this.#cluster?.refreshSlotsCache();
}

/** All of them: a master that cannot be reached is missing among the nodes. */
function mastersOf(cluster: IoredisCluster): IoredisInstance[] {
  const masters = cluster.nodes('master');
  if (masters.length < new Set(cluster.slots.map(([master]) => master)).size)
    throw new Error('a master of the Cluster cannot be reached');
  return masters;
}

/** Async, because some of its mistakes are thrown. */
async function sendTo(client: IoredisInstance, [name, ...parameters]: RedisCommand): Promise<unknown> {
  return client.call(name, ...parameters);
}
