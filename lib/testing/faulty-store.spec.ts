import { MemorySessionStore } from '../stores/memory/memory-session-store';
import { describeSessionStore } from './describe-session-store';
import { FaultyStore } from './faulty-store';
import { aRecord, nextOf } from './store-suite/records';
import { call } from './store-suite/store-suite';

let disturbed: FaultyStore;

describeSessionStore('a FaultyStore', {
  create: () => (disturbed = new FaultyStore(new MemorySessionStore())),
  peer: (store) => new FaultyStore(store.inner),
  faults: {
    deadline: 150,
    refuse: () => disturbed.fail(),
    hang: () => disturbed.hang(),
    heal: () => disturbed.heal(),
  },
});

describe('FaultyStore', () => {
  const record = aRecord();
  const update = nextOf(record);
  let store: FaultyStore<MemorySessionStore>;

  beforeEach(async () => {
    store = new FaultyStore(new MemorySessionStore());
    await store.inner.insert(record);
  });
  const stored = async () => (await store.inner.find(record.id))?.version ?? null;
  /** What has become of a call after every answer that does not wait. */
  const stateOf = async (answer: Promise<unknown>): Promise<string> => {
    const state = answer.then(
      () => 'answered',
      () => 'failed',
    );
    return Promise.race([state, new Promise<string>((resolve) => setImmediate(resolve, 'hanging'))]);
  };

  it('F1: fails the calls of one operation, and no other, until it is healed', async () => {
    store.fail('find');
    const states = [await stateOf(store.find(record.id, call)), await stateOf(store.find(record.id, call))];
    const other = await stateOf(store.update(update, 1, call));
    store.heal();
    expect({ states, other, healed: await stateOf(store.find(record.id, call)) }).toEqual({
      states: ['failed', 'failed'],
      other: 'answered',
      healed: 'answered',
    });
  });

  it('fails before the store is called, as a connection that is refused', async () => {
    store.fail('update');
    await expect(store.update(update, 1, call)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(await stored()).toBe(1);
  });

  it('fails every call for sessions when no operation is named, and lets the application start and end', async () => {
    const prepared = Object.assign(new MemorySessionStore(), {
      prepare: async () => {},
      close: async () => {},
    });
    const down = new FaultyStore(prepared);
    down.fail();
    const records = down.records!(call)[Symbol.asyncIterator]();
    expect({
      find: await stateOf(down.find(record.id, call)),
      insert: await stateOf(down.insert(record, call)),
      findByPrincipal: await stateOf(down.findByPrincipal!('default:7', call)),
      records: await stateOf(records.next()),
      prepare: await stateOf(down.prepare!()),
      close: await stateOf(down.close!()),
    }).toEqual({
      ...{ find: 'failed', insert: 'failed', findByPrincipal: 'failed', records: 'failed' },
      ...{ prepare: 'answered', close: 'answered' },
    });
  });

  it('fails as often as it is told, and then does what it was told next', async () => {
    store.fail('update', { times: 2 });
    store.loseAnswer('update', { times: 1 });
    const states: unknown[] = [];
    for (let round = 1; round <= 3; round++)
      states.push([await stateOf(store.update(update, 1, call)), await stored()]);
    states.push([await stateOf(store.update(nextOf(update), 2, call)), await stored()]);
    expect(states).toEqual([
      ['failed', 1],
      ['failed', 1],
      ['failed', 2],
      ['answered', 3],
    ]);
  });

  it('F3: makes a write, and loses the answer', async () => {
    store.loseAnswer('update');
    await expect(store.update(update, 1, call)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(await stored()).toBe(2);
  });

  it('R9: hangs, and goes on when it is healed, as a server that was frozen', async () => {
    store.hang('update');
    const answer = store.update(update, 1, call);
    const frozen = { state: await stateOf(answer), version: await stored() };
    store.heal();
    expect({ frozen, healed: await answer, version: await stored() }).toEqual({
      frozen: { state: 'hanging', version: 1 },
      healed: true,
      version: 2,
    });
  });

  it('counts the calls, those that failed too', async () => {
    store.fail('find', { times: 1 });
    await stateOf(store.find(record.id, call));
    await store.find(record.id, call);
    await store.delete(record.id, call);
    expect(store.calls).toEqual(['find', 'find', 'delete']);
  });

  it.each(['fnid', 'findHeads', 'watchEnds', 'inner'])(
    'refuses a fault that would never happen: %s',
    (name) => {
      for (const fault of ['fail', 'loseAnswer', 'hang'] as const)
        expect(() => store[fault](name as 'find')).toThrow(`FaultyStore cannot disturb '${name}'`);
    },
  );

  it('has the capabilities and the limits of its store, and no other', () => {
    const bare = {
      ...{ find: async () => null, insert: async () => {}, update: async () => false },
      ...{ extend: async () => false, delete: async () => {}, limits: ['retention'] as const },
    };
    const capabilities = ({
      findByPrincipal,
      records,
      sweep,
      watchEnds,
      prepare,
      close,
      limits,
    }: FaultyStore) => ({ findByPrincipal, records, sweep, watchEnds, prepare, close, limits });
    expect(capabilities(new FaultyStore(bare))).toEqual({ limits: ['retention'] });
    expect(capabilities(store)).toEqual({
      findByPrincipal: expect.any(Function),
      records: expect.any(Function),
      sweep: expect.any(Function),
      watchEnds: expect.any(Function),
    });
  });
});
