export { RedisSessionStore } from './redis-session-store';
export type { RedisSessionStoreOptions } from './redis-session-store';
export type { IoredisClient, NodeRedisClient, RedisClient } from './redis-client';
