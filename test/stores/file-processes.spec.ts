import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import type { FileSessionStore } from 'nestjs-tessera/file';
import type { SessionRecord } from '../../lib/core/session-record';
import { MINUTE, START, aRecord, insertAll, nextOf } from '../../lib/testing/store-suite/records';
import { call } from '../../lib/testing/store-suite/store-suite';
import { often } from '../support/long';
import { fileDirectory } from './file-directory';

const WRITER = join(__dirname, 'file-writer.cjs');
const run = promisify(execFile);

describe('several processes on one directory', () => {
  let place: ReturnType<typeof fileDirectory>;
  let store: FileSessionStore;
  let children: ChildProcessByStdio<null, Readable, null>[];

  beforeEach(async () => {
    children = [];
    place = fileDirectory();
    store = await place.open();
  });

  afterEach(async () => {
    for (const child of children.filter(
      ({ exitCode, signalCode }) => exitCode === null && signalCode === null,
    )) {
      const ended = once(child, 'close');
      child.kill('SIGKILL');
      await ended;
    }
    place.remove();
  });

  /** A process at work, and what it tells line by line. */
  function begin(task: string, argument = '') {
    const child = spawn(process.execPath, [WRITER, place.directory, task, argument], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    return { child, next: async () => JSON.parse((await lines.next()).value as string) as unknown, lines };
  }

  it('R2: loses none of the increments that four processes make at once', async () => {
    const record = aRecord({ body: '0' });
    await store.insert(record, call);
    const increment = () => run(process.execPath, [WRITER, place.directory, 'increment', `${record.id}:50`]);
    await Promise.all([increment(), increment(), increment(), increment()]);
    expect(await store.find(record.id, call)).toMatchObject({ body: '200', version: 201 });
  });

  it('F2: has every acknowledged write, whole, after kill -9, and nothing that stands in the way', async () => {
    const latest = new Map<string, SessionRecord>();
    const writers = [begin('writeForever'), begin('writeForever'), begin('writeForever')];
    await Promise.all(
      writers.map(async ({ child, lines }, n) => {
        let told = 0;
        // Each is killed somewhere else in what it does.
        for await (const line of lines) {
          const record = JSON.parse(line) as SessionRecord;
          latest.set(record.id, record);
          if (++told === 60 + n) setTimeout(() => child.kill('SIGKILL'), n * 2);
        }
      }),
    );
    const kept = new Map<string, SessionRecord>();
    for await (const record of store.records(call)) kept.set(record.id, record);
    for (const [id, record] of latest) {
      const found = kept.get(id);
      if (record.version === null) expect(found).toBeUndefined();
      // What was under way may have happened without having been acknowledged.
      else if (found?.version === record.version) expect(found).toEqual(record);
      else expect(found?.version ?? 3).toBe(record.version + 1);
    }
    const unacknowledged = [...latest.values()].filter(
      ({ id, version }) => version !== null && kept.get(id)?.version !== version,
    );
    expect(unacknowledged.length).toBeLessThanOrEqual(writers.length);
    for (const { id, version, principal } of kept.values()) {
      const indexed = principal === null ? [] : await store.findByPrincipal(principal, call);
      if (principal !== null) expect(indexed.map((one) => one.id)).toContain(id);
      expect(await store.update(nextOf(kept.get(id)!), version, call)).toBe(true);
    }
  });

  it('R9: does not wait for a process that is stopped, and a write of it that lands later revives nothing', async () => {
    const record = aRecord({ principal: 'default:ada' });
    await store.insert(record, call);
    const stopped = begin('stopAtCommit', record.id);
    expect(await stopped.next()).toBe('stopping');
    await untilStopped(stopped.child.pid!);

    await store.delete(record.id, { signal: AbortSignal.timeout(3000) });
    expect(await store.find(record.id, call)).toBeNull();
    stopped.child.kill('SIGCONT');
    expect(await stopped.next()).toBe(false);
    expect(await store.find(record.id, call)).toBeNull();
    expect(await store.findByPrincipal('default:eve', call)).toEqual([]);
  });

  it('E6: a login that lands after its session was swept revives nothing', async () => {
    const record = aRecord({ expiresAt: START - MINUTE });
    await store.insert(record, call);
    const stopped = begin('stopAtCommit', record.id);
    expect(await stopped.next()).toBe('stopping');
    await untilStopped(stopped.child.pid!);

    expect(await store.sweep(START, 10, { signal: AbortSignal.timeout(3000) })).toBe(1);
    stopped.child.kill('SIGCONT');
    expect(await stopped.next()).toBe(false);
    expect(await store.find(record.id, call)).toBeNull();
  });

  it('goes through many with few files open, and says so when there are too few', async () => {
    const many = often(400, 1500);
    const records = Array.from({ length: many }, (_, n) =>
      aRecord({ principal: n % 2 ? 'default:many' : null }),
    );
    await insertAll(store, records);
    const limited = async (limit: number, task: string) => {
      const script = `ulimit -n ${limit}; exec "$0" "$@"`;
      const { stdout } = await run('sh', ['-c', script, process.execPath, WRITER, place.directory, task]);
      return JSON.parse(stdout) as unknown;
    };
    expect(await limited(100, 'count')).toEqual({ all: many, ofPrincipal: many / 2 });
    const failures = (await limited(100, 'openAll')) as string[];
    expect(failures.length).toBeGreaterThan(0);
    expect(failures.filter((failure) => !failure.includes('too many open files'))).toEqual([]);
  });
});

/** Looks until the system says that the process is stopped. */
async function untilStopped(pid: number): Promise<void> {
  for (let looks = 0; looks < 1000; looks++) {
    if (/\) T /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`process ${pid} does not stop`);
}
