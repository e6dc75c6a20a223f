import { setTimeout as pause } from 'node:timers/promises';
import { randomText } from '../../core/random-text';
import type { StoreCall } from '../../core/session-store';
import { SessionStoreError } from '../../core/session.errors';
import {
  isAborted,
  type RedisCommand,
  type RedisConnection,
  type RedisNode,
  signalOf,
} from './redis-connection';
import { redisFailureOf, TransientError } from './redis-failure';
import { textOf } from './redis-reply';
import { READ, type RedisScript } from './redis-scripts';

/** Pauses between attempts, in milliseconds: doubled from the first to the longest. All of them together take about three seconds. */
const FIRST_PAUSE = 20;
const LONGEST_PAUSE = 400;
const MAX_ATTEMPTS = 12;

/** Sends the store's commands, and repeats them after transient failures until the call is aborted. */
export class RedisCommands {
  constructor(private readonly connection: RedisConnection) {}

  /** A prefix that the client adds to keys. Replies and patterns contain it. */
  get hiddenPrefix(): string {
    return this.connection.hiddenPrefix;
  }

  /** Runs a script. @param nonce see {@link RedisScript}; unique per write */
  run(
    operation: string,
    script: RedisScript,
    key: string,
    parameters: readonly string[],
    call: StoreCall,
    nonce = newNonce(),
  ): Promise<unknown> {
    const command = ['1', key, ...parameters, nonce];
    return this.#try(operation, call, () => this.#evaluate(script, key, command, call));
  }

  /**
   * Reads a value with GET, the cheapest command: a text, or `null` for any other reply. GET has no nonce, so the caller must check that
   * the text belongs to the key, and must repeat the read with {@link READ} when it does not.
   */
  async get(operation: string, key: string, call: StoreCall): Promise<string | null> {
    if (this.connection.readsReplicas) return null;
    const reply = await this.#try(operation, call, () => this.#get(key, call));
    return typeof reply === 'string' || Buffer.isBuffer(reply) ? textOf(reply) : null;
  }

  /** All servers that hold keys. @param key any readable key; reading it makes the client discover its servers */
  async nodes(operation: string, key: string, call: StoreCall): Promise<readonly RedisNode[]> {
    await this.run(operation, READ, key, [], call);
    try {
      return this.connection.nodes();
    } catch (error) {
      throw new SessionStoreError(operation, redisFailureOf(error).reason);
    }
  }

  sendTo(operation: string, node: RedisNode, command: RedisCommand, call: StoreCall): Promise<unknown> {
    return this.#try(operation, call, () => node.send(command, call));
  }

  async #get(key: string, call: StoreCall): Promise<unknown> {
    try {
      return await this.connection.send(key, ['get', key], call);
    } catch (error) {
      const { code, isTransient } = redisFailureOf(error);
      if (isTransient || (code !== null && code !== 'WRONGTYPE')) throw error;
      return null; // such as an error in a type mapping of the application
    }
  }

  /** Sends the script's hash, and its text when the server does not have it in its cache. */
  async #evaluate(
    { hash, text }: RedisScript,
    key: string,
    command: readonly string[],
    call: StoreCall,
  ): Promise<unknown> {
    let reply: unknown;
    try {
      reply = await this.connection.send(key, ['evalsha', hash, ...command], call);
    } catch (error) {
      if (redisFailureOf(error).code !== 'NOSCRIPT') throw error;
      reply = await this.connection.send(key, ['eval', text, ...command], call);
    }
    if (!Array.isArray(reply) || textOf(reply[0]) !== command.at(-1))
      throw new TransientError('the client returned the answer to another command');
    return reply[1];
  }

  /** Repeats a command after transient failures until the call is aborted. All commands of the store are safe to repeat. */
  async #try(operation: string, call: StoreCall, attempt: () => Promise<unknown>): Promise<unknown> {
    for (let attempts = 1; ; attempts++) {
      if (isAborted(call)) throw callAborted(operation);
      try {
        return await attempt();
      } catch (error) {
        // The client's error may be a consequence of the abort: some clients withdraw the command.
        if (isAborted(call)) throw callAborted(operation);
        const { reason, isTransient } = redisFailureOf(error);
        if (this.connection.isClosed) throw new SessionStoreError(operation, CLOSED);
        if (!isTransient || attempts === MAX_ATTEMPTS) throw new SessionStoreError(operation, reason);
      }
      const signal = signalOf(call);
      const longest = Math.min(FIRST_PAUSE * 2 ** (attempts - 1), LONGEST_PAUSE);
      await pause(longest * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => undefined);
    }
  }
}

export function callAborted(operation: string): SessionStoreError {
  return new SessionStoreError(operation, 'the call was aborted');
}

/** Eight random characters, unique per call. */
export function newNonce(): string {
  return randomText(6);
}

const CLOSED =
  'the Redis client is closed; connect it before the application starts, and close it after the application has ended';
