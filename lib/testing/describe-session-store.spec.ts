import { verdictOf } from '../../test/stores/suite-verdict';
import type { SessionRecord } from '../core/session-record';
import type { SessionStore } from '../core/session-store';
import type { SessionId } from '../core/session-token';
import type { EndListener } from '../core/store-capabilities';
import { MemorySessionStore } from '../stores/memory/memory-session-store';
import { call } from './store-suite/store-suite';
import { globalRunner } from './store-suite/test-runner';

/** Stores with one mistake each, and the title of a test that must notice it. */
const MISTAKES: Record<string, [title: RegExp, Store: new () => SessionStore]> = {
  'inserts over what exists': [
    /rejects an id that exists already/,
    class extends MemorySessionStore {
      override async insert(record: SessionRecord) {
        await super.delete(record.id);
        await super.insert(record);
      }
    },
  ],
  'rejects a duplicate without its code': [
    /rejects an id that exists already/,
    class extends MemorySessionStore {
      override insert = (record: SessionRecord) =>
        super.insert(record).catch(() => Promise.reject(new Error('UNIQUE constraint failed')));
    },
  ],
  'brings the dead back with an update': [
    /R9: says false and creates nothing/,
    class extends MemorySessionStore {
      override async update(record: SessionRecord, expected: number) {
        if ((await this.find(record.id)) !== null) return super.update(record, expected);
        await super.insert(record);
        return true;
      }
    },
  ],
  'updates whatever the version': [
    /has another version/,
    class extends MemorySessionStore {
      override async update(record: SessionRecord) {
        const found = await this.find(record.id);
        return found !== null && super.update(record, found.version);
      }
    },
  ],
  'reads, and then writes': [
    /R2: loses none/,
    class extends MemorySessionStore {
      override async update(record: SessionRecord, expected: number) {
        const found = await this.find(record.id);
        if (found?.version !== expected) return false;
        await new Promise(setImmediate);
        await super.delete(record.id);
        await super.insert(record).catch(() => undefined);
        return true;
      }
    },
  ],
  'counts an extension as a version': [
    /R6: moves the expiry/,
    class extends MemorySessionStore {
      override async extend(id: SessionId, expected: number, expiresAt: number) {
        const found = await this.find(id);
        return found !== null && this.update({ ...found, version: expected + 1, expiresAt }, expected);
      }
    },
  ],
  'says false when an extension changes nothing': [
    /true when the expiry is that already/,
    class extends MemorySessionStore {
      override async extend(id: SessionId, expected: number, expiresAt: number) {
        return (await this.find(id))?.expiresAt !== expiresAt && super.extend(id, expected, expiresAt);
      }
    },
  ],
  'keeps the very object it was given': [
    /keeps no reference/,
    class extends MemorySessionStore {
      readonly #given = new Map<string, SessionRecord>();
      override async insert(record: SessionRecord) {
        await super.insert(record);
        this.#given.set(record.id, record);
      }
      override async find(id: SessionId) {
        const found = await super.find(id);
        const given = this.#given.get(id);
        return found !== null && given?.version === found.version ? { ...found, body: given.body } : found;
      }
    },
  ],
  'hands out the very object it keeps': [
    /keeps no reference/,
    class extends MemorySessionStore {
      readonly #kept = new Map<string, SessionRecord>();
      override async find(id: SessionId) {
        const kept = this.#kept.get(id) ?? (await super.find(id));
        if (kept !== null) this.#kept.set(id, kept);
        return kept;
      }
    },
  ],
  'tells no end of sessions that are removed with their principal': [
    /S2: tells of each session that is removed with its principal/,
    class extends MemorySessionStore {
      #isRemoving = false;
      override async deleteByPrincipal(principal: string) {
        this.#isRemoving = true;
        return super.deleteByPrincipal(principal).finally(() => (this.#isRemoving = false));
      }
      override watchEnds(listener: EndListener) {
        return super.watchEnds((id) => this.#isRemoving || listener(id));
      }
    },
  ],
  'tells of deletions only': [
    /S2: tells of an update that changes the principal/,
    class extends MemorySessionStore {
      readonly #own = new Set<EndListener>();
      override async delete(id: SessionId) {
        await super.delete(id);
        for (const listener of this.#own) listener(id);
      }
      override watchEnds(listener: EndListener) {
        this.#own.add(listener);
        return { isActive: true, close: () => void this.#own.delete(listener) };
      }
    },
  ],
  'tells no end that comes earlier': [
    /S2: tells of an update that makes the expiry earlier/,
    class extends MemorySessionStore {
      #isEarlier = false;
      override async update(record: SessionRecord, expectedVersion: number) {
        const found = await this.find(record.id);
        this.#isEarlier = found?.principal === record.principal && found.secretHash === record.secretHash;
        return super.update(record, expectedVersion).finally(() => (this.#isEarlier = false));
      }
      override watchEnds(listener: EndListener) {
        return super.watchEnds((id) => this.#isEarlier || listener(id));
      }
    },
  ],
  'goes on telling after the subscription was closed': [
    /tells nothing after the subscription was closed/,
    class extends MemorySessionStore {
      override watchEnds(listener: EndListener) {
        return { ...super.watchEnds(listener), close: () => {} };
      }
    },
  ],
  'finds heads of sessions that were not asked for': [
    /reads the heads of many records at once/,
    class extends MemorySessionStore {
      async findHeads() {
        const heads = [];
        for await (const head of this.records(call)) heads.push(head);
        return heads;
      }
    },
  ],
  'cuts long bodies': [
    /D1: keeps a body exactly: 64 KB of emoji/,
    class extends MemorySessionStore {
      override insert = (record: SessionRecord) =>
        super.insert({ ...record, body: record.body.slice(0, 30_000) });
    },
  ],
  'takes ids of different case for one': [
    /differ only in case/,
    class extends MemorySessionStore {
      override find = (id: SessionId) => super.find(id.toLowerCase() as SessionId);
      override insert = (record: SessionRecord) =>
        super.insert({ ...record, id: record.id.toLowerCase() as SessionId });
    },
  ],
  'trips over a hostile id': [
    /T4: finds nothing under hostile ids/,
    class extends MemorySessionStore {
      override async find(id: SessionId) {
        if (id.includes('\0')) throw new Error('invalid byte sequence');
        return super.find(id);
      }
    },
  ],
  'takes an expiry of zero for none': [
    /E5: reclaims an expiry of zero/,
    class extends MemorySessionStore {
      override insert = (record: SessionRecord) =>
        super.insert({ ...record, expiresAt: record.expiresAt <= 0 ? Infinity : record.expiresAt });
    },
  ],
  'finds principals by their beginning': [
    /L7: finds a principal/,
    class extends MemorySessionStore {
      override async findByPrincipal(principal: string) {
        const found = [];
        for await (const record of this.records(call))
          if (record.principal?.startsWith(principal)) found.push(record);
        return found;
      }
    },
  ],
  'forgets how many it removed': [
    /removes all sessions of one principal/,
    class extends MemorySessionStore {
      override deleteByPrincipal = (principal: string) => super.deleteByPrincipal(principal).then(() => 1);
    },
  ],
  'goes through one page': [
    /yields each of many once/,
    class extends MemorySessionStore {
      override async *records() {
        let yielded = 0;
        for await (const record of super.records(call)) if (yielded++ < 500) yield record;
      }
    },
  ],
  'goes on when the call was given up': [
    /stops within a page/,
    class extends MemorySessionStore {
      override records = () => super.records(call);
    },
  ],
  'sweeps without a limit': [
    /E6: removes no more than its limit/,
    class extends MemorySessionStore {
      override sweep = (now: number) => super.sweep(now, Infinity);
    },
  ],
  'sweeps a millisecond late': [
    /E6: removes what expires at or before/,
    class extends MemorySessionStore {
      override sweep = (now: number, limit: number) => super.sweep(now - 1, limit);
    },
  ],
  'picks what has expired, and removes it later': [
    /E6: never removes a session that was extended/,
    class extends MemorySessionStore {
      readonly #extensions: Promise<boolean>[] = [];
      #picking = 0;

      override async sweep(now: number, limit: number) {
        const due = [];
        this.#picking++;
        for await (const record of this.records(call))
          if (record.expiresAt <= now && due.length < limit) due.push(record);
        this.#picking--;
        await Promise.all(this.#extensions);
        await Promise.all(due.map(({ id }) => this.delete(id)));
        return due.length;
      }

      /** Arrives between the picking and the removing, whenever there is one. */
      override extend(...all: [SessionId, number, number]) {
        const extension = this.#picked().then(() => super.extend(...all));
        this.#extensions.push(extension);
        return extension;
      }

      async #picked() {
        do await new Promise(setImmediate);
        while (this.#picking > 0);
      }
    },
  ],
};

describe('describeSessionStore', () => {
  it('finds nothing wrong with a right store', async () => {
    const create = () => new MemorySessionStore();
    const { failed, passed, skipped } = await verdictOf({ create, peer: (store) => store });
    expect(failed).toEqual([]);
    expect(skipped).toEqual(['faults [not run: the harness does not say how to cause faults]']);
    expect(passed.length).toBeGreaterThan(50);
  });

  it.each(Object.entries(MISTAKES))('notices a store that %s', async (_, [title, Store]) => {
    const { failed } = await verdictOf({ create: () => new Store() }, title);
    expect(failed).toContainEqual(expect.stringMatching(title));
  });

  const bare = (): SessionStore => {
    const { find, insert, update, extend, delete: remove } = MemorySessionStore.prototype;
    const store = new MemorySessionStore();
    return {
      find: find.bind(store),
      insert: insert.bind(store),
      update: update.bind(store),
      extend: extend.bind(store),
      delete: remove.bind(store),
    };
  };

  it('shows the capabilities that a store lacks as skipped', async () => {
    const { failed, skipped } = await verdictOf({
      create: bare,
      without: ['principals', 'enumeration', 'sweeping', 'watching'],
    });
    expect(failed).toEqual([]);
    expect(skipped).toEqual([
      'principals [not run: principals: not a capability of store]',
      'enumeration [not run: enumeration: not a capability of store]',
      'sweeping [not run: sweeping: not a capability of store]',
      'watching [not run: watching: not a capability of store]',
      'between processes [not run: the harness opens no peer]',
      'faults [not run: the harness does not say how to cause faults]',
    ]);
  });

  it('fails for a capability that is missing but not declared, or present but denied', async () => {
    const missing = await verdictOf({ create: bare, without: ['principals', 'enumeration', 'watching'] });
    expect(missing.failed).toContain('store › has the capability: sweeping');
    const denied = await verdictOf({ create: () => new MemorySessionStore(), without: ['sweeping'] });
    expect(denied.failed).toEqual(['store › lacks the capability: sweeping']);
  });

  it('prepares each store, and closes it unless the harness destroys it', async () => {
    const calls: string[] = [];
    const create = () =>
      Object.assign(new MemorySessionStore(), {
        prepare: async () => void calls.push('prepare'),
        close: async () => void calls.push('close'),
      });
    await verdictOf({ create });
    expect(new Set(calls)).toEqual(new Set(['prepare', 'close']));
    calls.length = 0;
    await verdictOf({ create, destroy: () => void calls.push('destroy') });
    expect(new Set(calls)).toEqual(new Set(['prepare', 'destroy']));
  });

  it('names the way out where there is no test runner', () => {
    const { describe } = globalThis;
    Reflect.deleteProperty(globalThis, 'describe');
    try {
      expect(globalRunner).toThrow(/pass the runner: import \* as runner from 'vitest'/);
    } finally {
      globalThis.describe = describe;
    }
  });
});
