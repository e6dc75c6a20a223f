import { setTimeout as pause } from 'node:timers/promises';
import type { StoreCall } from '../../core/session-store';
import { AnswerWatch } from './answer-watch';
import type { NodeRedisClient } from './redis-client';
import { CLOSING_TIMEOUT, type RedisCommand, signalOf } from './redis-connection';
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

/** Sends one command to one server, and watches whether the server answers. */
export async function sendToClient(
  client: NodeRedisSingle,
  command: RedisCommand,
  call: StoreCall,
): Promise<unknown> {
  const send = (abortSignal: AbortSignal) =>
    watchOf(client).send('', call, () => client.sendCommand(command, { abortSignal, typeMapping: {} }));
  if (!isVersion5(client)) return send(signalOf(call));
  // Version 5 would queue the command, and cannot withdraw it when the call is aborted.
  if (!client.isReady) throw new TransientError('The client is not connected');
  return UnsentCommands.of(client, 'reconnecting').send(send);
}

/** Watches a client of one server. */
export function watchOf(client: NodeRedisSingle): AnswerWatch<NodeRedisSingle> {
  return AnswerWatch.of(client, () => client, replaceConnection);
}

/**
 * Connects a client anew. The client rejects the commands that wait, and makes its subscriptions again. A client that is not ready
 * connects already; to destroy it then would leave it with two connections.
 */
export function replaceConnection(client: NodeRedisSingle): void {
  if (!client.isReady) return;
  const openable = client as NodeRedisClient as Openable;
  openable.destroy();
  openable.connect().catch(() => undefined); // the client has reported it as an `error` event
}

/** The members with which all kinds of clients are opened and closed. */
interface Openable extends NodeRedisClient {
  connect(): Promise<unknown>;
  close(): unknown;
  destroy(): unknown;
}

/** Connects a client that is not open. */
export async function openClient(client: NodeRedisClient): Promise<void> {
  if (!client.isOpen) await (client as Openable).connect();
}

/** Closes a client after its commands have been answered, or else after {@link CLOSING_TIMEOUT}. */
export async function closeClient(client: NodeRedisClient): Promise<void> {
  const openable = client as Openable;
  if (!openable.isOpen) return;
  let isClosed = false;
  const closing = Promise.resolve(openable.close()).then(() => (isClosed = true));
  await Promise.race([closing.catch(() => false), pause(CLOSING_TIMEOUT, undefined, { ref: false })]);
  if (!isClosed) openable.destroy();
}

/** Only version 6 has an option for a key prefix. */
export function isVersion5(client: NodeRedisClient): boolean {
  return !('_keyPrefix' in client);
}

export function keyPrefixOf(client: NodeRedisClient): string {
  return textOf((client as { _keyPrefix?: string | Buffer })._keyPrefix ?? '');
}
