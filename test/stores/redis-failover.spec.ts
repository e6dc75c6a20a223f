import { Redis } from 'ioredis';
import { SessionStoreError } from 'nestjs-tessera';
import { RedisSessionStore } from 'nestjs-tessera/redis';
import { newSessionId } from '../../lib/core/session-token';
import { BusyWriters } from '../../lib/testing/store-suite/busy-writers';
import { eventually, DeadlineClient } from '../../lib/testing/store-suite/deadline-client';
import { WriteHistory } from '../../lib/testing/store-suite/write-history';
import { describeSome } from '../support/long';
import { describeWithCluster, type RedisCluster, type Server } from '../support/servers';
import { redisCommand } from '../support/servers/programs';
import { type OpenClient, type RedisClientKind, redisClusterClients } from './redis-clients';
import { until } from './redis-until';

/** How long a call may take, in milliseconds. */
const DEADLINE = 1000;

/** How long the service may be disturbed: the nodes take about two seconds to agree on a successor. */
const PATIENCE = 10_000;

describeWithCluster('RedisSessionStore on a Cluster in trouble', (cluster) => {
  const belongs = ({ name }: RedisClientKind) => name === 'ioredis 5';
  describeSome(redisClusterClients, belongs, 'through', ({ open }) => {
    let opened: OpenClient;
    let store: RedisSessionStore;
    let client: DeadlineClient;
    /** Why it did not serve when that was last tried. */
    let failure: SessionStoreError | undefined;

    beforeEach(async () => {
      failure = undefined;
      await complete(cluster());
      opened = await open(cluster().urls);
      store = new RedisSessionStore(opened.client, { prefix: 'p:' });
      await store.prepare();
      client = new DeadlineClient(store, DEADLINE, 20_000);
    });
    afterEach(async () => {
      await opened.close();
    });

    /** Every slot: each call meets another third of them. */
    const serves = async (): Promise<boolean> => {
      try {
        await Promise.all(Array.from({ length: 30 }, () => client.find(newSessionId())));
        return true;
      } catch (error) {
        if (!(error instanceof SessionStoreError)) throw error;
        failure = error;
        return false;
      }
    };

    async function underLoad(
      { lossy }: { lossy: boolean },
      disturb: (writers: BusyWriters, history: WriteHistory) => Promise<void>,
    ): Promise<void> {
      const history = new WriteHistory();
      const writers = new BusyWriters(client, history);
      try {
        await until(() => history.acknowledgements > 100, 'writes are acknowledged');
        if (lossy) history.lose();
        await disturb(writers, history);
        const { acknowledgements } = history;
        await until(() => history.acknowledgements > acknowledgements + 100, 'writes are acknowledged again');
      } finally {
        await writers.stop();
      }
      await client.settled();
      await history.compare((id) => eventually(() => client.find(id)));
      expect(history.violations).toEqual([]);
    }

    it('F4: serves again within seconds when a master is killed under load, and answers nothing wrong meanwhile', async () => {
      await underLoad({ lossy: true }, async () => {
        const [victim] = await cluster().masters();
        await victim!.kill();
        try {
          await until(serves, 'it serves again', PATIENCE, () => failure);
        } finally {
          await victim!.start();
        }
      });
    }, 60_000);

    it('F4: serves again within seconds when a master falls silent under load', async () => {
      await everywhere(cluster(), 'CONFIG', 'SET', 'cluster-require-full-coverage', 'no'); // else the others complain
      await underLoad({ lossy: true }, async () => {
        const [victim] = await cluster().masters();
        victim!.freeze();
        try {
          await until(serves, 'it serves again', PATIENCE, () => failure);
        } finally {
          victim!.thaw();
        }
      });
      await everywhere(cluster(), 'CONFIG', 'SET', 'cluster-require-full-coverage', 'yes');
    }, 60_000);

    it('F4: fails in time while nobody has some of the slots, and serves again by itself', async () => {
      const [victim] = await cluster().masters();
      const successor = await replicaOf(victim!, cluster());
      await Promise.all([victim!.kill(), successor.kill()]);
      try {
        await until(async () => !(await serves()), 'calls fail');
        const begun = performance.now();
        const outcomes = await Promise.allSettled(
          Array.from({ length: 30 }, () => client.find(newSessionId())),
        );
        expect(performance.now() - begun).toBeLessThan(DEADLINE + 1500);
        const failures = outcomes.filter((outcome) => outcome.status === 'rejected');
        expect(failures.filter(({ reason }) => !(reason instanceof SessionStoreError))).toEqual([]);
      } finally {
        await Promise.all([victim!.start(), successor.start()]);
      }
      await client.recovered();
      await until(serves, 'it serves again', PATIENCE, () => failure);
    }, 60_000);

    it('F4: loses and mistakes nothing while its keys move from master to master under load', async () => {
      store = new RedisSessionStore(opened.client, { prefix: '{one slot}:' });
      client = new DeadlineClient(store, DEADLINE, 20_000);
      await everywhere(cluster(), 'CONFIG', 'SET', 'cluster-node-timeout', '15000'); // nobody falls out of it here
      await underLoad({ lossy: false }, async () => {
        for (let round = 0; round < 2; round++) await moveSlot('{one slot}:', await cluster().masters());
      });
      await everywhere(cluster(), 'CONFIG', 'SET', 'cluster-node-timeout', '1000');
    }, 60_000);
  });
});

/** Every master with a replica that is up to date, and all of one mind about who they are: who comes back still takes itself for a master. */
async function complete({ nodes }: RedisCluster): Promise<void> {
  const admins = nodes.map(({ url }) => new Redis(url));
  const isFit = async (admin: Redis) => {
    const isOk = String(await admin.call('CLUSTER', 'INFO')).includes('cluster_state:ok');
    return isOk && /connected_slaves:1|master_link_status:up/.test(String(await admin.info('replication')));
  };
  const isComplete = async () => {
    const views = new Set(await Promise.all(admins.map(mastersSeenBy)));
    return views.size === 1 && (await Promise.all(admins.map(isFit))).every(Boolean);
  };
  try {
    await until(isComplete, 'the Cluster is complete');
  } finally {
    for (const admin of admins) admin.disconnect();
  }
}

/** Their ids, and what is thought of them. */
async function mastersSeenBy(admin: Redis): Promise<string> {
  const nodes = String(await admin.call('CLUSTER', 'NODES'))
    .trim()
    .split('\n');
  const roles = nodes.map((node) => {
    const [id, , flags = ''] = node.split(' ');
    return `${id} ${flags.replace('myself,', '')}`;
  });
  return roles
    .filter((role) => role.includes('master'))
    .sort()
    .join();
}

async function everywhere({ urls }: RedisCluster, command: string, ...parts: string[]): Promise<void> {
  await Promise.all(urls.map((url) => redisCommand(url, command, ...parts)));
}

async function replicaOf(master: Server, { nodes }: RedisCluster): Promise<Server> {
  const admin = new Redis(master.url);
  const [, port] = /slave0:ip=[^,]*,port=(\d+)/.exec(String(await admin.info('replication')))!;
  admin.disconnect();
  return nodes.find((node) => node.port === Number(port))!;
}

/** As `redis-cli --cluster reshard` does. What is on its way is asked for on both sides. */
async function moveSlot(key: string, masters: readonly Server[]): Promise<void> {
  const nodes = masters.map(({ url, port }) => ({ node: new Redis(url), port }));
  try {
    const slot = Number(await nodes[0]!.node.call('CLUSTER', 'KEYSLOT', key));
    const owns = await Promise.all(
      nodes.map(({ node }) =>
        node.get(key).then(
          () => true,
          () => false,
        ),
      ),
    );
    const source = nodes[owns.indexOf(true)]!.node;
    const { node: target, port } = nodes[(owns.indexOf(true) + 1) % nodes.length]!;
    const [sourceId, targetId] = [await idOf(source), await idOf(target)];
    await target.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', sourceId);
    await source.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', targetId);
    for (;;) {
      const keys = (await source.call('CLUSTER', 'GETKEYSINSLOT', slot, 10)) as string[];
      if (keys.length === 0) break;
      await source.call('MIGRATE', '127.0.0.1', port, '', 0, 2000, 'KEYS', ...keys);
    }
    await target.call('CLUSTER', 'SETSLOT', slot, 'NODE', targetId);
    await source.call('CLUSTER', 'SETSLOT', slot, 'NODE', targetId);
  } finally {
    for (const { node } of nodes) node.disconnect();
  }
}

async function idOf(node: Redis): Promise<string> {
  return String(await node.call('CLUSTER', 'MYID'));
}
