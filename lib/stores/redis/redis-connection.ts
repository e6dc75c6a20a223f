import { setMaxListeners } from 'node:events';
import type { StoreCall } from '../../core/session-store';

/** A command and its arguments. The name is in lower case, as it is in the tables of `ioredis`. */
export type RedisCommand = readonly [name: string, ...parameters: string[]];

/** One server, which is told to go through its keys or about itself. */
export interface RedisNode {
  send(command: RedisCommand, call: StoreCall): Promise<unknown>;
}

/** The clients, made alike. Nothing goes to a replica, which may not have heard of a logout yet. */
export interface RedisConnection {
  /** What the application told its client to put before keys, where that is left to us. */
  readonly keyPrefix: string;
  /** The same, where the client does it by itself; but not to patterns, nor to the keys that an answer names. */
  readonly hiddenPrefix: string;
  /** Whether a reading command may go to a replica all the same; a script never does. */
  readonly readsReplicas: boolean;
  /** Whether the application has closed the client, or not opened it yet. */
  readonly isClosed: boolean;
  /**
   * Sends a command to whoever keeps this key, which stands in the command as well. A call that is given up takes back what has not
   * been sent yet, if the client can.
   */
  send(key: string, command: RedisCommand, call: StoreCall): Promise<unknown>;
  /** The server, or every master of a Cluster. @throws Error when one is missing */
  nodes(): readonly RedisNode[];
}

/** The signal of a call, which may be many commands at once. It is made for who asks, and most never do. */
export function signalOf({ signal }: StoreCall): AbortSignal {
  setMaxListeners(0, signal);
  return signal;
}
