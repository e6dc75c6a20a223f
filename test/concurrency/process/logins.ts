// A process that logs one principal in many times at once: logins.ts <postgres|redis> <url> <place> <policy> <max> <logins>. Prints the token of
// each login as soon as its client would be told, and begins when it reads a line.
import { once } from 'node:events';
import { Redis } from 'ioredis';
import type { SessionStore } from 'nestjs-tessera';
import { RedisSessionStore } from 'nestjs-tessera/redis';
import { TypeOrmSessionStore } from 'nestjs-tessera/typeorm';
import { DataSource } from 'typeorm';
import type { LimitPolicy } from '../../../lib/core/login-settings';
import { core, machineClock } from '../../support/core';

const [kind, url, place, policy, max, logins] = process.argv.slice(2);
const print = (line: string): void => void process.stdout.write(`${line}\n`);

async function open(): Promise<{ store: SessionStore; close: () => Promise<unknown> }> {
  if (kind === 'redis') {
    const client = new Redis(url!);
    return { store: new RedisSessionStore(client, { prefix: place! }), close: () => client.quit() };
  }
  const database = await new DataSource({ type: 'postgres', url: url!, poolSize: 5 }).initialize();
  const store = new TypeOrmSessionStore(database, { tableName: place! });
  const close = async (): Promise<void> => {
    await store.close();
    await database.destroy();
  };
  return { store, close };
}

async function main(): Promise<void> {
  const { store, close } = await open();
  const limit = { max: () => Number(max), policy: policy as LimitPolicy };
  const { manager } = core({
    store,
    storeTimeout: 10_000,
    logins: { limit },
    clock: machineClock,
  });
  print('ready');
  await once(process.stdin, 'data');
  const login = async (): Promise<void> => {
    const session = await manager.open(null);
    session.login({ id: 'ada' });
    const outcome = await manager.commit(session).catch(({ code }: { code: string }) => ({ kind: code }));
    if ('token' in outcome) print(`token ${outcome.token}`);
    else print(`end ${outcome.kind}`);
  };
  await Promise.all(Array.from({ length: Number(logins) }, login));
  await close();
  process.stdin.destroy();
}

void main();
