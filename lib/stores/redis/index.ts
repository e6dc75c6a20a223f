/**
 * Sessions in Redis or Valkey. Needs the package `redis` or `ioredis`.
 * @module nestjs-tessera/redis
 */
export { RedisSessionStore } from './redis-session-store';
export type { RedisSessionStoreOptions } from './redis-session-store';
export type { IoredisClient, NodeRedisClient, RedisClient } from './redis-client';
