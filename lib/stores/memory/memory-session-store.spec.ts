import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { SessionRecord } from '../../core/session-record';
import { newSessionId, type SessionId } from '../../core/session-token';
import { describeSessionStore } from '../../testing/describe-session-store';
import { aRecord, nextOf } from '../../testing/store-suite/records';
import { randomFrom } from '../../testing/store-suite/session-simulation';
import { MemorySessionStore } from './memory-session-store';

describeSessionStore('MemorySessionStore', { create: () => new MemorySessionStore() });

describe('MemorySessionStore when full', () => {
  const insert = async (store: MemorySessionStore, given: Partial<SessionRecord>) => {
    const record = aRecord(given);
    await store.insert(record);
    return () => store.find(record.id);
  };

  it('removes the visitor closest to expiry', async () => {
    const store = new MemorySessionStore({ maxSessions: 3 });
    const [late, soon, later] = [
      await insert(store, { expiresAt: 2000 }),
      await insert(store, { expiresAt: 1000 }),
      await insert(store, { expiresAt: 3000 }),
    ];
    const newest = await insert(store, { expiresAt: 1500 });
    expect(store.size).toBe(3);
    expect(await soon()).toBeNull();
    expect(await Promise.all([late(), later(), newest()])).not.toContain(null);
  });

  it('logs no user out while visitors are left', async () => {
    const store = new MemorySessionStore({ maxSessions: 10 });
    const ada = await insert(store, { principal: 'default:ada', expiresAt: 1000 });
    for (let n = 0; n < 100; n++) await insert(store, { expiresAt: 2000 + n });
    expect(await ada()).not.toBeNull();
    expect(store.size).toBe(10);
  });

  it('removes the user closest to expiry when there are only users', async () => {
    const store = new MemorySessionStore({ maxSessions: 2 });
    const ada = await insert(store, { principal: 'default:ada', expiresAt: 1000 });
    const bob = await insert(store, { principal: 'default:bob', expiresAt: 2000 });
    await insert(store, { expiresAt: 3000 });
    expect(await ada()).toBeNull();
    expect(await bob()).not.toBeNull();
    expect(await store.findByPrincipal('default:ada')).toEqual([]);
  });

  it('W20: lets an account that logs in again and again log out itself only, its oldest session first', async () => {
    const store = new MemorySessionStore({ maxSessions: 10, clock: () => 0 });
    const others = await Promise.all(
      ['ada', 'bob', 'eve'].map((name, n) =>
        insert(store, { principal: `default:${name}`, expiresAt: 1 + n }),
      ),
    );
    const mine: (typeof others)[number][] = [];
    for (let n = 0; n < 100; n++)
      mine.push(await insert(store, { principal: 'default:mallory', expiresAt: 1000 + n }));
    const areLeft = async (sessions: typeof others): Promise<boolean[]> =>
      Promise.all(sessions.map(async (find) => (await find()) !== null));
    expect({ others: await areLeft(others), mine: await areLeft(mine), size: store.size }).toEqual({
      others: [true, true, true],
      mine: mine.map((_, n) => n >= 93),
      size: 10,
    });
  });

  it('W20: removes an expired session first, whoever had it', async () => {
    const store = new MemorySessionStore({ maxSessions: 3, clock: () => 1000 });
    const [expired, visitor, user] = [
      await insert(store, { principal: 'default:ada', expiresAt: 1000 }),
      await insert(store, { expiresAt: 1001 }),
      await insert(store, { principal: 'default:ada', expiresAt: 5000 }),
    ];
    await insert(store, { expiresAt: 2000 });
    const isLeft = { expired: await expired(), visitor: await visitor(), user: await user() };
    expect(isLeft).toEqual({ expired: null, visitor: expect.any(Object), user: expect.any(Object) });
  });

  it('W20: always removes the oldest of a principal with most, whatever has come and gone before', async () => {
    const store = new MemorySessionStore({ maxSessions: 40, clock: () => 0 });
    const random = randomFrom(7);
    const mine = new Map<string, SessionId[]>(Array.from({ length: 6 }, (_, n) => [`default:${n}`, []]));
    const removals: { fromMost: boolean; oldest: boolean }[] = [];
    for (let step = 0; step < 3000; step++) {
      const [principal, ids] = [...mine][Math.floor(random() * mine.size)]!;
      if (random() < 0.3 && ids.length > 0) {
        await store.delete(ids.splice(Math.floor(random() * ids.length), 1)[0]!);
        continue;
      }
      const most = Math.max(...[...mine.values()].map(({ length }) => length));
      const isFull = store.size === 40;
      const record = aRecord({ principal, expiresAt: 1000 });
      await store.insert(record);
      for (const others of isFull ? mine.values() : []) {
        const gone = await firstMissing(store, others);
        if (gone < 0) continue;
        removals.push({ fromMost: others.length === most, oldest: gone === 0 });
        others.splice(gone, 1);
      }
      ids.push(record.id);
    }
    expect(removals.length).toBeGreaterThan(500);
    expect(removals.filter(({ fromMost, oldest }) => !fromMost || !oldest)).toEqual([]);
  });

  describe('of records that last', () => {
    const lasting = async (store: MemorySessionStore, given: Partial<SessionRecord> = {}) => {
      const record = aRecord({ expiresAt: 5000, ...given });
      await store.insert(record, { lasting: true });
      return record;
    };
    const newStore = (): MemorySessionStore => new MemorySessionStore({ maxSessions: 2, clock: () => 1000 });
    const full = { code: 'SESSION_STORE_UNAVAILABLE', message: expect.stringMatching(/is full.*2 records/) };

    it('W19: removes none of them for a visitor, a user or another one', async () => {
      const store = newStore();
      const kept = [await lasting(store), await lasting(store)];
      await expect(insert(store, { expiresAt: 9000 })).rejects.toMatchObject(full);
      await expect(insert(store, { principal: 'default:ada', expiresAt: 9000 })).rejects.toMatchObject(full);
      await expect(lasting(store)).rejects.toMatchObject(full);
      const found = await Promise.all(kept.map(({ id }) => store.find(id)));
      expect({ found, size: store.size }).toEqual({ found: kept, size: 2 });
    });

    it('W19: removes none that was updated, even with a principal', async () => {
      const store = newStore();
      const record = await lasting(store);
      const updated = { ...nextOf(record), principal: 'default:ada' };
      await store.update(updated, record.version);
      for (let n = 0; n < 5; n++) await insert(store, { principal: 'default:bob', expiresAt: 9000 + n });
      expect(await store.find(record.id)).toEqual(updated);
    });

    it('W19: makes room for one by a visitor, not by a user', async () => {
      const store = newStore();
      const visitor = await insert(store, { expiresAt: 9000 });
      const user = await insert(store, { principal: 'default:ada', expiresAt: 2000 });
      await lasting(store);
      await expect(lasting(store)).rejects.toMatchObject(full);
      expect({ visitor: await visitor(), user: await user() }).toEqual({
        visitor: null,
        user: expect.any(Object),
      });
    });

    it('W19: makes room by one that has expired, and sweeps it', async () => {
      const store = newStore();
      const [expired, other] = [await lasting(store, { expiresAt: 1000 }), await lasting(store)];
      await lasting(store, { expiresAt: 1500 });
      expect({ expired: await store.find(expired.id), other: await store.find(other.id) }).toEqual({
        expired: null,
        other,
      });
      expect({ swept: await store.sweep(1500, 10), size: store.size }).toEqual({ swept: 1, size: 1 });
    });
  });

  it('rejects an id that exists without making room for it', async () => {
    const store = new MemorySessionStore({ maxSessions: 2 });
    const record = aRecord({ expiresAt: 2000 });
    await store.insert(record);
    const other = await insert(store, { expiresAt: 1000 });
    await expect(store.insert(record)).rejects.toMatchObject({ code: 'SESSION_DUPLICATE_ID' });
    expect(await other()).not.toBeNull();
  });

  it.each([0, -1, 1.5, NaN, Infinity])('refuses maxSessions %p in words', (maxSessions) => {
    expect(() => new MemorySessionStore({ maxSessions })).toThrow(
      expect.objectContaining({
        code: 'SESSION_OPTIONS_INVALID',
        message: expect.stringContaining('whole number'),
      }),
    );
  });
});

describe('MemorySessionStore and time', () => {
  it('E5: sweeps in order whatever the instants: years apart, negative, infinite', async () => {
    const store = new MemorySessionStore();
    const instants = [
      1e15,
      -Infinity,
      0,
      Infinity,
      -1e15,
      1763689066000,
      Number.MAX_SAFE_INTEGER,
      1763689066001,
    ];
    for (const expiresAt of instants) await store.insert(aRecord({ expiresAt }));
    expect(await store.sweep(1763689066000, 100)).toBe(4);
    expect(await store.sweep(0, 100)).toBe(0); // the clock jumped back
    expect(await store.sweep(Number.MAX_SAFE_INTEGER, 100)).toBe(3);
    expect(await store.sweep(Infinity, 100)).toBe(1);
    expect(store.size).toBe(0);
  });

  it('agrees with a list that is sorted each time, over random changes', async () => {
    const store = new MemorySessionStore();
    const model = new Map<SessionId, SessionRecord>();
    let seed = 20_251_121;
    const dice = (sides: number) => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
      return (seed >> 8) % sides;
    };
    for (let step = 0; step < 5_000; step++) {
      const record = [...model.values()][dice(Math.min(model.size, 50))];
      const expiresAt = dice(1000);
      switch (dice(record ? 6 : 1)) {
        case 1:
          await store.delete(record!.id);
          model.delete(record!.id);
          break;
        case 2:
          await store.extend(record!.id, record!.version, expiresAt);
          model.set(record!.id, { ...record!, expiresAt });
          break;
        case 3: {
          const next = nextOf(record!, { expiresAt, principal: dice(2) ? `default:${dice(3)}` : null });
          await store.update(next, record!.version);
          model.set(next.id, next);
          break;
        }
        case 4: {
          const [now, limit] = [dice(100), dice(10)];
          const due = [...model.values()].filter((one) => one.expiresAt <= now).length;
          expect(await store.sweep(now, limit)).toBe(Math.min(due, limit));
          for (const id of model.keys()) if ((await store.find(id)) === null) model.delete(id);
          break;
        }
        default: {
          const fresh = aRecord({ expiresAt, principal: dice(2) ? `default:${dice(3)}` : null });
          await store.insert(fresh);
          model.set(fresh.id, fresh);
        }
      }
      expect(store.size).toBe(model.size);
    }
    const records = [...model.values()];
    expect(await Promise.all(records.map(({ id }) => store.find(id)))).toEqual(records);
    for (const principal of ['default:0', 'default:1', 'default:2']) {
      const expected = records.filter((one) => one.principal === principal).map(({ id }) => id);
      const found = (await store.findByPrincipal(principal)).map(({ id }) => id);
      expect({ principal, ids: found.sort() }).toEqual({ principal, ids: expected.sort() });
    }
  });

  it('E6: forgets those that expire in the same millisecond in batches as large as it was told', async () => {
    const store = new MemorySessionStore();
    for (let n = 0; n < 1200; n++) await store.insert(aRecord({ expiresAt: 1000 }));
    const batches = [];
    for (let removed = 500; removed === 500; batches.push(removed)) removed = await store.sweep(1000, 500);
    expect(batches).toEqual([500, 500, 200]);
    expect(store.size).toBe(0);
  });
});

describe('MemorySessionStore and memory', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const heapAfter = async (work: () => Promise<void>) => {
    collect();
    const before = process.memoryUsage().heapUsed;
    await work();
    collect();
    return process.memoryUsage().heapUsed - before;
  };

  it('does not keep a header alive for the id that was cut out of it', async () => {
    const store = new MemorySessionStore();
    const grown = await heapAfter(async () => {
      for (let n = 0; n < 1000; n++) {
        const header = Buffer.alloc(16_384, 'x').toString('latin1') + newSessionId();
        const cut = header.slice(-22);
        await store.insert(
          aRecord({ id: cut as SessionId, principal: header.slice(-40), body: header.slice(-50) }),
        );
      }
    });
    expect(store.size).toBe(1000);
    expect(grown).toBeLessThan(4_000_000); // the headers are 16 MB
  });

  it('keeps nothing of sessions that are gone, however far their expiry was', async () => {
    const store = new MemorySessionStore();
    const grown = await heapAfter(async () => {
      for (let n = 0; n < 200_000; n++) {
        const record = aRecord({ expiresAt: 1e12 + n * 1000, principal: `default:${n}` });
        await store.insert(record);
        await store.delete(record.id);
      }
    });
    expect(store.size).toBe(0);
    expect(grown).toBeLessThan(4_000_000);
  });
});

/** The index of the first session that a store does not have; -1 when it has all. */
async function firstMissing(store: MemorySessionStore, ids: readonly SessionId[]): Promise<number> {
  for (const [index, id] of ids.entries()) if ((await store.find(id)) === null) return index;
  return -1;
}
