import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';
import type { SessionStore } from 'nestjs-tessera';
import { RedisSessionStore } from 'nestjs-tessera/redis';
import { createSessionTable, TypeOrmSessionStore } from 'nestjs-tessera/typeorm';
import { DataSource } from 'typeorm';
import { core, machineClock, type Core } from '../support/core';
import { describeLong, isAll } from '../support/long';
import { describeWith, type Service } from '../support/servers';
import '../support/session-data';
import { POLICIES, Told } from './limit-storm';

const MAX = 3;
const PROCESSES = 4;
const LOGINS = 50;

type Kind = 'postgres' | 'redis';

interface Place {
  readonly store: SessionStore;
  readonly name: string;
  close(): Promise<void>;
}

async function aPlace(kind: Kind, url: string): Promise<Place> {
  const name = `t_${randomBytes(6).toString('hex')}`;
  if (kind === 'redis') {
    const client = new Redis(url);
    const store = new RedisSessionStore(client, { prefix: name });
    return { store, name, close: async () => void (await client.quit()) };
  }
  const database = await new DataSource({ type: 'postgres', url }).initialize();
  const runner = database.createQueryRunner();
  await new (createSessionTable(name))().up(runner).finally(() => runner.release());
  const store = new TypeOrmSessionStore(database, { tableName: name });
  const close = async (): Promise<void> => {
    await store.close();
    await database.destroy();
  };
  return { store, name, close };
}

/** A process that waits to log in, and what it prints then. */
async function aProcess(tell: (line: string) => void, given: readonly string[]) {
  const folder = join(__dirname, 'process');
  const loader = join(__dirname, '../sessions/process/typescript.js');
  const child = spawn(process.execPath, ['-r', loader, join(folder, 'logins.ts'), ...given], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout });
  await new Promise<void>((resolve, reject) => {
    lines.once('line', () => resolve());
    child.once('exit', (code) => reject(new Error(`exit ${code}`)));
  });
  lines.on('line', tell);
  const ended = new Promise<void>((resolve) => lines.once('close', () => resolve()));
  return { child, ended, begin: () => void child.stdin.write('\n') };
}

const storms = (kind: Kind) => (service: () => Service) => {
  const children: ChildProcess[] = [];

  afterEach(() => children.splice(0).forEach((child) => child.kill('SIGKILL')));

  it.each(POLICIES)(
    'L9: %s leaves three usable tokens, and there are never more',
    async (policy) => {
      const { url } = service();
      const place = await aPlace(kind, url);
      const { manager }: Core = core({ store: place.store, clock: machineClock, storeTimeout: 10_000 });
      const told = new Told({ manager });
      const endings = new Set<string>();
      const tell = (line: string): void => {
        const [what, text] = line.split(' ') as [string, string];
        if (what === 'token') told.add(text);
        else endings.add(text);
      };
      const given = [kind, url, place.name, policy, String(MAX), String(LOGINS)];
      const processes = await Promise.all(Array.from({ length: PROCESSES }, () => aProcess(tell, given)));
      children.push(...processes.map(({ child }) => child));
      for (const { begin } of processes) begin();
      let isOver = false;
      const all = Promise.all(processes.map(({ ended }) => ended)).then(() => void (isOver = true));
      while (!isOver) {
        await told.count();
        await new Promise(setImmediate);
      }
      await all;
      const left = await told.count();
      await place.close();
      endings.delete('SESSION_LIMIT_REACHED');
      const isEnough = policy === 'refuse' ? left >= 1 : left === MAX;
      expect({ isWithin: told.most <= MAX, isEnough, others: [...endings] }).toEqual({
        isWithin: true,
        isEnough: true,
        others: [],
      });
    },
    120_000,
  );
};

for (const kind of ['postgres', 'redis'] as const) {
  const title = `${LOGINS} logins at once in each of ${PROCESSES} processes on ${kind}`;
  if (isAll) describeWith(kind, title, storms(kind));
  else describeLong(title, () => storms(kind)(() => ({ url: '' }) as Service));
}
