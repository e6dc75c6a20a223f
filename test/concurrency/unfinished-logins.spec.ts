import { core } from '../support/core';
import '../support/session-data';

const ada = { id: 'ada' };

describe('logins whose store does not answer, with a limit of sessions', () => {
  it('L9: leave the next login no more than twenty sessions to look for', async () => {
    const app = core({ logins: { limit: { max: () => 3, policy: 'evict-oldest' } } });
    app.store.after = (operation) => {
      if (operation === 'insert' || operation === 'find') throw new Error('the connection was lost');
    };
    app.store.before = (operation) => {
      if (operation === 'delete') throw new Error('the connection was lost');
    };
    const code = 'SESSION_STORE_UNAVAILABLE';
    for (let n = 0; n < 30; n++)
      await expect(app.request(null, (session) => session.login(ada))).rejects.toMatchObject({ code });
    let looks = 0;
    app.store.after = () => {};
    app.store.before = (operation) => void (operation === 'find' && looks++);
    await app.issued(null, (session) => session.login(ada));
    expect(looks).toBe(20);
    expect(await app.manager.directory.countOf('default:ada')).toBe(3);
  });
});
