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

  it('R14: tells the client the token of a login whose answer was lost', async () => {
    failOnce(app, 'after');
    const issued = await app.issued(token, (session) => session.login({ id: 'ada' }));
    expect(issued.split('.')[0]).toBe(token.split('.')[0]);
    expect((await app.manager.open(issued)).principal?.id).toBe('ada');
    expect((await app.manager.open(token)).isNew).toBe(true);
  });
});
