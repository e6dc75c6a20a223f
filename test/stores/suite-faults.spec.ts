import type { SessionRecord } from 'nestjs-tessera';
import type { StoreFaults } from 'nestjs-tessera/testing';
import { MiniatureServer, MiniatureStore } from './suite-server';
import { verdictOf } from './suite-verdict';

type Id = SessionRecord['id'];

const without = ['principals', 'enumeration', 'sweeping', 'watching'] as const;

type Faults = (server: MiniatureServer) => StoreFaults;

/** Stores with one mistake each, and the title of a test that must notice it. */
const MISTAKES: Record<string, [title: RegExp, Store: typeof MiniatureStore, faults?: Faults]> = {
  'takes no answer for absence': [
    /refused connections › F1: every call fails/,
    class extends MiniatureStore {
      override find = (id: Id) => super.find(id).catch(() => null);
    },
  ],
  'takes no answer for a refusal': [
    /dead › F1: every call fails/,
    class extends MiniatureStore {
      override extend = (...all: [Id, number, number]) => super.extend(...all).catch(() => false);
    },
  ],
  'does not connect again': [
    /refused connections › F1: every call fails in time, and the store answers again/,
    class extends MiniatureStore {
      #lost = false;
      override async find(id: Id) {
        if (this.#lost) throw new Error('not connected');
        return super.find(id).catch((error) => {
          this.#lost = true;
          throw error;
        });
      }
    },
  ],
  'reads, and then writes whatever has happened': [
    /R9: writes that were given up revive nothing/,
    class extends MiniatureStore {
      override async update(record: SessionRecord, expected: number) {
        if ((await this.find(record.id))?.version !== expected) return false;
        await this.server.ask(async (data) => {
          await data.delete(record.id);
          await data.insert(record);
        });
        return true;
      }
    },
  ],
  'writes a record in two steps': [
    /R9: of two updates that were given up at most one lands/,
    class extends MiniatureStore {
      override async update(record: SessionRecord, expected: number) {
        const { id, version, body, secretHash, principal } = record;
        const found = await this.find(id);
        if (found?.version !== expected) return false;
        await this.server.ask((data) => data.update({ ...found, version, body }, expected));
        return this.server.ask(async (data) => {
          const half = (await data.find(id))!;
          return data.update({ ...half, secretHash, principal }, half.version);
        });
      }
    },
  ],
  'sends again what was given up': [
    /R9: what was acknowledged stays true while the server stops/,
    class extends MiniatureStore {
      override async insert(record: SessionRecord) {
        await super.insert(record);
        setTimeout(() => void super.insert(record).catch(() => undefined), 60);
      }
    },
  ],
  'reads from a copy of its own': [
    /R9: what was acknowledged stays true while the server stops/,
    class extends MiniatureStore {
      readonly #copies = new Map<Id, SessionRecord>();
      #reads = 0;
      override async find(id: Id) {
        const copy = this.#copies.get(id);
        if (copy !== undefined && ++this.#reads % 2 === 0) return copy;
        const found = await super.find(id);
        if (found !== null) this.#copies.set(id, found);
        return found;
      }
    },
  ],
  'does not write down what it acknowledges': [
    /F2: every acknowledged write is there/,
    MiniatureStore,
    (server) => ({ restart: () => server.restore() }),
  ],
  'repeats a write whose answer was lost': [
    /F3: a commit whose answer was lost/,
    class extends MiniatureStore {
      override update = (record: SessionRecord, expected: number) =>
        super.update(record, expected).catch(() => super.update(record, expected));
    },
  ],
};

describe('the faults of describeSessionStore', () => {
  const harness = (Store = MiniatureStore, faults: Faults = () => ({})) => {
    const server = new MiniatureServer();
    const create = () => new Store(server);
    return { create, without, faults: { ...server.faults, ...faults(server) } };
  };

  it('finds nothing wrong with a right store', async () => {
    const { failed, passed, skipped } = await verdictOf(harness(), /faults/);
    expect(failed).toEqual([]);
    expect(passed).toHaveLength(10);
    expect(skipped.filter((title) => title.includes('harness does not say'))).toEqual([]);
  });

  const older: Faults = (server) => ({
    durable: false,
    kill: async () => {
      await server.save();
      await server.faults.kill!();
    },
    restart: () => server.restore(),
  });
  const empty: Faults = (server) => ({ durable: false, restart: () => server.restore() });

  it.each(Object.entries({ older, empty }))(
    'expects of a server that is not durable only that what is there is whole, when it comes back %s',
    async (_, faults) => {
      const { failed, passed } = await verdictOf(harness(MiniatureStore, faults), /F2/);
      expect({ failed, passed: passed.length }).toEqual({ failed: [], passed: 1 });
    },
  );

  it.each(Object.entries(MISTAKES))('notices a store that %s', async (_, [title, Store, faults]) => {
    const { failed } = await verdictOf(harness(Store, faults), title);
    expect(failed).toContainEqual(expect.stringMatching(title));
  });

  it('shows as skipped what the harness cannot do', async () => {
    const { faults, ...rest } = harness();
    const { slow, heal, deadline } = faults;
    const { skipped } = await verdictOf({ ...rest, faults: { slow, heal, deadline } }, /faults/);
    expect(skipped.filter((title) => title.includes('harness does not say how'))).toEqual([
      'while its server is frozen [not run: the harness does not say how its server is frozen]',
      'while its server is dead [not run: the harness does not say how its server is dead]',
      'while it is refused connections [not run: the harness does not say how it is refused connections]',
      'while its connections are half-open [not run: the harness does not say how its connections are half-open]',
    ]);
    const none = await verdictOf(rest, /faults/);
    expect(none.skipped).toContain('faults [not run: the harness does not say how to cause faults]');
    expect(none.passed).toEqual([]);
  });

  it('refuses a harness that can begin what it cannot end', async () => {
    const { faults, ...rest } = harness();
    const broken = { ...rest, faults: { freeze: faults.freeze } };
    await expect(verdictOf(broken)).rejects.toThrow(/freeze\(\) and no thaw\(\)/);
  });

  it('leaves no server disturbed after a test that failed', async () => {
    let disturbed = 0;
    const { faults, ...rest } = harness(
      class extends MiniatureStore {
        override find = async () => null;
      },
    );
    const counted = {
      ...faults,
      freeze: () => (disturbed++, faults.freeze!()),
      thaw: () => (disturbed--, faults.thaw!()),
    };
    const { failed } = await verdictOf({ ...rest, faults: counted }, /frozen › F1/);
    expect(failed).toHaveLength(1);
    expect(disturbed).toBe(0);
  });
});
