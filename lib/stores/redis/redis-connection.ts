import { setMaxListeners } from 'node:events';
import type { StoreCall } from '../../core/session-store';

/** A command and its arguments. The name is in lower case, as it is in the tables of `ioredis`. */
export type RedisCommand = readonly [name: string, ...parameters: string[]];

/** One server, for commands without a key, such as SCAN and INFO. */
export interface RedisNode {
  send(command: RedisCommand, call: StoreCall): Promise<unknown>;
}

/** The common interface of all clients. Nothing is sent to replicas, because a replica may lag behind a logout. */
export interface RedisConnection {
  /** The client's configured key prefix, where the store must add it itself. */
  readonly keyPrefix: string;
  /** The client's configured key prefix, where the client adds it. It does not add it to patterns, nor remove it from keys in replies. */
  readonly hiddenPrefix: string;
  /** Whether the client may send GET to a replica. It never sends a script there. */
  readonly readsReplicas: boolean;
  /** Whether the client is closed, or not opened yet. */
  readonly isClosed: boolean;
  /** What is doubtful about the client's settings, for a warning at start. Known after the first command. */
  readonly warning: string | undefined;
  /** Connects the client if it is closed or not opened yet. */
  open(): Promise<void>;
  /** Closes the client. A server that does not answer delays that by twice {@link CLOSING_TIMEOUT} at most. Never rejects. */
  close(): Promise<void>;
  /**
   * Sends a command to the server that holds `key`, which is also part of the command. When the call is aborted, a command that is not sent
   * yet is withdrawn if the client supports that.
   */
  send(key: string, command: RedisCommand, call: StoreCall): Promise<unknown>;
  /**
   * Receives the messages of a channel: through a new connection with the client's settings, in a Cluster to any of its masters, which pass
   * all messages on; or through the connection for messages that a client of Sentinels has.
   * @param lost called when the connection breaks, if that is noticed
   * @param over aborts when no messages are needed any more. Attempts to connect are then given up, too
   */
  listen(
    channel: string,
    receive: (message: string) => void,
    lost: () => void,
    over: AbortSignal,
  ): Promise<void>;
  /** The server, or every master of a Cluster. @throws Error when one is missing */
  nodes(): readonly RedisNode[];
}

/** How long closing a client may take, in milliseconds. */
export const CLOSING_TIMEOUT = 2000;

/** The signal of a call, prepared for many listeners. The call creates it on first access, so avoid this on the fast path. */
export function signalOf({ signal }: StoreCall): AbortSignal {
  setMaxListeners(0, signal);
  return signal;
}

/** Reads `signal` only if it must, because reading it would create the signal. */
export function isAborted(call: StoreCall): boolean {
  return call.aborted ?? call.signal.aborted;
}

/** Returns any of some servers. @throws Error when there is none */
export function oneOf<T>(servers: readonly T[]): T {
  if (servers.length === 0) throw new Error('no server is connected');
  return servers[Math.floor(Math.random() * servers.length)]!;
}
