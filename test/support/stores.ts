import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemorySessionStore, type SessionStore } from 'nestjs-tessera';
import { CreateSessionTable, TypeOrmSessionStore } from 'nestjs-tessera/typeorm';
import { DataSource } from 'typeorm';

/** A real store, for as long as a test needs it. */
export interface StoreUnderTest {
  readonly store: SessionStore;
  /** Where the store keeps its files, if it has any. */
  readonly folder?: string;
  close(): Promise<void>;
}

export interface StoreKind {
  readonly name: string;
  create(): Promise<StoreUnderTest>;
}

/** The stores that behavior is proven on: `describe.each(stores)('… on $name', ({ create }) => …)`. */
export const stores: readonly StoreKind[] = [
  {
    name: 'memory',
    create: async () => ({ store: new MemorySessionStore(), close: async () => {} }),
  },
  {
    name: 'SQLite',
    create: async () => {
      const folder = await mkdtemp(join(tmpdir(), 'tessera-'));
      const database = new DataSource({
        type: 'better-sqlite3',
        database: join(folder, 'app.sqlite'),
        migrations: [CreateSessionTable],
        migrationsRun: true,
        enableWAL: true,
      });
      await database.initialize();
      const store = new TypeOrmSessionStore(database);
      return {
        store,
        folder,
        close: async () => {
          await store.close();
          await database.destroy();
          await rm(folder, { recursive: true, force: true });
        },
      };
    },
  },
];
