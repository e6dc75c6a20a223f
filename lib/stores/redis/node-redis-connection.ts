import type { StoreCall } from '../../core/session-store';
import {
  type NodeRedisSingle,
  closeClient,
  isVersion5,
  keyPrefixOf,
  openClient,
  sendToClient,
  watchOf,
} from './node-redis-client';
import type { NodeRedisClient } from './redis-client';
import { NodeRedisClusterConnection } from './node-redis-cluster-connection';
import { type RedisCommand, type RedisConnection, type RedisNode, signalOf } from './redis-connection';
import { UnsentCommands } from './unsent-commands';

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

export function nodeRedisConnection(client: NodeRedisClient): RedisConnection {
  if ('nodeClient' in client) return new NodeRedisClusterConnection(client);
  if ('getSentinelNode' in client)
    return new NodeRedisConnection(client, throughSentinel(client as NodeRedisClient as NodeRedisSentinel));
  if ('execute' in client)
    return new NodeRedisConnection(client, throughPool(client as NodeRedisClient as NodeRedisPool));
  const single = client as NodeRedisSingle;
  return new NodeRedisConnection(client, (command, call) => sendToClient(single, command, call));
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
    private readonly sendCommand: SendCommand,
  ) {
    this.keyPrefix = keyPrefixOf(client);
  }

  get isClosed(): boolean {
    return !this.client.isOpen;
  }

  open(): Promise<void> {
    return openClient(this.client);
  }

  close(): Promise<void> {
    return closeClient(this.client);
  }

  send(_key: string, command: RedisCommand, call: StoreCall): Promise<unknown> {
    return this.sendCommand(command, call);
  }

  nodes(): readonly RedisNode[] {
    return [{ send: this.sendCommand }];
  }
}

function throughPool(pool: NodeRedisPool): SendCommand {
  return (command, call) => pool.execute((client) => sendToClient(client, command, call));
}

/** A Sentinel client waits until its inner client of the master is connected, and emits the errors of inner clients. */
function throughSentinel(sentinel: NodeRedisSentinel): SendCommand {
  const unsent = isVersion5(sentinel) ? UnsentCommands.of(sentinel, 'client-error') : null;
  return (command, call) => {
    const send = (abortSignal: AbortSignal) =>
      sentinel._execute(false, (client) =>
        watchOf(client).send('', call, () => client.sendCommand(command, { abortSignal, typeMapping: {} })),
      );
    return unsent === null ? send(signalOf(call)) : unsent.send(send);
  };
}
