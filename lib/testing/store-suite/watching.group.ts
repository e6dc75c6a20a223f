import assert from 'node:assert/strict';
import type { SessionStore } from '../../core/session-store';
import type { EndSubscription, PrincipalIndexedStore, WatchableStore } from '../../core/store-capabilities';
import { newToken, type SessionId } from '../../core/session-token';
import { insertAll, insertOne, aRecord, nextOf, MINUTE } from './records';
import { call, type StoreSuite } from './store-suite';

/** How long a hint may take on a busy machine, in milliseconds. */
const PATIENCE = 2_000;
/** How long connecting may take, in milliseconds. */
const CONNECTING = 10_000;

/** Tests what a store tells of ended sessions. @param watcher the store that tells, of the ends in another one over the same data */
export function describeWatching(suite: StoreSuite, watcher: () => WatchableStore): void {
  const { it, afterEach } = suite;
  const open = new Set<Ears>();
  const listen = async (): Promise<Ears> => {
    const ears = new Ears(watcher());
    open.add(ears);
    await ears.active();
    return ears;
  };
  afterEach(() => {
    for (const ears of open) ears.close();
    open.clear();
  });

  it('S2: tells of a deletion', async () => {
    const ears = await listen();
    const { id } = await insertOne(suite.store);
    await suite.store.delete(id, call);
    await ears.hear(id);
  });

  it('S2: tells of an update that changes the principal, of a login and of a logout', async () => {
    const visitor = await insertOne(suite.store);
    const ada = nextOf(visitor, { principal: 'a:ada' });
    const loggedOut = nextOf(ada, { principal: null });
    for (const record of [ada, loggedOut]) {
      const ears = await listen();
      assert.equal(await suite.store.update(record, record.version - 1, call), true);
      await ears.hear(record.id);
    }
  });

  it('S2: tells of an update that replaces the secret', async () => {
    const record = await insertOne(suite.store, { principal: 'a:ada' });
    const ears = await listen();
    const { secretHash } = newToken(record.id, 'suite');
    assert.equal(await suite.store.update(nextOf(record, { secretHash }), 1, call), true);
    await ears.hear(record.id);
  });

  it('S2: tells of an update that makes the expiry earlier, also than an extension has made it', async () => {
    const { id, expiresAt } = await insertOne(suite.store, { principal: 'a:ada' });
    const record = await suite.store.find(id, call);
    const ears = await listen();
    assert.equal(await suite.store.extend(id, 1, expiresAt + 2 * MINUTE, call), true);
    const sooner = nextOf(record!, { expiresAt: expiresAt + MINUTE });
    assert.equal(await suite.store.update(sooner, 1, call), true);
    await ears.hear(id);
  });

  it('S2: tells of each of many deletions at once', async () => {
    const ears = await listen();
    const records = Array.from({ length: 500 }, () => aRecord());
    await insertAll(suite.store, records);
    await Promise.all(records.map(({ id }) => suite.store.delete(id, call)));
    for (const { id } of records) await ears.hear(id);
  });

  if (suite.has('principals')) {
    it('S2: tells of each session that is removed with its principal', async () => {
      const ears = await listen();
      const records = Array.from({ length: 20 }, () => aRecord({ principal: 'a:1' }));
      await insertAll(suite.store, records);
      const store = suite.store as SessionStore & PrincipalIndexedStore;
      assert.equal(await store.deleteByPrincipal('a:1', call), records.length);
      for (const { id } of records) await ears.hear(id);
    });
  }

  it('tells nothing after the subscription was closed, and goes on telling others', async () => {
    const [gone, stays] = [await listen(), await listen()];
    gone.close();
    const { id } = await insertOne(suite.store);
    await suite.store.delete(id, call);
    await stays.hear(id);
    assert.deepEqual({ heard: gone.heard.has(id) }, { heard: false });
  });

  it('tells again after all subscriptions were closed', async () => {
    (await listen()).close();
    const ears = await listen();
    const { id } = await insertOne(suite.store);
    await suite.store.delete(id, call);
    await ears.hear(id);
  });
}

/** A listener that waits for what it is told. */
class Ears {
  readonly heard = new Set<SessionId | null>();
  readonly #subscription: EndSubscription;
  #changed: () => void = () => {};

  constructor(store: WatchableStore) {
    this.#subscription = store.watchEnds((id) => {
      this.heard.add(id);
      this.#changed();
    });
  }

  /** Resolves when the subscription is active. */
  async active(): Promise<void> {
    await this.#until(
      () => this.#subscription.isActive,
      CONNECTING,
      'the subscription did not become active',
    );
  }

  async hear(id: SessionId): Promise<void> {
    await this.#until(() => this.heard.has(id), PATIENCE, 'the end of a session was not told');
  }

  close(): void {
    this.#subscription.close();
  }

  async #until(isMet: () => boolean, patience: number, failure: string): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`${failure} within ${patience} ms`)), patience);
    });
    try {
      while (!isMet()) await Promise.race([new Promise<void>((resolve) => (this.#changed = resolve)), late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
