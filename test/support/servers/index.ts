export type { Server, Service, ServiceKind } from './server';
export { describeWith, describeWithCluster, describeWithPrivate } from './describe-with';
export { startMariadb, startPostgres, startRedis, type PrivateServer } from './private-server';
export { startRedisCluster, type RedisCluster } from './redis-cluster';
export { TcpProxy } from './tcp-proxy';
