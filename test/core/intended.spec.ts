import { rememberIntended, takeOutIntended } from '../../lib/core/intended';
import { draftOf } from '../../lib/core/session';
import { takeOut } from '../../lib/core/taking';
import { core } from '../support/core';

describe('where a visitor wanted to go', () => {
  it('is given to one request when the write of another one fails and is tried again', async () => {
    const app = core();
    const token = await app.issued(null, (session) => rememberIntended(draftOf(session), '/members'));
    const first = await app.manager.open(token);
    const second = await app.manager.open(token);
    const taken: (string | null)[] = [];
    app.store.before = async (operation) => {
      if (operation !== 'update') return;
      app.store.before = () => {};
      // Another process takes it meanwhile.
      const other = core({ store: app.store.inner });
      taken.push(await takeOut(draftOf(second), takeOutIntended, () => other.manager.commit(second)));
      throw new Error('the connection was lost');
    };
    taken.push(await takeOut(draftOf(first), takeOutIntended, () => app.manager.commit(first)));
    expect(taken).toEqual(['/members', null]);
  });

  it('stays when the commit fails', async () => {
    const app = core();
    const token = await app.issued(null, (session) => rememberIntended(draftOf(session), '/members'));
    const session = await app.manager.open(token);
    const failing = takeOut(draftOf(session), takeOutIntended, () => Promise.reject(new Error('down')));
    await expect(failing).rejects.toThrow('down');
    expect(await takeOut(draftOf(session), takeOutIntended, () => app.manager.commit(session))).toBe(
      '/members',
    );
  });

  it.each(['destroyed', 'sealed'] as const)('is not remembered in a session that is %s', async (state) => {
    const session = await core().manager.open(null);
    draftOf(session)[state] = true;
    rememberIntended(draftOf(session), '/members');
    expect(draftOf(session).operations).toEqual([]);
  });
});
