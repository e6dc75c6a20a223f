import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import type { SessionStore } from 'nestjs-tessera';
import { RedisSessionStore } from 'nestjs-tessera/redis';
import { createSessionTable, TypeOrmSessionStore } from 'nestjs-tessera/typeorm';
import { DataSource } from 'typeorm';

/** Where several processes keep their sessions: a table of a database, or the keys of a Redis with a prefix. */
export interface Place {
  readonly kind: 'postgres' | 'redis';
  readonly url: string;
  readonly name: string;
}

export interface OpenPlace {
  readonly store: SessionStore;
  close(): Promise<unknown>;
}

/** Connects as a process of its own does. */
export async function openPlace({ kind, url, name }: Place): Promise<OpenPlace> {
  if (kind === 'redis') {
    const client = new Redis(url);
    return { store: new RedisSessionStore(client, { prefix: name }), close: () => client.quit() };
  }
  const database = await new DataSource({ type: 'postgres', url, poolSize: 5 }).initialize();
  const store = new TypeOrmSessionStore(database, { tableName: name });
  const close = async (): Promise<void> => {
    await store.close();
    await database.destroy();
  };
  return { store, close };
}

export async function newPlace(kind: Place['kind'], url: string): Promise<Place> {
  const name = `t_${randomBytes(6).toString('hex')}`;
  if (kind === 'postgres') {
    const database = await new DataSource({ type: kind, url }).initialize();
    const runner = database.createQueryRunner();
    await new (createSessionTable(name))().up(runner).finally(() => runner.release());
    await database.destroy();
  }
  return { kind, url, name };
}
