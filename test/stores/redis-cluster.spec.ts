import { RedisSessionStore } from 'nestjs-tessera/redis';
import { describeSessionStore } from 'nestjs-tessera/testing';
import { describeSome, often } from '../support/long';
import { describeWith } from '../support/servers';
import { type OpenClient, type RedisClientKind, redisClusterClients } from './redis-clients';

describeWith('redis-cluster', 'RedisSessionStore on a Cluster', (service) => {
  let stores = 0;
  // Connections of ioredis are the same for one server, where redis-outage tests them.
  const belongs = ({ name }: RedisClientKind) => name === 'redis 5';
  describeSome(redisClusterClients, belongs, 'through', ({ open }) => {
    let own: OpenClient;
    let peers: OpenClient;
    const storeOf = ({ client }: OpenClient) =>
      new RedisSessionStore(client, { prefix: `${service().prefix}${stores}:` });

    beforeAll(async () => {
      [own, peers] = [await open(service().urls), await open(service().urls)];
    });
    afterAll(() => Promise.all([own.close(), peers.close()]));

    describeSessionStore('RedisSessionStore', {
      create: () => {
        stores++;
        return storeOf(own);
      },
      peer: () => storeOf(peers),
      without: ['sweeping'],
      volume: often(300, 1000),
    });
  });
});
