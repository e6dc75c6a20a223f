import { EventEmitter } from 'node:events';
import { Keyv } from 'keyv';
import { aRecord, everythingIn, nextOf } from '../../testing/store-suite/records';
import { call } from '../../testing/store-suite/store-suite';
import { isEnumerable } from '../../core/store-capabilities';
import { fromKeyv } from './from-keyv';

/** An adapter as simple as they come, which a test may break. */
class Adapter extends EventEmitter {
  readonly opts = { dialect: 'redis', url: '' };
  readonly values = new Map<string, unknown>();
  readonly lifetimes: (number | undefined)[] = [];
  namespace?: string;
  /** What happens instead of an answer. */
  fault: (() => unknown) | null = null;

  async get(key: string): Promise<unknown> {
    return this.fault === null ? this.values.get(key) : this.fault();
  }
  async set(key: string, value: unknown, ttl?: number): Promise<unknown> {
    if (this.fault !== null) return this.fault();
    this.lifetimes.push(ttl);
    return this.values.set(key, value) && undefined;
  }
  async delete(key: string): Promise<unknown> {
    return this.fault === null ? this.values.delete(key) : this.fault();
  }
  async clear(): Promise<void> {
    this.values.clear();
  }
  async *iterator(): AsyncGenerator<[string, unknown]> {
    yield* this.values;
    yield* this.values; // as Redis may
  }
}

const fails = (reason = 'connection refused') => Promise.reject(new Error(reason));

describe('fromKeyv', () => {
  let adapter: Adapter;
  beforeEach(() => (adapter = new Adapter()));
  afterEach(() => void jest.restoreAllMocks());
  const over = (options: object = {}) => fromKeyv(new Keyv(adapter as never, options));

  describe('F1: a Keyv that cannot answer is a failure, and never an absence', () => {
    const faults: Record<string, [fault: () => unknown, options?: object]> = {
      'its adapter rejects': [fails],
      'its adapter rejects and emits no errors': [fails, { emitErrors: false }],
      'its adapter reports and answers nothing': [() => void adapter.emit('error', new Error('down'))],
      'its adapter reports and answers nothing, and Keyv emits no errors': [
        () => void adapter.emit('error', new Error('down')),
        { emitErrors: false },
      ],
    };

    it.each(Object.entries(faults))('when %s', async (_, [fault, options]) => {
      const store = over(options);
      const record = aRecord();
      await store.insert(record, call);
      adapter.fault = fault;
      const message = expect.stringMatching(/down|refused/) as string;
      const rejected = { status: 'rejected', reason: expect.objectContaining({ message }) as Error };
      const [find, insert, update, extend, removal] = await Promise.allSettled([
        store.find(record.id, call),
        store.insert(aRecord(), call),
        store.update(nextOf(record), 1, call),
        store.extend(record.id, 1, record.expiresAt + 1, call),
        store.delete(record.id, call),
      ]);
      expect({ find, insert, update, extend, removal }).toEqual({
        find: rejected,
        insert: rejected,
        update: rejected,
        extend: rejected,
        removal: rejected,
      });
      adapter.fault = null;
      expect(await store.find(record.id, call)).toEqual(record);
    });

    it.each<[string, () => unknown, RegExp]>([
      ['fails', fails, /refused/],
      ['is answered with false', () => false, /did not set/],
    ])('when a write alone %s', async (_, fault, message) => {
      const store = over();
      const record = aRecord();
      await store.insert(record, call);
      adapter.set = async () => fault();
      await expect(store.update(nextOf(record), 1, call)).rejects.toThrow(message);
    });

    it('when its adapter answers nothing unless it is told to throw', async () => {
      const quiet = Object.assign(adapter, { throwOnErrors: false });
      const store = over();
      adapter.fault = () => (quiet.throwOnErrors ? fails() : undefined);
      await expect(store.find(aRecord().id, call)).rejects.toThrow('refused');
    });

    it.each<[string, unknown]>([
      ['a Keyv that is too old', { get: fails, set: fails, delete: fails }],
      ['an empty object', {}],
      ['null', null],
      ['an adapter', new Adapter()],
    ])('when it is given what cannot throw: %s', (_, keyv) => {
      expect(() => fromKeyv(keyv as never)).toThrow(
        expect.objectContaining({
          code: 'SESSION_OPTIONS_INVALID',
          message: expect.stringMatching(/needs a Keyv that can throw its errors: .* keyv 5\.5 or later/),
        }),
      );
    });
  });

  it.each([
    'OK',
    '{"value":',
    'null',
    '7',
    '{"value":null}',
    '{"value":{"cookie":{}}}',
    '{"value":"{\\"id\\":1}"}',
    '{"value":"not JSON"}',
  ])('D4: finds nothing in %s, and everything beside it', async (broken) => {
    const store = over();
    const [one, other] = [aRecord(), aRecord({ principal: 'default:ada' })];
    await store.insert(one, call);
    await store.insert(other, call);
    adapter.values.set(`keyv:${one.id}`, broken);
    expect(await store.find(one.id, call)).toBeNull();
    expect(await store.update(nextOf(one), 1, call)).toBe(false);
    expect(isEnumerable(store) && (await everythingIn(store))).toEqual([other]);
    await store.insert(one, call);
    expect(await store.find(one.id, call)).toEqual(one);
  });

  it('D4: finds nothing where the record of another session lies', async () => {
    const store = over();
    const record = aRecord();
    await store.insert(record, call);
    const { id } = aRecord();
    adapter.values.set(`keyv:${id}`, adapter.values.get(`keyv:${record.id}`));
    expect(await store.find(id, call)).toBeNull();
  });

  it.each<[string, object]>([
    ['no namespace', { namespace: '' }],
    ['a namespace', { namespace: 'app' }],
    ['no prefix', { useKeyPrefix: false }],
    ['no serialization', { serialize: undefined, deserialize: undefined }],
    ['a lifetime of its own', { ttl: 1 }],
  ])('works with %s', async (_, options) => {
    const store = over(options);
    const record = aRecord();
    await store.insert(record, call);
    expect(await store.find(record.id, call)).toEqual(record);
    expect(isEnumerable(store) && (await everythingIn(store))).toEqual([record]);
  });

  const now = Date.UTC(2026, 0, 1, 12);

  it('E5: lets no lifetime end before the record', async () => {
    jest.spyOn(Date, 'now').mockReturnValue(now);
    const store = over();
    const record = aRecord({ expiresAt: now + 500 });
    await store.insert(record, call);
    const [lifetime] = adapter.lifetimes;
    // Some adapters count in whole seconds and round down.
    expect(Math.floor(lifetime! / 1000)).toBe(1);
    await store.extend(record.id, 1, now + 30 * 24 * 60 * 60 * 1000, call);
    expect(adapter.lifetimes[1]! / 1000).toBeGreaterThan(30 * 24 * 60 * 60);
    // To memcached, more than 30 days in whole seconds is an instant long ago.
    expect(Math.floor(adapter.lifetimes[1]! / 1000)).toBe(30 * 24 * 60 * 60);
  });

  it.each([now, 0, -1])('E5: lets no lifetime be zero or less: a record until %d', async (expiresAt) => {
    jest.spyOn(Date, 'now').mockReturnValue(now);
    const store = over();
    const record = aRecord({ expiresAt: now + 500 });
    await store.insert(record, call);
    await store.insert(aRecord({ expiresAt }), call);
    expect(await store.extend(record.id, 1, expiresAt, call)).toBe(true);
    expect(await store.find(record.id, call)).toBeNull();
    await store.insert(record, call);
    expect(adapter.lifetimes.filter((each) => !(each! > 0))).toEqual([]);
  });

  it('enumerates only if the adapter does', async () => {
    expect(isEnumerable(over())).toBe(true);
    Object.defineProperty(adapter, 'iterator', { value: undefined });
    adapter.opts.dialect = 'none';
    expect(isEnumerable(over())).toBe(false);
  });

  it('writes nothing for a call that was given up while it read', async () => {
    const store = over();
    const record = aRecord();
    await store.insert(record, call);
    const controller = new AbortController();
    const get = adapter.get.bind(adapter);
    adapter.get = async (key) => {
      controller.abort();
      return get(key);
    };
    const updating = store.update(nextOf(record), 1, { signal: controller.signal });
    await expect(updating).rejects.toThrow(/abort/);
    expect(await store.find(record.id, call)).toEqual(record);
  });

  it('R9: lets a delete wait for the write before it, so that nothing comes back', async () => {
    const store = over();
    const record = aRecord();
    await store.insert(record, call);
    let land = (): void => {};
    const set = adapter.set.bind(adapter);
    adapter.set = async (...all) => {
      await new Promise<void>((go) => (land = go));
      return set(...all);
    };
    const updating = store.update(nextOf(record), 1, call);
    const deleting = store.delete(record.id, call);
    await new Promise(setImmediate);
    land();
    await Promise.all([updating, deleting]);
    expect(await store.find(record.id, call)).toBeNull();
  });

  it('takes a write that never ends for lost after half a minute', async () => {
    const store = over();
    const record = aRecord();
    await store.insert(record, call);
    jest.useFakeTimers();
    try {
      adapter.set = () => new Promise(() => {});
      void store.update(nextOf(record), 1, call);
      const deleting = store.delete(record.id, call);
      await jest.advanceTimersByTimeAsync(30_000);
      await deleting;
      expect(await store.find(record.id, call)).toBeNull();
    } finally {
      jest.useRealTimers();
    }
  });
});
