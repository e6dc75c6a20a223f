import { MemoryStore } from 'express-session';
import { isEnumerable } from '../../core/store-capabilities';
import { aRecord, everythingIn, nextOf } from '../../testing/store-suite/records';
import { call } from '../../testing/store-suite/store-suite';
import { fromExpressStore } from './from-express-store';
import type { ExpressStoreLike } from './adapted-express-store';

/** When it is, for tests in which that matters. */
const NOON = Date.UTC(2026, 0, 1, 12);
const stopClock = () => jest.spyOn(Date, 'now').mockReturnValue(NOON);
afterEach(() => void jest.restoreAllMocks());

type Callback = (error?: unknown, answer?: unknown) => void;

/** A store as the README of express-session asks for one, of which a test may replace any method. */
function storeWith(replaced: Partial<ExpressStoreLike>): ExpressStoreLike {
  const memory = new MemoryStore();
  return {
    get: (sid, callback) => memory.get(sid, callback),
    set: (sid, session, callback) => memory.set(sid, session as never, callback),
    destroy: (sid, callback) => memory.destroy(sid, callback),
    ...replaced,
  };
}

const refused = new Error('connection refused');

describe('fromExpressStore', () => {
  const failures: Record<string, (callback: Callback) => unknown> = {
    'calls back with an error': (callback) => callback(refused),
    'throws at once': () => {
      throw refused;
    },
    'rejects and never calls back': () => Promise.reject(refused),
    'calls back with an error that is not an Error': (callback) => callback('connection refused'),
  };

  it.each(Object.entries(failures))('F1: fails when the store %s', async (_, fail) => {
    const last = (...all: unknown[]) => fail(all.at(-1) as Callback);
    const store = fromExpressStore(storeWith({ get: last, destroy: last }));
    const record = aRecord();
    await expect(store.find(record.id, call)).rejects.toThrow(/refused|not an Error/);
    await expect(store.delete(record.id, call)).rejects.toThrow(/refused|not an Error/);
    const silent = fromExpressStore(storeWith({ set: last }));
    await expect(silent.insert(record, call)).rejects.toThrow(/refused|not an Error/);
  });

  it('F1: does not take a server without its Unix socket for an absent session', async () => {
    const down = Object.assign(new Error('connect ENOENT'), { code: 'ENOENT', syscall: 'connect' });
    const missing = (...all: unknown[]) => (all.at(-1) as Callback)(down);
    const store = fromExpressStore(storeWith({ get: missing, destroy: missing }));
    await expect(store.find(aRecord().id, call)).rejects.toThrow('connect ENOENT');
    await expect(store.delete(aRecord().id, call)).rejects.toThrow('connect ENOENT');
  });

  it('takes ENOENT for absence as express-session does, except when it writes', async () => {
    const missing = (...all: unknown[]) =>
      (all.at(-1) as Callback)(Object.assign(refused, { code: 'ENOENT' }));
    const store = fromExpressStore(storeWith({ get: missing, set: missing, destroy: missing }));
    const record = aRecord();
    expect(await store.find(record.id, call)).toBeNull();
    await store.delete(record.id, call);
    await expect(store.insert(record, call)).rejects.toThrow('connection refused');
  });

  it.each([
    undefined,
    null,
    false,
    0,
    '',
    'text',
    {},
    { cookie: {} },
    { tessera: null },
    { tessera: { id: 7 } },
  ])('D4: finds nothing in %j', async (found) => {
    const store = fromExpressStore(storeWith({ get: (_, callback) => callback(null, found) }));
    expect(await store.find(aRecord().id, call)).toBeNull();
  });

  it('D4: finds nothing where the record of another session lies', async () => {
    const session = { cookie: {}, tessera: aRecord() };
    const store = fromExpressStore(storeWith({ get: (_, callback) => callback(null, session) }));
    expect(await store.find(session.tessera.id, call)).toEqual(session.tessera);
    expect(await store.find(aRecord().id, call)).toBeNull();
  });

  it('believes the first of two answers', async () => {
    const record = aRecord();
    const store = fromExpressStore(
      storeWith({
        get: (_, callback) => {
          callback(null, { tessera: record });
          callback(refused);
          return Promise.reject(refused);
        },
      }),
    );
    expect(await store.find(record.id, call)).toEqual(record);
  });

  it('tells the store in every usual way when it may forget a session', async () => {
    stopClock();
    const sessions: { cookie: Record<'maxAge' | 'originalMaxAge', number> & { expires: Date } }[] = [];
    const store = fromExpressStore(
      storeWith({ set: (_, session, callback) => callback(void sessions.push(session as never)) }),
    );
    await store.insert(aRecord({ expiresAt: NOON + 60_000 }), call);
    await store.insert(aRecord({ expiresAt: 8.64e15 }), call);
    const [first, last] = sessions;
    const { cookie } = first!;
    // Stores that count whole seconds and round down still keep it to its end.
    const lifetime = 60_999;
    const { maxAge, originalMaxAge, expires } = cookie;
    expect({ maxAge, originalMaxAge, expires }).toEqual({
      maxAge: lifetime,
      originalMaxAge: lifetime,
      expires: new Date(NOON + lifetime),
    });
    expect(JSON.parse(JSON.stringify(cookie))).toMatchObject({ httpOnly: true, path: '/' });
    expect(last!.cookie.expires.getTime()).toBe(8.64e15);
  });

  it('E5: removes what has expired instead of giving it a lifetime', async () => {
    stopClock();
    const set = jest.fn();
    const store = fromExpressStore(storeWith({ set }));
    for (const expiresAt of [0, -1, NOON]) await store.insert(aRecord({ expiresAt }), call);
    expect(set).not.toHaveBeenCalled();
  });

  it.each<[string, (sessions: object[]) => unknown, number]>([
    ['an array', (sessions) => sessions, 2],
    ['an object', (sessions) => ({ ...sessions }), 2],
    ['nothing', () => null, 0],
  ])('enumerates what all() hands out: %s', async (_, shape, count) => {
    const sessions = [{ tessera: aRecord() }, { cookie: {}, user: 7 }, { tessera: aRecord() }];
    const store = fromExpressStore(storeWith({ all: (callback) => callback(null, shape(sessions)) }));
    expect(store.limits).toEqual(['conditional-writes', 'paged-enumeration']);
    expect(isEnumerable(store) && (await everythingIn(store))).toHaveLength(count);
  });

  it('does not enumerate without all()', () => {
    const store = fromExpressStore(storeWith({}));
    expect(isEnumerable(store)).toBe(false);
    expect(store.limits).toEqual(['conditional-writes']);
  });

  it('keeps its sessions beside those of express-session', async () => {
    const memory = new MemoryStore();
    const store = fromExpressStore(memory);
    const record = aRecord();
    await store.insert(record, call);
    await new Promise((done) => memory.set('theirs', { cookie: {} } as never, done));
    expect(isEnumerable(store) && (await everythingIn(store))).toEqual([record]);
    expect(await store.update(nextOf(record), 1, call)).toBe(true);
  });

  it.each<[string, unknown]>([
    ['a class', MemoryStore],
    ['an empty object', {}],
    ['null', null],
  ])('says what it needs when it is given %s', (_, given) => {
    expect(() => fromExpressStore(given as never)).toThrow(
      expect.objectContaining({
        code: 'SESSION_OPTIONS_INVALID',
        message: expect.stringContaining('made with new'),
      }),
    );
  });
});
