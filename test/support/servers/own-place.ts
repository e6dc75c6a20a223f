import { randomBytes } from 'node:crypto';
import { Cluster, Redis } from 'ioredis';
import { createConnection } from 'mysql2/promise';
import { Client } from 'pg';
import type { Service, ServiceKind } from './server';

/** A service, and the means to leave it as it was. */
export interface OwnPlace extends Service {
  leave(): Promise<void>;
}

/** A place on a server that others use too, at the same time: a fresh database, or a prefix for keys. */
export async function ownPlace(kind: ServiceKind, urls: readonly string[]): Promise<OwnPlace> {
  const prefix = `tessera_${randomBytes(6).toString('hex')}_`;
  const database = prefix.slice(0, -1);
  const [url] = urls as [string];
  switch (kind) {
    case 'postgres':
      await onPostgres(url, `CREATE DATABASE ${database}`);
      return place([within(url, database)], prefix, () =>
        onPostgres(url, `DROP DATABASE IF EXISTS ${database} WITH (FORCE)`),
      );
    case 'mariadb':
      await onMariadb(url, `CREATE DATABASE ${database} CHARACTER SET utf8mb4`);
      return place([within(url, database)], prefix, () =>
        onMariadb(url, `DROP DATABASE IF EXISTS ${database}`),
      );
    case 'redis':
      return place(urls, prefix, () => onRedis(new Redis(url), (client) => unlink([client], prefix)));
    case 'redis-cluster':
      return place(urls, prefix, () =>
        onRedis(new Cluster([...urls]), (client) => unlink(client.nodes('master'), prefix)),
      );
  }
}

function place(urls: readonly string[], prefix: string, leave: () => Promise<void>): OwnPlace {
  return { url: urls[0]!, urls, prefix, leave };
}

function within(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}

async function onPostgres(connectionString: string, statement: string): Promise<void> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

async function onMariadb(uri: string, statement: string): Promise<void> {
  const connection = await createConnection({ uri });
  try {
    await connection.query(statement);
  } finally {
    await connection.end();
  }
}

async function onRedis<Client extends Redis | Cluster>(
  client: Client,
  work: (client: Client) => Promise<void>,
): Promise<void> {
  try {
    await client.ping();
    await work(client);
  } finally {
    client.disconnect();
  }
}

async function unlink(nodes: readonly Redis[], prefix: string): Promise<void> {
  for (const node of nodes) {
    for await (const keys of node.scanStream({ match: `${prefix}*`, count: 1000 })) {
      // One by one, since the keys of a cluster's node do not share a slot.
      await Promise.all((keys as string[]).map((key) => node.unlink(key)));
    }
  }
}
