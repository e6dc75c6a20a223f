import { RedisSessionStore } from 'nestjs-tessera/redis';
import { HELD, LOGINS, POLICIES, stormOn } from '../concurrency/limit-storm';
import { describeLong, isAll } from '../support/long';
import { describeWith, type Service } from '../support/servers';
import '../support/session-data';
import { redisClusterClients } from './redis-clients';

const storms = (service: () => Service): void => {
  it.each(POLICIES)(
    'L9: %s leaves three usable tokens, and there are never more',
    async (policy) => {
      const { open } = redisClusterClients[0]!;
      const clients = await Promise.all([open(service().urls), open(service().urls)]);
      const prefix = `${service().prefix}${policy}:`;
      const stores = clients.map(({ client }) => new RedisSessionStore(client, { prefix }));
      const result = await stormOn(stores, policy);
      await Promise.all(clients.map((client) => client.close()));
      expect(result).toEqual(HELD);
    },
    60_000,
  );
};

const title = `${LOGINS} logins of one principal at once, in two processes, on a Redis Cluster`;
if (isAll) describeWith('redis-cluster', title, storms);
else describeLong(title, () => storms(() => ({ urls: [], prefix: '' }) as unknown as Service));
