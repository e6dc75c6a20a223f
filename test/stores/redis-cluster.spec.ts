import { RedisSessionStore } from 'nestjs-tessera/redis';
import { describeSessionStore } from 'nestjs-tessera/testing';
import { describeWith } from '../support/servers';
import { type OpenClient, redisClusterClients } from './redis-clients';

describeWith('redis-cluster', 'RedisSessionStore on a Cluster', (service) => {
  let stores = 0;
  describe.each(redisClusterClients)('through $name', ({ open }) => {
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
      volume: 1000,
    });
  });
});
