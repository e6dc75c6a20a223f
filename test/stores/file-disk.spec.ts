import fs from 'node:fs';
import { join } from 'node:path';
import { FileSessionStore } from 'nestjs-tessera/file';
import type { SessionRecord } from '../../lib/core/session-record';
import type { SessionId } from '../../lib/core/session-token';
import { MINUTE, START, aRecord, insertAll, nextOf } from '../../lib/testing/store-suite/records';
import { call } from '../../lib/testing/store-suite/store-suite';
import { fileDirectory } from './file-directory';
import { Halt, watchFileSystem } from './file-halts';

/** The number of a user who owns nothing here. */
const NOBODY = 65534;

/** For a directory that is given away by making us somebody else, to whom all folders above are foreign too. */
const anyParents = { durable: false, dangerouslyTrustWritableParents: true };

let place: ReturnType<typeof fileDirectory>;

beforeEach(() => {
  place = fileDirectory();
});

afterEach(() => {
  jest.restoreAllMocks();
  place.remove();
});

/** Every path below the directory. */
const everything = (): string[] =>
  fs.readdirSync(place.directory, { recursive: true, encoding: 'utf8' }).sort();

/** Where a session lies. */
function fileOf({ id }: SessionRecord): string {
  const name = Buffer.from(id).toString('hex');
  return join(
    place.directory,
    everything().find((path) => path.startsWith('sessions') && path.endsWith(name))!,
  );
}

async function insertAndLocate(store: FileSessionStore, given: Partial<SessionRecord> = {}) {
  const record = aRecord(given);
  await store.insert(record, call);
  return { record, file: fileOf(record) };
}

describe('FileSessionStore and its directory', () => {
  const refusal = (code: string, ...words: string[]) =>
    expect.objectContaining({ code, message: expect.stringMatching(words.join('.*')) }) as Error;

  it.each(['', 'a\0b', undefined, 7])('refuses %j for a directory, in words', (directory) => {
    expect(() => new FileSessionStore(directory as string)).toThrow(
      refusal('SESSION_OPTIONS_INVALID', 'give the path'),
    );
  });

  it('makes it, for this user alone, and finds it again', async () => {
    const store = await place.open();
    const { record, file } = await insertAndLocate(store, { principal: 'default:ada' });
    const modes = everything().map((path) => {
      const { mode } = fs.statSync(join(place.directory, path));
      return { path, mode: (mode & 0o777).toString(8) };
    });
    expect(modes.filter(({ mode }) => !/^[67]00$/.test(mode))).toEqual([]);
    expect(fs.statSync(place.directory).mode & 0o777).toBe(0o700);
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);
    expect(await (await place.open()).find(record.id, call)).toEqual(record);
  });

  it('lets many prepare it at once', async () => {
    const stores = await Promise.all(Array.from({ length: 8 }, () => place.open()));
    for (const store of stores) await insertAndLocate(store);
  });

  it('F7: refuses a file, and what lies in one', async () => {
    fs.writeFileSync(place.directory, '');
    await expect(place.open()).rejects.toEqual(
      refusal('SESSION_OPTIONS_INVALID', 'is not a directory', 'Choose another path'),
    );
    const below = new FileSessionStore(join(place.directory, 'below'));
    await expect(below.prepare()).rejects.toEqual(refusal('SESSION_OPTIONS_INVALID', 'is not a directory'));
  });

  it('F7: refuses one that holds other things, and touches none of them', async () => {
    fs.mkdirSync(place.directory, 0o700);
    fs.writeFileSync(join(place.directory, 'thesis.txt'), 'all of it');
    await expect(place.open()).rejects.toEqual(
      refusal('SESSION_OPTIONS_INVALID', '"thesis.txt"', 'a directory of its own'),
    );
    expect(everything()).toEqual(['thesis.txt']);
  });

  it('takes an empty one, a fresh disk, and one whose preparation was interrupted', async () => {
    for (const name of ['lost+found', '.gitkeep', '.format.1']) {
      fs.mkdirSync(join(place.directory, name), { recursive: true, mode: 0o700 });
    }
    await insertAndLocate(await place.open());
    fs.rmSync(join(place.directory, 'sessions'), { recursive: true });
    await insertAndLocate(await place.open());
  });

  it('F7: refuses one of a newer release, and one that it cannot tell', async () => {
    await place.open();
    fs.writeFileSync(join(place.directory, 'format'), 'tessera-sessions 2\n');
    await expect(place.open()).rejects.toEqual(refusal('SESSION_SCHEMA_INVALID', 'newer release'));
    fs.writeFileSync(join(place.directory, 'format'), '');
    await expect(place.open()).rejects.toEqual(refusal('SESSION_SCHEMA_INVALID', "'format'", 'damaged'));
  });

  const parts = ['.', 'sessions', 'principals', 'sessions/a1', 'principals/ff'];

  const make = (part: string, mode: string) => {
    const path = join(place.directory, part);
    fs.mkdirSync(path, { recursive: true, mode: 0o700 });
    if (part !== '.') fs.writeFileSync(join(place.directory, 'format'), 'tessera-sessions 1\n');
    fs.chmodSync(path, mode);
  };

  it.each(parts.flatMap((part) => ['777', '770', '702'].map((mode) => ({ part, mode }))))(
    'refuses one whose $part others can write, as if they had made it first: mode $mode',
    async ({ part, mode }) => {
      make(part, mode);
      await expect(place.open()).rejects.toEqual(
        refusal('SESSION_OPTIONS_INVALID', 'can be written by others', mode, 'chmod 700'),
      );
    },
  );

  it.each(parts)('takes one whose %s others can read', async (part) => {
    make(part, '755');
    await insertAndLocate(await place.open());
  });

  it.each(parts)('refuses one whose %s belongs to somebody else', async (part) => {
    const path = join(place.directory, part);
    fs.mkdirSync(path, { recursive: true, mode: 0o700 });
    if (part !== '.') fs.writeFileSync(join(place.directory, 'format'), 'tessera-sessions 1\n');
    giveAway(path);
    await expect(place.open(anyParents)).rejects.toEqual(
      refusal('SESSION_OPTIONS_INVALID', 'belongs to another user', 'chown'),
    );
  });

  it('follows a link of our own, and refuses one of somebody else, or one within', async () => {
    const elsewhere = join(place.parent, 'elsewhere');
    fs.mkdirSync(elsewhere, 0o700);
    fs.symlinkSync(elsewhere, place.directory);
    await insertAndLocate(await place.open());
    fs.renameSync(join(elsewhere, 'sessions'), join(place.parent, 'moved'));
    fs.symlinkSync(join(place.parent, 'moved'), join(elsewhere, 'sessions'));
    await expect(place.open()).rejects.toEqual(
      refusal('SESSION_OPTIONS_INVALID', '"sessions"', 'is not a directory'),
    );
    giveAway(place.directory);
    await expect(place.open(anyParents)).rejects.toEqual(
      refusal('SESSION_OPTIONS_INVALID', 'link of another user'),
    );
  });

  it('W41: names a subdirectory when it is given the mount point of a volume', async () => {
    fs.mkdirSync(place.directory, 0o700);
    giveAway(place.directory);
    await expect(place.open(anyParents)).rejects.toEqual(
      refusal(
        'SESSION_OPTIONS_INVALID',
        'belongs to another user',
        'in a volume a subdirectory of its mount point',
      ),
    );
  });

  it('F7: refuses one that it may not write', async () => {
    await place.open();
    fs.chmodSync(place.parent, 0o755);
    giveAway(place.directory);
    jest.restoreAllMocks(); // it is ours, where we are not root
    await asNobody(async () => {
      await expect(place.open()).rejects.toEqual(
        refusal('SESSION_OPTIONS_INVALID', 'EACCES', 'Give its user the right'),
      );
    });
  });

  it('F7: says so when it was never prepared', async () => {
    const store = new FileSessionStore(place.directory);
    await expect(store.insert(aRecord(), call)).rejects.toEqual(
      refusal('SESSION_STORE_UNAVAILABLE', 'prepare'),
    );
  });

  it('F1: fails in every call when it has vanished, so that nobody takes all sessions for ended, and recovers', async () => {
    const store = await place.open();
    const { record } = await insertAndLocate(store, { principal: 'default:ada' });
    fs.renameSync(place.directory, `${place.directory}.away`);
    fs.mkdirSync(place.directory); // as when a disk is unmounted
    const calls = everyCall(store, record);
    expect(await failuresOf(calls)).toEqual(each(calls, refusal('SESSION_STORE_UNAVAILABLE', 'vanished')));
    expect(everything()).toEqual([]);
    fs.rmdirSync(place.directory);
    fs.renameSync(`${place.directory}.away`, place.directory);
    expect(await store.findByPrincipal('default:ada', call)).toEqual([record]);
  });

  it('goes on without those sessions whose folders somebody has removed', async () => {
    const store = await place.open();
    const { record } = await insertAndLocate(store, { principal: 'default:ada' });
    for (const folder of ['sessions', 'principals']) {
      for (const shard of fs.readdirSync(join(place.directory, folder)))
        fs.rmSync(join(place.directory, folder, shard), { recursive: true });
    }
    expect(await store.find(record.id, call)).toBeNull();
    await store.insert(record, call);
    expect(await store.findByPrincipal('default:ada', call)).toEqual([record]);
  });

  it('F1: fails in words when a file stands where a folder was, or when it may not be read any more', async () => {
    const store = await place.open();
    const { record } = await insertAndLocate(store, { principal: 'default:ada' });
    const calls = everyCall(store, record);
    await asNobody(async () => {
      expect(await failuresOf(calls)).toEqual(each(calls, refusal('SESSION_STORE_UNAVAILABLE', 'EACCES')));
    });
    fs.rmSync(join(place.directory, 'sessions'), { recursive: true });
    fs.writeFileSync(join(place.directory, 'sessions'), '');
    const { find, insert, update, extend, delete: remove } = calls;
    const basic = { find, insert, update, extend, remove };
    expect(await failuresOf(basic)).toEqual(each(basic, refusal('SESSION_STORE_UNAVAILABLE', 'ENOTDIR')));
  });

  it.each([
    '../../../../etc/passwd',
    '..',
    '',
    'a'.repeat(23),
    'é'.repeat(22),
    `${'a'.repeat(20)}/.`,
    `${'a'.repeat(21)}\0`,
  ] as SessionId[])('T4: comes near the disk with a validated id alone, so not with %j', async (id) => {
    const store = await place.open();
    const before = everything();
    const unwatch = watchFileSystem();
    const halt = new Halt(Infinity);
    try {
      const record = aRecord({ id });
      await halt.run(async () => {
        expect(await store.find(id, call)).toBeNull();
        await expect(store.insert(record, call)).rejects.toMatchObject({
          code: 'SESSION_STORE_UNAVAILABLE',
        });
        expect(await store.update(nextOf(record), 1, call)).toBe(false);
        expect(await store.extend(id, 1, START, call)).toBe(false);
        await store.delete(id, call);
      });
    } finally {
      unwatch();
    }
    expect(halt.calls).toEqual([]);
    expect(everything()).toEqual(before);
  });

  it.each(['default:../../x', 'default:/etc', 'default:a\\b', 'a:..'])(
    'T4: makes no path of what a principal is called: %j',
    async (principal) => {
      const store = await place.open();
      const { record } = await insertAndLocate(store, { principal });
      expect(await store.findByPrincipal(principal, call)).toEqual([record]);
      expect(fs.readdirSync(place.parent)).toEqual(['sessions-of-ours']);
      const ours = /^(?:format|(?:sessions|principals|spare)(?:\/(?:[0-9a-f.-]+|slot))*)$/;
      expect(everything().filter((path) => !ours.test(path))).toEqual([]);
    },
  );
});

describe('FileSessionStore and damaged files', () => {
  const list = async (store: FileSessionStore) => {
    const found: SessionRecord[] = [];
    for await (const record of store.records(call)) found.push(record);
    return found;
  };

  it.each([
    ['empty', () => ''],
    ['cut within its facts', (text: string) => text.slice(0, 80)],
    ['of another program', () => '{"session":1}\n\n'],
    ['of another session', (text: string) => text.replace(/\["....../, '["AAAAAA')],
  ])('D4: takes a file that is %s for no session, and goes on with the others', async (_, damage) => {
    const store = await place.open();
    const other = await insertAndLocate(store, { principal: 'default:ada' });
    const { record, file } = await insertAndLocate(store, {
      principal: 'default:ada',
      expiresAt: START - MINUTE,
    });
    fs.writeFileSync(file, damage(fs.readFileSync(file, 'utf8')));
    expect(await store.find(record.id, call)).toBeNull();
    expect(await store.update(nextOf(record), 1, call)).toBe(false);
    expect(await store.findByPrincipal('default:ada', call)).toEqual([other.record]);
    expect(await list(store)).toEqual([other.record]);
    expect(await store.sweep(START + MINUTE, 10, call)).toBe(1);
    expect(fs.existsSync(file)).toBe(false);
    expect(await store.find(other.record.id, call)).toEqual(other.record);
  });

  it('D4: finds a session whose body is damaged, with one that nobody can read', async () => {
    const store = await place.open();
    const body = `{"text":"${'x'.repeat(100)}"}`;
    const { record, file } = await insertAndLocate(store, { principal: 'default:ada', body });
    fs.truncateSync(file, fs.statSync(file).size - 50);
    expect(await store.find(record.id, call)).toEqual({ ...record, body: '' });
    expect(await store.deleteByPrincipal('default:ada', call)).toBe(1);
  });

  it('D4: leaves a file of a newer release alone', async () => {
    const store = await place.open();
    const { record, file } = await insertAndLocate(store, {
      principal: 'default:ada',
      expiresAt: START - MINUTE,
    });
    const newer = 'tessera-session 2 of a form to come\n';
    fs.writeFileSync(file, newer);
    expect(await store.find(record.id, call)).toBeNull();
    expect(await store.update(nextOf(record), 1, call)).toBe(false);
    await expect(store.insert(record, call)).rejects.toMatchObject({ code: 'SESSION_DUPLICATE_ID' });
    expect(await store.findByPrincipal('default:ada', call)).toEqual([]);
    expect(await store.sweep(START + MINUTE, 10, call)).toBe(0);
    expect(await list(store)).toEqual([]);
    expect(fs.readFileSync(file, 'utf8')).toBe(newer);
  });

  it('leaves foreign files alone', async () => {
    const store = await place.open();
    const { record, file } = await insertAndLocate(store);
    const foreign = [
      '.DS_Store',
      'notes.txt',
      `${file.slice(-44)}.bak`,
      `${file.slice(-44)}.tmp.1`,
      'f'.repeat(44),
    ];
    for (const name of foreign) {
      fs.writeFileSync(join(file, '..', name), 'mine');
      fs.utimesSync(join(file, '..', name), 0, 0);
    }
    expect(await store.sweep(START, 10, call)).toBe(0);
    expect(await list(store)).toEqual([record]);
    const left = foreign.filter((name) => fs.readFileSync(join(file, '..', name), 'utf8') === 'mine');
    expect(left).toEqual(foreign);
  });
});

describe('FileSessionStore and what a sweep costs', () => {
  it('looks at folders alone while nothing has changed and nothing is due', async () => {
    const [store, peer] = [await place.open(), await place.open()];
    const records = Array.from({ length: 300 }, () => aRecord());
    await insertAll(store, records);
    // Long enough ago for a folder's time to be told from that of a change to come.
    for (const path of everything().filter((one) => /^sessions\/..$/.test(one))) {
      fs.utimesSync(join(place.directory, path), START / 1000 - 60, START / 1000 - 60);
    }
    expect(await store.sweep(START, 10, call)).toBe(0);
    const unwatch = watchFileSystem();
    try {
      const quiet = new Halt(Infinity);
      await quiet.run(() => store.sweep(START, 10, call));
      const folders = everything().filter((one) => /^sessions\/..$/.test(one));
      expect(quiet.calls).toEqual(['readdir', ...folders.map(() => 'stat')]);

      // Another process makes one due: its folder is looked through, and no other.
      await peer.extend(records[7]!.id, 1, START - MINUTE, call);
      const busy = new Halt(Infinity);
      expect(await busy.run(() => store.sweep(START, 10, call))).toBe(1);
      expect(busy.calls.filter((name) => name === 'readdir')).toHaveLength(2);
      expect(busy.calls.length).toBeLessThan(300);
    } finally {
      unwatch();
    }
    expect(await store.sweep(START + 60 * MINUTE, 1000, call)).toBe(299);
  });

  it('does not begin anew when it is given up, so that those in the last folder have their turn', async () => {
    const store = await place.open();
    await store.insert(aRecord({ id: `_w${'x'.repeat(20)}` as SessionId, expiresAt: START - MINUTE }), call);
    const unwatch = watchFileSystem();
    try {
      for (let rounds = 0, removed = 0; removed === 0; rounds++) {
        expect(rounds).toBeLessThan(20);
        const controller = new AbortController();
        const halt = new Halt(50);
        const swept = halt.run(() => store.sweep(START, 1, controller));
        await halt.reached;
        controller.abort();
        halt.thaw();
        removed = await swept.catch(() => 0);
      }
    } finally {
      unwatch();
    }
    await expect(store.records(call).next()).resolves.toMatchObject({ done: true });
  });
});

/** One call of each kind, the five of every store first. */
function everyCall(store: FileSessionStore, record: SessionRecord) {
  return {
    find: () => store.find(record.id, call),
    insert: () => store.insert(aRecord(), call),
    update: () => store.update(nextOf(record), 1, call),
    extend: () => store.extend(record.id, 1, START, call),
    delete: () => store.delete(record.id, call),
    findByPrincipal: () => store.findByPrincipal('default:ada', call),
    deleteByPrincipal: () => store.deleteByPrincipal('default:ada', call),
    sweep: () => store.sweep(START, 10, call),
    records: () => store.records(call)[Symbol.asyncIterator]().next(),
  };
}

/** What each call is rejected with, by its name; `null` where it is not. */
async function failuresOf(calls: Record<string, () => Promise<unknown>>): Promise<Record<string, unknown>> {
  const failures: Record<string, unknown> = {};
  for (const [name, run] of Object.entries(calls))
    failures[name] = await run().then(
      () => null,
      (error: unknown) => error,
    );
  return failures;
}

/** The same for each of these. */
const each = <T>(calls: object, value: T): Record<string, T> =>
  Object.fromEntries(Object.keys(calls).map((name) => [name, value]));

/** Makes a path somebody else's, or us somebody else where we may not. */
function giveAway(path: string): void {
  const user = process.geteuid!();
  if (user === 0) fs.lchownSync(path, NOBODY, NOBODY);
  else jest.spyOn(process, 'geteuid').mockReturnValue(user + 1);
}

/** Where tests are run by root, whom no mode stops. */
async function asNobody(work: () => Promise<void>): Promise<void> {
  const isRoot = process.geteuid!() === 0;
  if (isRoot) process.seteuid!(NOBODY);
  else fs.chmodSync(place.directory, 0o000);
  try {
    await work();
  } finally {
    if (isRoot) process.seteuid!('root');
    else fs.chmodSync(place.directory, 0o700);
  }
}
