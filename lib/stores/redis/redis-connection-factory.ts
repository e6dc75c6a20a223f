import { SessionError } from '../../core/session.errors';
import { IoredisConnection, isIoredis } from './ioredis-connection';
import { isNodeRedis, nodeRedisConnection } from './node-redis-connection';
import type { RedisConnection } from './redis-connection';

/**
 * @param isOwn whether the store alone uses the client
 * @throws SessionError `SESSION_OPTIONS_INVALID` when `client` is not a Redis client
 */
export function redisConnection(client: unknown, isOwn: boolean): RedisConnection {
  if (typeof client === 'object' && client !== null) {
    if (isIoredis(client)) return new IoredisConnection(client, isOwn);
    if (isNodeRedis(client)) {
      assertVersion5(client);
      return nodeRedisConnection(client, isOwn);
    }
  }
  throw new SessionError(
    'SESSION_OPTIONS_INVALID',
    `RedisSessionStore was given ${describeClient(client)} instead of a client. Pass a client made with createClient, ` +
      'createClientPool, createSentinel or createCluster of redis, or with new Redis or new Cluster of ioredis.',
  );
}

/** Version 4 has no `destroy`, and other commands. */
function assertVersion5(client: object): void {
  const { quit, destroy } = client as Partial<Record<string, unknown>>;
  if (typeof quit !== 'function' || typeof destroy === 'function') return;
  throw new SessionError(
    'SESSION_OPTIONS_INVALID',
    'RedisSessionStore needs redis 5 or newer, and was given a client of an older version. Update redis, or pass a client of ioredis 5.',
  );
}

function describeClient(value: unknown): string {
  if (typeof value === 'string') return 'a string'; // a URL may hold a password
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || value === null) return String(value);
  return 'then' in value ? 'a promise (await it first)' : 'an object without its methods';
}
