import * as redis5 from 'redis';
import * as redis6 from 'redis-6';
import type { NodeRedisClient } from './redis-client';
import { isOlderThan62 } from './unsent-commands';

const root = { host: '127.0.0.1', port: 1 };
const sentinel = { name: 'master', sentinelRootNodes: [root] };
const cluster = { rootNodes: [{ socket: root }] };

describe('isOlderThan62', () => {
  it.each<[string, NodeRedisClient, boolean]>([
    ['a client of redis 5', redis5.createClient(), true],
    ['a pool of redis 5', redis5.createClientPool(), true],
    ['a Sentinel client of redis 5', redis5.createSentinel(sentinel), true],
    ['a Cluster client of redis 5', redis5.createCluster(cluster), true],
    ['a client of redis 6', redis6.createClient(), false],
    ['a pool of redis 6', redis6.createClientPool(), false],
    ['a Sentinel client of redis 6', redis6.createSentinel(sentinel), false],
    ['a Cluster client of redis 6', redis6.createCluster(cluster), false],
  ])('recognizes %s', (_, client, isOlder) => {
    expect(isOlderThan62(client)).toBe(isOlder);
  });
});
