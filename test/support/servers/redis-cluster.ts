import { setTimeout as pause } from 'node:timers/promises';
import { PrivateServer } from './private-server';
import { redis, redisCommand } from './programs';
import type { Server } from './server';

const MASTERS = 3;
const SLOTS = 16_384;
/** How long the nodes may take to agree, in milliseconds. */
const PATIENCE = 25_000;

/** Without a second's silence no master is given up; a replica has its place a second or two later. */
const NODE_OPTIONS = [
  ...['--cluster-enabled', 'yes', '--cluster-config-file', 'nodes.conf', '--cluster-node-timeout', '1000'],
  ...['--repl-diskless-sync-delay', '0', '--repl-ping-replica-period', '1'],
];

/** Three masters with a replica each. */
export interface RedisCluster {
  readonly nodes: readonly Server[];
  readonly urls: readonly string[];
  /** Those who are masters at this moment, as the nodes that answer see it. */
  masters(): Promise<Server[]>;
  stop(): Promise<void>;
}

/** @param options of every node, as on its command line */
export async function startRedisCluster(options: readonly string[] = []): Promise<RedisCluster> {
  const nodes: PrivateServer[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.stop()));
  };
  try {
    while (nodes.length < 2 * MASTERS)
      nodes.push(await PrivateServer.launch(redis([...NODE_OPTIONS, ...options])));
    await join(nodes);
  } catch (error) {
    await stop();
    throw error;
  }
  return { nodes, urls: nodes.map(({ url }) => url), masters: () => mastersOf(nodes), stop };
}

async function join(nodes: readonly Server[]): Promise<void> {
  const masters = nodes.slice(0, MASTERS);
  const replicas = nodes.slice(MASTERS);
  // Before they know of each other: afterwards they refuse.
  for (const [index, { url }] of nodes.entries()) await cluster(url, 'SET-CONFIG-EPOCH', String(index + 1));
  for (const { url } of nodes) {
    for (const { port } of nodes) await cluster(url, 'MEET', '127.0.0.1', String(port));
  }
  for (const [index, { url }] of masters.entries()) await cluster(url, 'ADDSLOTS', ...slotsOf(index));
  await until(nodes, async ({ url }) => (await cluster(url, 'INFO')).includes('cluster_known_nodes:6'));
  for (const [index, { url }] of replicas.entries()) {
    await cluster(url, 'REPLICATE', await cluster(masters[index]!.url, 'MYID'));
  }
  await until(nodes, async ({ url }) => (await cluster(url, 'INFO')).includes('cluster_state:ok'));
  await until(nodes, async ({ url }) => (await cluster(url, 'NODES')).match(/slave/g)?.length === MASTERS);
  await until(replicas, async ({ url }) =>
    String(await redisCommand(url, 'INFO', 'replication')).includes('master_link_status:up'),
  );
}

function slotsOf(master: number): string[] {
  const share = Math.ceil(SLOTS / MASTERS);
  const slots = Array.from({ length: SLOTS }, (_, slot) => String(slot));
  return slots.slice(master * share, (master + 1) * share);
}

async function mastersOf(nodes: readonly Server[]): Promise<Server[]> {
  // `id host:port@bus,name flags …`: who is suspected or given up carries a word for it among the flags.
  const lines = (await Promise.any(nodes.map(({ url }) => cluster(url, 'NODES')))).split('\n');
  const ports = lines
    .map((line) => line.split(' '))
    .filter(([, , flags]) => /^(?:myself,)?master$/.test(flags ?? ''))
    .map(([, address]) => Number(/:(\d+)@/.exec(address!)![1]));
  return nodes.filter(({ port }) => ports.includes(port));
}

async function cluster(url: string, ...parts: string[]): Promise<string> {
  return String(await redisCommand(url, 'CLUSTER', ...parts));
}

async function until(nodes: readonly Server[], holds: (node: Server) => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  for (const node of nodes) {
    while (!(await holds(node))) {
      if (performance.now() > deadline) throw new Error('The nodes do not become a cluster.');
      await pause(20);
    }
  }
}
