import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { MemorySessionStore, type SessionStore } from 'nestjs-tessera';
import { FileSessionStore } from 'nestjs-tessera/file';
import { RedisSessionStore } from 'nestjs-tessera/redis';
import { createSessionTable, TypeOrmSessionStore } from 'nestjs-tessera/typeorm';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { describeLong, isAll } from './long';
import { describeWith, type ServiceKind } from './servers';
import { describeWithSqlite } from './sqlite';

/** A real store, for as long as a test needs it. */
export interface StoreUnderTest {
  readonly store: SessionStore;
  /** Where the store keeps its files, if it has any. */
  readonly folder?: string;
  /** The same sessions as another process would have them: a store of its own, with a connection of its own where there is one. */
  beside(): Promise<Pick<StoreUnderTest, 'store' | 'close'>>;
  close(): Promise<void>;
}

export interface StoreKind {
  readonly name: string;
  /** An empty store. */
  create(): Promise<StoreUnderTest>;
}

export const memory: StoreKind = {
  name: 'memory',
  create: async () => {
    const one = { store: new MemorySessionStore(), close: async () => {} };
    return { ...one, beside: async () => one };
  },
};

const sqlite: StoreKind = {
  name: 'SQLite',
  create: () =>
    inFolder((folder) =>
      overTypeOrm({ type: 'better-sqlite3', database: join(folder, 'app.sqlite'), enableWAL: true }),
    ),
};

/** The stores of a server, which is there while the tests run. */
const served: readonly {
  name: string;
  service: ServiceKind;
  create(url: string, connected: Connected): Promise<StoreUnderTest>;
}[] = [
  {
    name: 'PostgreSQL',
    service: 'postgres',
    create: (url, connected) => overTables({ type: 'postgres', url, poolSize: 5 }, connected),
  },
  {
    name: 'MariaDB',
    service: 'mariadb',
    create: (url, connected) => overTables({ type: 'mariadb', url, poolSize: 5 }, connected),
  },
  {
    name: 'Redis',
    service: 'redis',
    create: (url) => overRedis(url, `${aName()}:`),
  },
];

/** Data sources that the tests on one server share, since connecting takes longer than most of them. */
type Connected = DataSource[];

const files: StoreKind = {
  name: 'files',
  create: () =>
    inFolder(async (folder) => {
      const open = async () => {
        const store = new FileSessionStore(folder, { durable: false });
        await store.prepare();
        return { store, close: async () => {} };
      };
      return { ...(await open()), beside: open };
    }),
};

/** `describe` for memory and for SQLite, which need no server: one store that knows objects, and one that knows rows. */
export function describeLocalStores(title: string, body: (kind: StoreKind) => void): void {
  describe(`${title} ${memory.name}`, () => body(memory));
  describeWithSqlite(`${title} ${sqlite.name}`, () => body(sqlite));
}

/** `describe` for each store there is, those of a server among them. */
export function describeStores(title: string, body: (kind: StoreKind) => void): void {
  describeLocalStores(title, body);
  describe(`${title} ${files.name}`, () => body(files));
  for (const { name, service: kind, create } of served) {
    describeWith(kind, `${title} ${name}`, (service) => {
      const connected: Connected = [];
      afterAll(() => Promise.all(connected.map((database) => database.destroy())));
      body({ name, create: () => create(service().url, connected) });
    });
  }
}

/**
 * `describe` for memory; the other stores belong to `npm run test:all`. For the second platform of a spec whose first one meets all of
 * them.
 */
export function describeFewStores(title: string, body: (kind: StoreKind) => void): void {
  if (isAll) return describeStores(title, body);
  describe(`${title} ${memory.name}`, () => body(memory));
  for (const kind of [sqlite, files, ...served.map(withoutServer)]) {
    describeLong(`${title} ${kind.name}`, () => body(kind));
  }
}

/** For tests that are counted and not run. */
const withoutServer = ({ name, create }: (typeof served)[number]): StoreKind => ({
  name,
  create: () => create('', []),
});

async function inFolder(open: (folder: string) => Promise<StoreUnderTest>): Promise<StoreUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), 'tessera-'));
  const opened = await open(folder);
  return {
    ...opened,
    folder,
    close: async () => {
      await opened.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function overTypeOrm(options: DataSourceOptions): Promise<StoreUnderTest> {
  const tableName = aName();
  const migrations = [createSessionTable(tableName)];
  const open = async () => {
    const database = await new DataSource({
      ...options,
      migrations,
      migrationsTableName: `${tableName}_done`,
    }).initialize();
    const store = new TypeOrmSessionStore(database, { tableName });
    const close = async (): Promise<void> => {
      await store.close();
      await database.destroy();
    };
    return { database, store, close };
  };
  const { database, store, close } = await open();
  await database.runMigrations();
  return { store, beside: open, close };
}

/** A table of its own on a database that other tests have had before. */
async function overTables(options: DataSourceOptions, connected: Connected): Promise<StoreUnderTest> {
  const tableName = aName();
  const Migration = createSessionTable(tableName);
  let opened = 0;
  const open = async () => {
    const database = (connected[opened] ??= new DataSource(options));
    opened++;
    if (!database.isInitialized) await database.initialize();
    const store = new TypeOrmSessionStore(database, { tableName });
    return { database, store, close: () => store.close() };
  };
  const { database, store, close } = await open();
  const runner = database.createQueryRunner();
  await new Migration().up(runner).finally(() => runner.release());
  return { store, beside: open, close };
}

async function overRedis(url: string, prefix: string): Promise<StoreUnderTest> {
  const open = async () => {
    const client = new Redis(url);
    return {
      store: new RedisSessionStore(client, { prefix }),
      close: async () => void (await client.quit()),
    };
  };
  return { ...(await open()), beside: open };
}

/** A name that nobody else uses. */
function aName(): string {
  return `t_${randomBytes(6).toString('hex')}`;
}
