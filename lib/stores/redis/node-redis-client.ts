import type { StoreCall } from '../../core/session-store';
import type { NodeRedisClient } from './redis-client';
import { type RedisCommand, signalOf } from './redis-connection';
import { TransientError } from './redis-failure';
import { textOf } from './redis-reply';
import { UnsentCommands } from './unsent-commands';

/** How a command goes out, whatever the application's client is set to. */
export interface CommandOptions {
  readonly abortSignal: AbortSignal;
  /** Texts as strings, also where the application wants Buffers. */
  readonly typeMapping: object;
}

/** A client of one server. */
export interface NodeRedisSingle extends NodeRedisClient {
  readonly isReady: boolean;
  on(event: string, listener: () => void): unknown;
  sendCommand(command: readonly string[], options?: CommandOptions): Promise<unknown>;
}

/** One command to one server. */
export async function sendToClient(
  client: NodeRedisSingle,
  command: RedisCommand,
  call: StoreCall,
): Promise<unknown> {
  const send = (abortSignal: AbortSignal) => client.sendCommand(command, { abortSignal, typeMapping: {} });
  if (!isVersion5(client)) return send(signalOf(call));
  // It could not be taken back, should nobody wait for it any more.
  if (!client.isReady) throw new TransientError('The client is not connected');
  return UnsentCommands.of(client, 'reconnecting').send(send);
}

/** Version 6 can put a prefix before keys. */
export function isVersion5(client: NodeRedisClient): boolean {
  return !('_keyPrefix' in client);
}

export function keyPrefixOf(client: NodeRedisClient): string {
  return textOf((client as { _keyPrefix?: string | Buffer })._keyPrefix ?? '');
}
