import { RedisSessionStore } from 'nestjs-tessera/redis';
import { describeSessionStore } from 'nestjs-tessera/testing';
import { describeSome, often } from '../support/long';
import { describeWith } from '../support/servers';
import { type OpenClient, type RedisClientKind, redisClients } from './redis-clients';

// ioredis 5 meets the same tests in redis-outage.
const belongs = ({ name }: RedisClientKind) => name === 'redis 6';

describeSome(redisClients, belongs, 'RedisSessionStore through', ({ open }) => {
  describeWith('redis', 'on a server', (service) => {
    let stores = 0;
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
      volume: often(300, 2000),
    });
  });
});
