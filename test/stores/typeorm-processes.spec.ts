import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { TypeOrmSessionStore } from 'nestjs-tessera/typeorm';
import type { SessionRecord } from '../../lib/core/session-record';
import { aRecord, assertRecords } from '../../lib/testing/store-suite/records';
import { call } from '../../lib/testing/store-suite/store-suite';
import { describeEachWithSqlite } from '../support/sqlite';
import { sqliteFile } from './sqlite-file';

const WRITER = join(__dirname, 'writer.cjs');
const run = promisify(execFile);

describeEachWithSqlite([{ enableWAL: false }, { enableWAL: true }])(
  'several processes on one SQLite file with %p',
  (options) => {
    let file: ReturnType<typeof sqliteFile>;
    let store: TypeOrmSessionStore;

    beforeEach(async () => {
      file = sqliteFile();
      store = new TypeOrmSessionStore(await file.open(options));
    });

    afterEach(async () => {
      await store.close();
      await file.remove();
    });

    it('finds in another process what this one wrote', async () => {
      const record = aRecord({ principal: 'default:ada', body: '{"a":"🦊"}' });
      await store.insert(record, call);
      const { stdout } = await run(process.execPath, [WRITER, file.database, 'print', record.id]);
      expect(JSON.parse(stdout)).toEqual(record);
    });

    it('R2: loses none of the increments that two processes make at once', async () => {
      const record = aRecord({ body: '0' });
      await store.insert(record, call);
      const increment = () => run(process.execPath, [WRITER, file.database, 'increment', `${record.id}:300`]);
      await Promise.all([increment(), increment()]);
      expect(await store.find(record.id, call)).toMatchObject({ body: '600', version: 601 });
    });

    it('F2: has every acknowledged write, whole, after kill -9', async () => {
      const writer = spawn(process.execPath, [WRITER, file.database, 'insertForever']);
      let said = '';
      writer.stdout.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        if (said.split('\n').length > 50) writer.kill('SIGKILL');
      });
      await once(writer, 'close');
      const acknowledged = said
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as SessionRecord);
      const kept: SessionRecord[] = [];
      for await (const record of store.records(call)) kept.push(record);
      const ids = new Set(acknowledged.map(({ id }) => id));
      assertRecords(
        kept.filter(({ id }) => ids.has(id)),
        acknowledged,
      );
      // At most the one that was under way is there without having been acknowledged, and it is whole.
      expect(kept.length - acknowledged.length).toBeLessThanOrEqual(1);
      expect(kept.filter(({ body }) => !('text' in (JSON.parse(body) as object)))).toEqual([]);
    });
  },
);
