import { Redis } from 'ioredis';
import { RedisSessionStore } from 'nestjs-tessera/redis';
import { insertOne } from '../../lib/testing/store-suite/records';
import { call } from '../../lib/testing/store-suite/store-suite';
import { describeWithCluster } from '../support/servers';
import { redisClusterClients } from './redis-clients';
import { until } from './redis-until';

describeWithCluster('ends on a Cluster', (cluster) => {
  it.each(redisClusterClients)(
    'S2: are told again after the connection was killed, which says that some may be lost, through $name',
    async ({ open }) => {
      const [own, peer] = [await open(cluster().urls), await open(cluster().urls)];
      const here = new RedisSessionStore(own.client, { prefix: 'c:' });
      const there = new RedisSessionStore(peer.client, { prefix: 'c:' });
      const servers = cluster().urls.map((url) => new Redis(url));
      const heard: (string | null)[] = [];
      const subscription = here.watchEnds((id) => heard.push(id));
      try {
        await until(() => subscription.isActive, 'the subscription is active');
        heard.length = 0;
        await Promise.all(servers.map((server) => server.client('KILL', 'TYPE', 'pubsub')));
        await until(() => heard.includes(null), 'it is told that hints may be lost');
        const { id } = await insertOne(there);
        await there.delete(id, call);
        await until(() => heard.includes(id), 'the end is told');
      } finally {
        subscription.close();
        for (const server of servers) server.disconnect();
        await Promise.all([own.close(), peer.close()]);
      }
      expect(heard[0]).toBeNull();
    },
    30_000,
  );
});
