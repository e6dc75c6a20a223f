import type { Session } from '../../lib/core/session';
import { core, type Core } from '../support/core';
import '../support/session-data';

const count = (session: Session): void => void session.update('visits', (n = 0) => n + 1);

/** The next write fails: before it reaches the store, or on its way back. */
function failOnce({ store }: Core, when: 'before' | 'after'): void {
  store[when] = (operation) => {
    if (operation !== 'update') return;
    store[when] = () => {};
    throw new Error('the connection was lost');
  };
}

describe('a commit whose first write failed', () => {
  let app: Core;
  let token: string;

  beforeEach(async () => {
    app = core();
    token = await app.issued(null, count);
  });

  async function commitTwice(
    when: 'before' | 'after',
    work: (session: Session) => void,
    between = async () => {},
  ) {
    const session = await app.manager.open(token);
    work(session);
    failOnce(app, when);
    await expect(app.manager.commit(session)).rejects.toMatchObject({ code: 'SESSION_STORE_UNAVAILABLE' });
    await between();
    return app.manager.commit(session);
  }

  const visits = async () => (await app.manager.open(token)).get('visits');

  it('F3: is made good when the write never arrived', async () => {
    await commitTwice('before', count);
    expect(await visits()).toBe(2);
  });

  it('F3: is not done twice when only the answer was lost', async () => {
    await expect(commitTwice('after', count)).rejects.toMatchObject({ code: 'SESSION_CONFLICT' });
    expect(await visits()).toBe(2);
  });

  it('R2: does not take the equal write of somebody else for its own', async () => {
    const another = async (): Promise<void> => void (await app.request(token, count));
    await expect(commitTwice('before', count, another)).rejects.toMatchObject({ code: 'SESSION_CONFLICT' });
    expect(await visits()).toBe(2);
  });

  const take = async ({ manager }: Core, session: Session): Promise<unknown> =>
    manager.take(session, 'value', () => manager.commit(session));

  /** Another process on the same store. */
  const another = (): Core => core({ store: app.store.inner, clock: app.clock });

  /** A request that counts and takes. The answer to its write is lost, and others write before it can ask again. */
  async function takeWhile(others: () => Promise<void>): Promise<{ taken: unknown }> {
    const session = await app.manager.open(token);
    count(session);
    let isLost = false;
    app.store.after = (operation) => {
      if (operation !== 'update' || isLost) return;
      isLost = true;
      throw new Error('the connection was lost');
    };
    app.store.before = async (operation) => {
      if (operation !== 'update' || !isLost) return;
      app.store.before = () => {};
      await others();
    };
    return { taken: await take(app, session) };
  }

  it.each([1, 7])('R14: a take whose answer was lost is not done twice after %i others', async (others) => {
    await app.request(token, (session) => session.set('value', 'once'));
    const there = another();
    const late = await Promise.all(Array.from({ length: others }, () => there.manager.open(token)));
    const { taken } = await takeWhile(async () => {
      for (const session of late)
        expect({ another: await take(there, session) }).toEqual({ another: undefined });
    });
    expect({ taken, visits: await visits() }).toEqual({ taken: 'once', visits: 2 });
  });

  it('R14: nor after so many others that nobody can tell any more', async () => {
    await app.request(token, (session) => session.set('value', 'once'));
    const there = another();
    const taking = takeWhile(async () => {
      for (const value of '12345678') {
        await there.request(token, (session) => session.set('value', value));
        expect({ another: await take(there, await there.manager.open(token)) }).toEqual({ another: value });
      }
    });
    await expect(taking).rejects.toMatchObject({ code: 'SESSION_STORE_UNAVAILABLE' });
    expect(await visits()).toBe(2);
  });

  it('R14: tells the client the token of a login whose answer was lost', async () => {
    failOnce(app, 'after');
    const issued = await app.issued(token, (session) => session.login({ id: 'ada' }));
    expect(issued.split('.')[0]).toBe(token.split('.')[0]);
    expect((await app.manager.open(issued)).principal?.id).toBe('ada');
    expect((await app.manager.open(token)).isNew).toBe(true);
  });
});
