import { MemorySessionStore, type SessionRecord, type SessionStore, type StoreCall } from 'nestjs-tessera';
import { verdictOf } from './suite-verdict';

type Id = SessionRecord['id'];

/** A store that does something to every body it is given. */
function withBodies(change: (body: string) => string): new () => SessionStore {
  return class extends MemorySessionStore {
    override insert = (record: SessionRecord) => super.insert({ ...record, body: change(record.body) });
  };
}

/** Stores with one mistake each, and the title of a test that must notice it. */
const MISTAKES: Record<string, [title: RegExp, Store: new () => SessionStore]> = {
  'drops what looks like a NUL': [
    /D1: keeps exactly: NUL/,
    withBodies((body) => body.replaceAll('\\u0000', '')),
  ],
  'mends lone surrogates': [
    /D1: keeps exactly: lone surrogates/,
    withBodies((body) => body.replaceAll(/\\ud[89ab]../g, '\ufffd')),
  ],
  'composes letters': [/D1: keeps exactly: accents/, withBodies((body) => body.normalize('NFC'))],
  'takes keys for an attack': [
    /D2: keeps keys/,
    withBodies((body) => body.replaceAll('"__proto__"', '"proto"')),
  ],
  'has no room for the largest session': [
    /D3: keeps what fits/,
    class extends MemorySessionStore {
      override async insert(record: SessionRecord) {
        if (record.body.length > 65_000) throw new Error('value too long for type');
        await super.insert(record);
      }
    },
  ],
  'looks into bodies': [
    /D4: drops a session whose body is cut by one character/,
    class extends MemorySessionStore {
      override async find(id: Id) {
        const found = await super.find(id);
        JSON.parse(found?.body.split('\n')[2] ?? 'null');
        return found;
      }
    },
  ],
  'stops listing at a body it cannot read': [
    /D4: drops a session whose body is of no format/,
    class extends MemorySessionStore {
      override async *records(call: StoreCall) {
        for await (const record of super.records(call)) {
          if (!record.body.startsWith('1\n')) return;
          yield record;
        }
      }
    },
  ],
  'brings bodies up to date by itself': [
    /D4: leaves a body of a newer release alone/,
    class extends MemorySessionStore {
      override async find(id: Id) {
        const found = await super.find(id);
        return found && { ...found, body: found.body.replace(/^3/, '2') };
      }
    },
  ],
  'does not enumerate everything': [
    /T2: holds no token/,
    class extends MemorySessionStore {
      override async *records(call: StoreCall) {
        for await (const record of super.records(call)) if (record.principal !== 'default:eve') yield record;
      }
    },
  ],
  'keeps expiries in seconds': [
    /E1: is alive a millisecond before/,
    class extends MemorySessionStore {
      override insert = (record: SessionRecord) =>
        super.insert({ ...record, expiresAt: Math.floor(record.expiresAt / 1000) * 1000 });
    },
  ],
  'keeps the dead': [
    /E1: is dead and gone/,
    class extends MemorySessionStore {
      override delete = async () => undefined;
    },
  ],
  'says that it extended, and did not': [
    /E1: restarts the idle timeout with each request/,
    class extends MemorySessionStore {
      override extend = async () => true;
    },
  ],
  'gives every update a bit more time': [
    /E2: is dead at the end of its lifetime/,
    class extends MemorySessionStore {
      override update = (record: SessionRecord, expected: number) =>
        super.update({ ...record, expiresAt: record.expiresAt - 1 }, expected);
    },
  ],
  'answers now and then from what it read before': [
    /R10: shows no foreign/,
    class extends MemorySessionStore {
      readonly #read = new Map<Id, SessionRecord>();
      #reads = 0;
      override async find(id: Id) {
        const before = this.#read.get(id);
        if (before !== undefined && ++this.#reads % 3 === 0) return before;
        const found = await super.find(id);
        if (found !== null) this.#read.set(id, found);
        return found;
      }
    },
  ],
  'writes the body before it compares the version': [
    /R10: shows no foreign/,
    class extends MemorySessionStore {
      override async update(record: SessionRecord, expected: number) {
        const found = await super.find(record.id);
        if (found !== null && found.version !== expected)
          await super.update({ ...found, body: record.body }, found.version);
        return super.update(record, expected);
      }
    },
  ],
  'revives by a late update': [
    /R10: shows no foreign/,
    class extends MemorySessionStore {
      override async update(record: SessionRecord, expected: number) {
        if ((await super.find(record.id)) === null) await super.insert(record);
        return super.update(record, expected);
      }
    },
  ],
};

describe('describeSessionStore through sessions', () => {
  it.each(Object.entries(MISTAKES))('notices a store that %s', async (_, [title, Store]) => {
    const { failed } = await verdictOf({ create: () => new Store() }, title);
    expect(failed).toContainEqual(expect.stringMatching(title));
  });

  it('R10: finds nothing wrong with a right store, whatever the seed', async () => {
    for (let seed = 0; seed < 40; seed++) {
      const { failed, reason } = await verdictOf({ seed, create: () => new MemorySessionStore() }, /R10/);
      expect({ failed, reason, seed }).toEqual({ failed: [], reason: undefined, seed });
    }
  });

  it('R10: notices mistakes whatever the seed', async () => {
    const [, Store] = MISTAKES['answers now and then from what it read before']!;
    for (let seed = 0; seed < 10; seed++) {
      expect(await verdictOf({ seed, create: () => new Store() }, /R10/)).toMatchObject({ passed: [] });
    }
  });
});
