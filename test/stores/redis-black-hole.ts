import { RedisSessionStore } from 'nestjs-tessera/redis';
import { DeadlineClient } from '../../lib/testing/store-suite/deadline-client';
import type { OpenClient } from './redis-clients';

/** Within this many milliseconds service must be back. */
export const PATIENCE = 10_000;
export const DEADLINE = 3000;

/** Through a client that the store alone uses. */
export const clientOf = ({ client }: OpenClient, deadline = DEADLINE) =>
  new DeadlineClient(new RedisSessionStore(client, { prefix: 'p:', closeClient: true }), deadline, PATIENCE);

/** Through a client that the application uses too. */
export const sharingClientOf = ({ client }: OpenClient, deadline = DEADLINE) =>
  new DeadlineClient(new RedisSessionStore(client, { prefix: 'p:' }), deadline, PATIENCE);

/** The others are as these. */
export const belongs = ({ name }: { readonly name: string }) => /^redis 6|^ioredis 5/.test(name);

/** With settings of `docs/redis.md`. */
export const socketTimeout = 2500;
export const nodeRedis = {
  pingInterval: 1000,
  socket: { socketTimeout, reconnectStrategy: (retries: number) => Math.min(50 * 2 ** retries, 2000) },
};
