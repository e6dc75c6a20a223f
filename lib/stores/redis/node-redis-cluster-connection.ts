import { setTimeout as pause } from 'node:timers/promises';
import slotOf from 'cluster-key-slot';
import type { StoreCall } from '../../core/session-store';
import {
  type CommandOptions,
  type NodeRedisSender,
  type NodeRedisSingle,
  keyPrefixOf,
  openClient,
} from './node-redis-client';
import { listenBeside } from './node-redis-listening';
import type { NodeRedisClient } from './redis-client';
import { type RedisCommand, type RedisConnection, type RedisNode, oneOf, signalOf } from './redis-connection';
import { TransientError } from './redis-failure';
import { isOlderThan62, passToClient } from './unsent-commands';

interface ClusterMaster {
  readonly client?: NodeRedisSingle;
}

interface NodeRedisCluster extends NodeRedisClient {
  readonly slots: readonly ({ readonly master: ClusterMaster } | undefined)[];
  readonly masters: readonly ClusterMaster[];
  readonly _slots: { rediscover?(startWith: NodeRedisSingle): Promise<void> };
  on(event: string, listener: () => void): unknown;
  nodeClient(master: ClusterMaster): Promise<NodeRedisSingle>;
  destroy(): unknown;
  sendCommand(
    firstKey: string,
    isReadonly: boolean,
    command: readonly string[],
    options: CommandOptions,
  ): Promise<unknown>;
}

/** How long a master may take to answer a ping, in milliseconds, before another master is asked for the topology. */
const PROOF_OF_LIFE = 1000;

/**
 * A Cluster of `redis`. The client rediscovers the topology when a server answers that it is not the master. When a master has died or
 * hangs, version 5 never does so, and version 6 only after 5 seconds. So this class triggers the rediscovery when a command got no answer.
 */
export class NodeRedisClusterConnection implements RedisConnection {
  readonly keyPrefix: string;
  readonly hiddenPrefix = '';
  readonly readsReplicas = false;
  readonly #cluster: NodeRedisCluster;
  #isAsking = false;

  constructor(
    client: NodeRedisClient,
    private readonly sender: NodeRedisSender,
  ) {
    this.#cluster = client as NodeRedisCluster;
    this.keyPrefix = keyPrefixOf(client);
  }

  get warning(): string | undefined {
    return this.sender.warning;
  }

  get isClosed(): boolean {
    return !this.#cluster.isOpen;
  }

  open(): Promise<void> {
    return openClient(this.#cluster);
  }

  close(): Promise<void> {
    return this.sender.close(this.#cluster);
  }

  async send(key: string, command: RedisCommand, call: StoreCall): Promise<unknown> {
    const master = () => this.#cluster.slots[slotOf(key)]?.master.client;
    const send = (abortSignal: AbortSignal) =>
      this.sender.watched(master, call, () =>
        this.#cluster.sendCommand(key, false, command, { abortSignal, typeMapping: {} }),
      );
    const signal = signalOf(call);
    const ask = this.#ask;
    signal.addEventListener('abort', ask, { once: true });
    try {
      // Before 6.2 the client would queue the command, and could not withdraw it when the call is aborted.
      if (isOlderThan62(this.#cluster) && this.#isLost(key))
        throw new TransientError('A master is not connected');
      return await passToClient(this.#cluster, 'node-reconnecting', call, send);
    } catch (error) {
      if (this.#misses()) ask();
      throw error;
    } finally {
      signal.removeEventListener('abort', ask);
    }
  }

  async listen(
    channel: string,
    receive: (message: string) => void,
    lost: () => void,
    over: AbortSignal,
  ): Promise<void> {
    const model = await this.#cluster.nodeClient(oneOf(this.#cluster.masters));
    if (!over.aborted) await listenBeside(model, channel, receive, lost, over);
  }

  nodes(): readonly RedisNode[] {
    return this.#cluster.masters.map((master) => ({
      send: async (command, call) =>
        this.sender.sendTo(await this.#cluster.nodeClient(master), command, call),
    }));
  }

  /** Whether a master is not connected. */
  #misses(): boolean {
    return this.#cluster.masters.some(isLost);
  }

  /** Whether the master of this key is not connected. */
  #isLost(key: string): boolean {
    if (!this.#misses()) return false;
    const shard = this.#cluster.slots[slotOf(key)];
    return shard === undefined || isLost(shard.master);
  }

  /** Runs in the background; the next attempt uses the result. The client reports a failure as an `error` event. */
  readonly #ask = (): void => {
    if (this.#isAsking) return;
    this.#isAsking = true;
    this.#rediscover()
      .catch(() => undefined)
      .finally(() => (this.#isAsking = false));
  };

  async #rediscover(): Promise<void> {
    // A master that hangs would never answer, and the client asks one master at a time.
    const alive = await Promise.any(this.#cluster.masters.map(({ client }) => proveLife(client)));
    if (this.isClosed) return;
    await this.#cluster._slots.rediscover?.(alive);
    // If the application closed the client in the meantime, the client has connected to the masters it found nevertheless.
    if (this.isClosed) await this.#cluster.destroy();
  }
}

function isLost({ client }: ClusterMaster): boolean {
  return client?.isReady === false;
}

async function proveLife(client: NodeRedisSingle | undefined): Promise<NodeRedisSingle> {
  if (client?.isReady !== true) throw new Error('not connected');
  const silence = pause(PROOF_OF_LIFE, undefined, { ref: false }).then(() => {
    throw new Error('silent');
  });
  await Promise.race([client.sendCommand(['ping']), silence]);
  return client;
}
