import { setTimeout as pause } from 'node:timers/promises';
import { randomText } from '../../core/random-text';
import type { StoreCall } from '../../core/session-store';
import { SessionStoreError } from '../../core/session.errors';
import { type RedisCommand, type RedisConnection, type RedisNode, signalOf } from './redis-connection';
import { redisFailureOf, TransientError } from './redis-failure';
import { textOf } from './redis-reply';
import { READ, type RedisScript } from './redis-scripts';

/** Pauses between attempts, in milliseconds: doubled from the first to the longest. All of them together take about three seconds. */
const FIRST_PAUSE = 20;
const LONGEST_PAUSE = 400;
const MAX_ATTEMPTS = 12;

/** What the store asks of Redis, with the patience of whoever called it. */
export class RedisCommands {
  constructor(private readonly connection: RedisConnection) {}

  /** What keys in an answer, and in a pattern, begin with besides. */
  get hiddenPrefix(): string {
    return this.connection.hiddenPrefix;
  }

  /** @param nonce for {@link RedisScript}; every write has one of its own */
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
   * What is there, as the cheapest of commands tells it: a text, or `null` for anything else. Only the text itself can say whether it
   * is the answer to this command; who finds none that does asks with {@link READ}.
   */
  async get(operation: string, key: string, call: StoreCall): Promise<string | null> {
    if (this.connection.readsReplicas) return null;
    const reply = await this.#try(operation, call, () => this.#get(key, call));
    return typeof reply === 'string' || Buffer.isBuffer(reply) ? textOf(reply) : null;
  }

  /** Every server that has keys. @param key any that may be read, which makes sure that the client has found its servers */
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
      return null; // what the application made its client do with texts fails, for instance
    }
  }

  /** By its hash, and in full where the server does not know it, or not any more. */
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
      throw new TransientError('The client handed out the answer to another command');
    return reply[1];
  }

  /** Tries again what may pass, as long as somebody waits. Every command of the store may be repeated. */
  async #try(operation: string, call: StoreCall, attempt: () => Promise<unknown>): Promise<unknown> {
    for (let attempts = 1; ; attempts++) {
      // Asking the signal would make one.
      if (call.aborted ?? call.signal.aborted)
        throw new SessionStoreError(operation, 'the call was given up');
      try {
        return await attempt();
      } catch (error) {
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

/** Eight characters that no two calls share. */
export function newNonce(): string {
  return randomText(6);
}

const CLOSED =
  'the Redis client is closed; connect it before the application starts, and close it after the application has ended';
