import { describeSessionStore } from 'nestjs-tessera/testing';
import { TypeOrmSessionStore } from 'nestjs-tessera/typeorm';
import { DataSource } from 'typeorm';
import { often } from '../support/long';
import { describeEachWithSqlite } from '../support/sqlite';
import { sqliteFile } from './sqlite-file';

// What is proven here does not depend on waiting for the disk; what does, kill -9, is with the processes.
const prepareDatabase = (database: { pragma(text: string): void }) => database.pragma('synchronous = OFF');

describeEachWithSqlite([{ enableWAL: false }, { enableWAL: true }])('with %p', (options) => {
  let file: ReturnType<typeof sqliteFile>;

  describeSessionStore('TypeOrmSessionStore on SQLite', {
    async create() {
      file = sqliteFile();
      return new TypeOrmSessionStore(await file.open({ ...options, prepareDatabase }));
    },
    peer: () =>
      new TypeOrmSessionStore(
        new DataSource({ type: 'better-sqlite3', database: file.database, prepareDatabase }),
      ),
    async destroy(store) {
      await store.close();
      await file.remove();
    },
    without: ['watching'],
    volume: often(300, 2000),
  });
});
