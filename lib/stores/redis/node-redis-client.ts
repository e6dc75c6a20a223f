import type { StoreCall } from '../../core/session-store';
import type { NodeRedisClient } from './redis-client';
import { type RedisCommand, signalOf } from './redis-connection';
import { TransientError } from './redis-failure';
import { textOf } from './redis-reply';
import { UnsentCommands } from './unsent-commands';

/** Options of a command. They override those of the application's client. */
export interface CommandOptions {
  readonly abortSignal: AbortSignal;
  /** Empty: replies are strings, even when the application maps them to Buffers. */
  readonly typeMapping: object;
}

/** A client of one server. */
export interface NodeRedisSingle extends NodeRedisClient {
  readonly isReady: boolean;
  on(event: string, listener: () => void): unknown;
  sendCommand(command: readonly string[], options?: CommandOptions): Promise<unknown>;
}

/** Sends one command to one server. */
export async function sendToClient(
  client: NodeRedisSingle,
  command: RedisCommand,
  call: StoreCall,
): Promise<unknown> {
  const send = (abortSignal: AbortSignal) => client.sendCommand(command, { abortSignal, typeMapping: {} });
  if (!isVersion5(client)) return send(signalOf(call));
  // Version 5 would queue the command, and cannot withdraw it when the call is aborted.
  if (!client.isReady) throw new TransientError('The client is not connected');
  return UnsentCommands.of(client, 'reconnecting').send(send);
}

/** Only version 6 has an option for a key prefix. */
export function isVersion5(client: NodeRedisClient): boolean {
  return !('_keyPrefix' in client);
}

export function keyPrefixOf(client: NodeRedisClient): string {
  return textOf((client as { _keyPrefix?: string | Buffer })._keyPrefix ?? '');
}
