import type { StoreCall } from '../../core/session-store';
import { NodeRedisSender, type NodeRedisSingle, keyPrefixOf, openClient } from './node-redis-client';
import { listenBeside, listenThrough } from './node-redis-listening';
import type { NodeRedisClient } from './redis-client';
import { NodeRedisClusterConnection } from './node-redis-cluster-connection';
import { type RedisCommand, type RedisConnection, type RedisNode } from './redis-connection';
import { passToClient } from './unsent-commands';

interface NodeRedisPool extends NodeRedisClient {
  execute(task: (client: NodeRedisSingle) => Promise<unknown>): Promise<unknown>;
}

interface NodeRedisSentinel extends NodeRedisClient {
  on(event: string, listener: () => void): unknown;
  /** Runs a task with the client of the master. `sendCommand` is made of it. */
  _execute(isReadonly: boolean, task: (client: NodeRedisSingle) => Promise<unknown>): Promise<unknown>;
}

type SendCommand = (command: RedisCommand, call: StoreCall) => Promise<unknown>;

/** Duck typing, so that the client may come from another copy of the package. */
export function isNodeRedis(client: object): client is NodeRedisClient {
  const { sendCommand, isOpen } = client as Partial<Record<string, unknown>>;
  return typeof sendCommand === 'function' && typeof isOpen === 'boolean';
}

/** @param isOwn whether the store alone uses the client */
export function nodeRedisConnection(client: NodeRedisClient, isOwn: boolean): RedisConnection {
  const sender = new NodeRedisSender(isOwn);
  if ('nodeClient' in client) return new NodeRedisClusterConnection(client, sender);
  return new NodeRedisConnection(client, sender, sendCommandOf(client, sender));
}

function sendCommandOf(client: NodeRedisClient, sender: NodeRedisSender): SendCommand {
  if ('getSentinelNode' in client)
    return throughSentinel(client as NodeRedisClient as NodeRedisSentinel, sender);
  if ('execute' in client) return throughPool(client as NodeRedisClient as NodeRedisPool, sender);
  return (command, call) => sender.sendTo(client as NodeRedisSingle, command, call);
}

/**
 * `redis`: a client, a pool, or a Sentinel client. Its raw commands go to the master. They bypass the client-side cache, type mappings and
 * the `keyPrefix`, so the store adds the prefix itself.
 */
class NodeRedisConnection implements RedisConnection {
  readonly keyPrefix: string;
  readonly hiddenPrefix = '';
  readonly readsReplicas = false;

  constructor(
    private readonly client: NodeRedisClient,
    private readonly sender: NodeRedisSender,
    private readonly sendCommand: SendCommand,
  ) {
    this.keyPrefix = keyPrefixOf(client);
  }

  get warning(): string | undefined {
    return this.sender.warning;
  }

  get isClosed(): boolean {
    return !this.client.isOpen;
  }

  open(): Promise<void> {
    return openClient(this.client);
  }

  close(): Promise<void> {
    return this.sender.close(this.client);
  }

  send(_key: string, command: RedisCommand, call: StoreCall): Promise<unknown> {
    return this.sendCommand(command, call);
  }

  async listen(
    channel: string,
    receive: (message: string) => void,
    lost: () => void,
    over: AbortSignal,
  ): Promise<void> {
    const { client } = this;
    if ('getSentinelNode' in client) return listenThrough(client, channel, receive, over);
    const listen = (single: NodeRedisSingle) => listenBeside(single, channel, receive, lost, over);
    // A pool's client is only the model of the connection.
    if ('execute' in client)
      return listen((await (client as NodeRedisPool).execute(async (single) => single)) as NodeRedisSingle);
    return listen(client as NodeRedisSingle);
  }

  nodes(): readonly RedisNode[] {
    return [{ send: this.sendCommand }];
  }
}

function throughPool(pool: NodeRedisPool, sender: NodeRedisSender): SendCommand {
  return (command, call) => pool.execute((client) => sender.sendTo(client, command, call));
}

/** A Sentinel client waits until its inner client of the master is connected, and emits the errors of inner clients. */
function throughSentinel(sentinel: NodeRedisSentinel, sender: NodeRedisSender): SendCommand {
  return (command, call) =>
    passToClient(sentinel, 'client-error', call, (signal) =>
      sentinel._execute(false, (client) => sender.sendWith(signal, client, command, call)),
    );
}
