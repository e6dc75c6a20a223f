import { setTimeout as pause } from 'node:timers/promises';
import { Cluster } from 'ioredis';
import { describeLong } from '../long';
import { describeWithCluster, type RedisCluster, type Server } from '.';

describeLong('a private Redis Cluster', () => describeWithCluster('of six nodes', describeCluster));

function describeCluster(cluster: () => RedisCluster): void {
  it('has three masters and three replicas, and keeps keys on all masters', async () => {
    expect(cluster().urls).toHaveLength(6);
    expect(await cluster().masters()).toHaveLength(3);

    const client = new Cluster([...cluster().urls]);
    client.on('error', () => {});
    try {
      for (let number = 0; number < 30; number++) await client.set(`key${number}`, String(number));
      expect(await client.get('key29')).toBe('29');
      const sizes = await Promise.all(client.nodes('master').map((node) => node.dbsize()));
      expect(sizes).toHaveLength(3);
      expect(Math.min(...sizes)).toBeGreaterThan(0);
    } finally {
      client.disconnect();
    }
  });

  it.each<[string, (master: Server) => unknown, (master: Server) => unknown]>([
    ['killed', (master) => master.kill(), (master) => master.start()],
    ['frozen', (master) => master.freeze(), (master) => master.thaw()],
  ])('replaces a master that is %s within seconds, and has it back as a replica', async (_, end, mend) => {
    const [master] = await cluster().masters();
    await end(master!);
    await until(cluster(), (masters) => masters.length === 3 && !masters.includes(master!));
    await mend(master!);
    await until(cluster(), (masters) => masters.length === 3 && !masters.includes(master!));
  });
}

async function until(cluster: RedisCluster, holds: (masters: Server[]) => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!holds(await cluster.masters())) {
    if (performance.now() > deadline) throw new Error('No replica took over.');
    await pause(50);
  }
}
