import { describeSessionStore } from 'nestjs-tessera/testing';
import { TypeOrmSessionStore } from 'nestjs-tessera/typeorm';
import { sqliteFile } from './sqlite-file';

describe.each([{ enableWAL: false }, { enableWAL: true }])('with %p', (options) => {
  let file: ReturnType<typeof sqliteFile>;

  describeSessionStore('TypeOrmSessionStore on SQLite', {
    async create() {
      file = sqliteFile();
      return new TypeOrmSessionStore(await file.open(options));
    },
    async destroy(store) {
      await store.close();
      await file.remove();
    },
  });
});
