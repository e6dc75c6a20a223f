// A process of its own that works on a SQLite file: node writer.cjs <file> <task> [argument]. Compiles the sources as Jest does.
const { readFileSync } = require('node:fs');
const { transformSync } = require('@swc/core');

require.extensions['.ts'] = (module, filename) => {
  const jsc = { target: 'es2022', parser: { syntax: 'typescript', decorators: true } };
  const { code } = transformSync(readFileSync(filename, 'utf8'), {
    filename,
    swcrc: false,
    jsc,
    module: { type: 'commonjs' },
  });
  module._compile(code, filename);
};

const { TypeOrmSessionStore } = require('../../lib/stores/typeorm/typeorm-session-store.ts');
const { aRecord, nextOf } = require('../../lib/testing/store-suite/records.ts');
const { call } = require('../../lib/testing/store-suite/store-suite.ts');
const { DataSource } = require('typeorm');

const [database, task, argument] = process.argv.slice(2);
const store = new TypeOrmSessionStore(new DataSource({ type: 'better-sqlite3', database }));

/** Resolves when it has left this process: what waits in it is lost when it is killed. */
const tell = (text) => new Promise((resolve) => process.stdout.write(text, resolve));

const tasks = {
  /** Adds one to the number in a session's body, as often as told, at the same time as others do. */
  async increment() {
    const [id, times] = argument.split(':');
    for (let done = 0; done < Number(times);) {
      const record = await store.find(id, call);
      const next = nextOf(record, { body: String(Number(record.body) + 1) });
      if (await store.update(next, record.version, call)) done++;
    }
  },
  /** Inserts until it is killed, telling each record once the store has acknowledged it. */
  async insertForever() {
    for (let n = 0; ; n++) {
      const record = aRecord({
        principal: `default:${n % 7}`,
        body: JSON.stringify({ n, text: 'x'.repeat(n % 3000) }),
      });
      await store.insert(record, call);
      await tell(`${JSON.stringify(record)}\n`);
    }
  },
  async print() {
    process.stdout.write(JSON.stringify(await store.find(argument, call)));
  },
};

tasks[task]().then(() => store.close());
