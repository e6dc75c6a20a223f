// A process of its own that works on a directory of sessions: node file-writer.cjs <directory> <task> [argument].
const fs = require('node:fs/promises');
require('../sessions/process/typescript.js');
const { FileSessionStore } = require('../../lib/stores/file/index.ts');
const { START, aRecord, nextOf } = require('../../lib/testing/store-suite/records.ts');
const { call } = require('../../lib/testing/store-suite/store-suite.ts');

const [directory, task, argument] = process.argv.slice(2);
const store = new FileSessionStore(directory);
/** Resolves when it has left this process: what waits in it is lost when it is killed. */
const tell = (what) => new Promise((resolve) => process.stdout.write(`${JSON.stringify(what)}\n`, resolve));

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
  /** Writes until it is killed: inserts sessions, changes each and ends some, telling of each write what it left once it is acknowledged. */
  async writeForever() {
    for (let n = 0; ; n++) {
      const first = aRecord({
        principal: `default:${n % 7}`,
        body: JSON.stringify({ n, text: 'x'.repeat(n % 3000) }),
      });
      await store.insert(first, call);
      await tell(first);
      const second = nextOf(first, { principal: n % 2 ? first.principal : null });
      await store.update(second, 1, call);
      await tell(second);
      if (n % 3 === 0) {
        await store.delete(first.id, call);
        await tell({ id: first.id, version: Infinity });
      }
    }
  },
  /** Logs a session in, but stops itself, as SIGSTOP does, when only the last step is to come; then says what came of it. */
  async stopAtCommit() {
    const record = await store.find(argument, call);
    const rename = fs.rename;
    let isFirst = true;
    fs.rename = async (from, to) => {
      if (from.includes('.lock') && isFirst) {
        isFirst = false;
        await tell('stopping');
        process.kill(process.pid, 'SIGSTOP');
      }
      return rename(from, to);
    };
    const next = nextOf(record, { principal: 'default:eve', expiresAt: START + 7_200_000 });
    await tell(await store.update(next, record.version, call));
  },
  /** Ends every session of a principal, one by one, and sweeps; then says which failed. */
  async endAll() {
    const failures = [];
    const note = (error) => failures.push(error.message);
    await store.prepare().catch(note);
    for (const { id } of await store.findByPrincipal(argument, call))
      await store.delete(id, call).catch(note);
    await store.sweep(START, 1000, call).catch(note);
    await tell(failures);
  },
  /** Goes through everything with few files open at once, as `ulimit -n` says. */
  async count() {
    let all = 0;
    for await (const { id } of store.records(call)) if (id) all++;
    await tell({ all, ofPrincipal: (await store.findByPrincipal('default:many', call)).length });
  },
  /** Looks for all while no file can be opened any more. It opens them itself: many reads at once are not enough on Node 26. */
  async openAll() {
    const ids = [];
    for await (const { id } of store.records(call)) ids.push(id);
    const held = [];
    try {
      for (;;) held.push(await fs.open(__filename));
    } catch {
      // As many as there can be.
    }
    const outcomes = await Promise.allSettled(ids.map((id) => store.find(id, call)));
    await Promise.all(held.map((file) => file.close()));
    await tell(outcomes.filter(({ status }) => status === 'rejected').map(({ reason }) => reason.message));
  },
};

void tasks[task]();
