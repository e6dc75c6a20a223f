import {
  MemorySessionStore,
  type LimitedStore,
  type SessionRecord,
  type SessionStore,
  type StoreLimit,
} from 'nestjs-tessera';
import { verdictOf } from './suite-verdict';

type Id = SessionRecord['id'];

const without = ['principals', 'enumeration', 'watching'] as const;
const nextTurn = (): Promise<void> => new Promise(setImmediate);

/** What one process makes of data that it shares. */
class ProcessStore implements SessionStore {
  constructor(readonly shared: MemorySessionStore) {}

  find(id: Id): Promise<SessionRecord | null> {
    return this.shared.find(id);
  }
  insert(record: SessionRecord): Promise<void> {
    return this.shared.insert(record);
  }
  update(record: SessionRecord, expected: number): Promise<boolean> {
    return this.shared.update(record, expected);
  }
  extend(id: Id, expected: number, expiresAt: number): Promise<boolean> {
    return this.shared.extend(id, expected, expiresAt);
  }
  delete(id: Id): Promise<void> {
    return this.shared.delete(id);
  }
  sweep(now: number, limit: number): Promise<number> {
    return this.shared.sweep(now, limit);
  }
}

/** Compares and writes in one step as far as its own process goes. */
class SingleProcessStore extends ProcessStore {
  readonly #locks = new Map<string, Promise<unknown>>();

  override insert(record: SessionRecord): Promise<void> {
    return this.#alone(record.id, async () => {
      const found = await this.find(record.id);
      await nextTurn();
      if (found !== null) await super.insert(record); // rejects
      await this.#put(record);
    });
  }

  override update(record: SessionRecord, expected: number): Promise<boolean> {
    return this.#alone(record.id, async () => {
      const found = await this.find(record.id);
      await nextTurn();
      if (found?.version === expected) await this.#put(record);
      return found?.version === expected;
    });
  }

  override async delete(id: Id): Promise<void> {
    return this.#alone(id, () => super.delete(id));
  }

  async #put(record: SessionRecord): Promise<void> {
    await this.shared.delete(record.id);
    await this.shared.insert(record);
  }

  #alone<T>(id: Id, work: () => Promise<T>): Promise<T> {
    const mine = Promise.resolve(this.#locks.get(id)).then(work, work);
    this.#locks.set(id, mine);
    return mine;
  }
}

class LimitedProcessStore extends SingleProcessStore implements LimitedStore<'conditional-writes'> {
  readonly limits = ['conditional-writes'] as const;
}

const harness = (Store: typeof ProcessStore) => ({
  create: () => new Store(new MemorySessionStore()),
  peer: ({ shared }: ProcessStore) => new Store(shared),
  without,
});

/** Stores with one mistake each, and the title of a test that must notice it. */
const MISTAKES: Record<string, [title: RegExp, Store: typeof ProcessStore]> = {
  'inserts unless it inserted that id itself': [/exactly one of two processes insert/, SingleProcessStore],
  'compares and writes in one process': [/R1: lets exactly one of two processes/, SingleProcessStore],
  'counts in one process': [/R2: loses none of 100 increments that two/, SingleProcessStore],
  'does not hear of a delete in another process': [
    /R3: leaves nothing behind when a delete overlaps updates and extensions of another/,
    SingleProcessStore,
  ],
  'remembers what it has read': [
    /finds at once what the other wrote/,
    class extends ProcessStore {
      readonly #read = new Map<Id, SessionRecord>();
      override async find(id: Id) {
        const found = this.#read.get(id) ?? (await super.find(id));
        if (found !== null) this.#read.set(id, found);
        return found;
      }
    },
  ],
  'writes back what it had read': [
    /R9 and R11: lets no late write bring back what another process has deleted/,
    class extends ProcessStore {
      readonly #read = new Set<Id>();
      override async find(id: Id) {
        const found = await super.find(id);
        if (found !== null) this.#read.add(id);
        return found;
      }
      override async update(record: SessionRecord, expected: number) {
        if (this.#read.has(record.id) && (await super.find(record.id)) === null) await super.insert(record);
        return super.update(record, expected);
      }
    },
  ],
  'counts what it meant to sweep': [
    /E6: does no harm when two processes sweep/,
    class extends ProcessStore {
      override async sweep(now: number, limit: number) {
        const due: Id[] = [];
        for await (const record of this.shared.records({ signal: new AbortController().signal }))
          if (record.expiresAt <= now && due.length < limit) due.push(record.id);
        await nextTurn();
        await Promise.all(due.map((id) => this.shared.delete(id)));
        return due.length;
      }
    },
  ],
};

describe('describeSessionStore between processes', () => {
  it('finds nothing wrong with a right store', async () => {
    const { failed, passed, skipped } = await verdictOf(harness(ProcessStore), /between processes/);
    expect(failed).toEqual([]);
    expect(passed).toHaveLength(8);
    expect(skipped).not.toContainEqual(expect.stringContaining('processes'));
  });

  it.each(Object.entries(MISTAKES))('notices a store that %s', async (_, [title, Store]) => {
    const { failed } = await verdictOf(harness(Store), title);
    expect(failed).toContainEqual(expect.stringMatching(title));
  });

  it('R9: notices a store that revives what another process removed by principal', async () => {
    class Reviving extends MemorySessionStore {
      override async update(record: SessionRecord, expected: number) {
        if ((await super.find(record.id)) === null) await super.insert(record);
        return super.update(record, expected);
      }
    }
    const create = () => new Reviving();
    const { failed } = await verdictOf({ create, peer: (store) => store }, /has removed by principal/);
    expect(failed).toContainEqual(expect.stringMatching(/R9: .* removed by principal/));
  });

  it('prepares and closes the peer too', async () => {
    const calls: string[] = [];
    const store = () =>
      Object.assign(new MemorySessionStore(), {
        prepare: async () => void calls.push('prepare'),
        close: async () => void calls.push('close'),
      });
    await verdictOf({ create: store, peer: store }, /R1: .* two processes/);
    expect(calls).toEqual(['prepare', 'prepare', 'close', 'close']);
  });
});

describe('describeSessionStore of a store with limits', () => {
  const unmet: readonly StoreLimit[] = ['conditional-writes'];
  const title = expect.stringMatching(/^UNMET: conditional writes between processes — when two processes/);

  it('shows the unmet tests by name, and proves the rest', async () => {
    const { failed, passed, skipped } = await verdictOf({ ...harness(LimitedProcessStore), unmet });
    expect(failed).toEqual([]);
    expect(skipped).toContainEqual(title);
    expect(passed).toEqual(
      expect.arrayContaining([
        'store › states its limits: conditional-writes',
        expect.stringMatching(/UNMET: .* › is what its users are warned of/),
        expect.stringMatching(/UNMET: .* › shows when two processes update one version/),
        expect.stringMatching(/R2: loses none of 100 parallel increments/),
      ]),
    );
  });

  it('fails when the store keeps quiet about what its harness knows', async () => {
    const { failed } = await verdictOf({ ...harness(ProcessStore), unmet });
    expect(failed).toEqual(
      expect.arrayContaining([
        'store › states its limits: conditional-writes',
        expect.stringMatching(/UNMET: .* › is what its users are warned of/),
      ]),
    );
  });

  it('fails when the harness keeps quiet about what the store states', async () => {
    const { failed, reason } = await verdictOf(harness(LimitedProcessStore), /limits/);
    expect(failed).toEqual(['store › states no limits']);
    expect(reason).toMatchObject({ message: expect.stringContaining('the harness says unmet: []') });
  });

  it('fails for a limit that cannot be observed', async () => {
    class Modest extends ProcessStore {
      readonly limits = unmet;
    }
    const { failed } = await verdictOf({ ...harness(Modest), unmet }, /UNMET/);
    expect(failed).toEqual([expect.stringMatching(/shows when two processes update one version/)]);
  });
});
