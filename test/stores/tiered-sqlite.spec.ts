import Database from 'better-sqlite3';
import { MemorySessionStore, type StoreLimit } from 'nestjs-tessera';
import { fromBetterSqlite3, SqlSessionStore } from 'nestjs-tessera/sql';
import { describeSessionStore } from 'nestjs-tessera/testing';
import { TieredSessionStore } from 'nestjs-tessera/tiered';
import { TypeOrmSessionStore } from 'nestjs-tessera/typeorm';
import { often } from '../support/long';
import { describeEachWithSqlite } from '../support/sqlite';
import { sqliteFile } from './sqlite-file';

const prepareDatabase = (database: { pragma(text: string): void }) => database.pragma('synchronous = OFF');

// A process that may not use the fast tier waits for a lease once, and these tests have many.
const lease = 50;

const WAYS: readonly {
  title: string;
  writeBehind: boolean;
  shared: boolean;
  unmet?: readonly StoreLimit[];
}[] = [
  { title: 'memory over SQLite', writeBehind: false, shared: false },
  {
    title: 'memory over SQLite, writing behind',
    writeBehind: true,
    shared: false,
    unmet: ['conditional-writes'],
  },
  // What two processes would have in Redis.
  { title: 'a shared memory over SQLite, writing behind', writeBehind: true, shared: true },
];

/** The other store for databases. */
function throughDriver(path: string): SqlSessionStore {
  const database = new Database(path, { timeout: 0 });
  database.pragma('synchronous = OFF');
  return new SqlSessionStore({ ...fromBetterSqlite3(database), close: async () => void database.close() });
}

describeEachWithSqlite(WAYS)('$title', ({ writeBehind, shared, unmet }) => {
  let file: ReturnType<typeof sqliteFile>;
  let fast: MemorySessionStore;
  const open = async () => {
    const dataSource = await file.open({ enableWAL: true, prepareDatabase });
    const durable = writeBehind ? new TypeOrmSessionStore(dataSource) : throughDriver(file.database);
    // Two who write behind a shared tier may lose what is on its way when it does not answer in time; here the machine alone is slow.
    const times = writeBehind && shared ? { lease: 2000, fastTimeout: 5000 } : { lease };
    return new TieredSessionStore({ fast, durable, writeBehind, shared, ...times });
  };

  describeSessionStore('TieredSessionStore', {
    create() {
      file = sqliteFile();
      fast = new MemorySessionStore();
      return open();
    },
    peer() {
      if (!shared) fast = new MemorySessionStore();
      return open();
    },
    async destroy(store) {
      await store.close();
      await file.remove();
    },
    without: ['watching'],
    ...(unmet && { unmet }),
    volume: often(300, 2000),
  });
});
