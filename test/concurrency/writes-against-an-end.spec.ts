import type { SessionId } from 'nestjs-tessera';
import { core, type Core } from '../support/core';
import '../support/session-data';

const ada = { id: 'ada' };

/** Lets a copy of a token write before each write of others to its session. */
function writeFirst({ store, request }: Core, token: string): void {
  store.before = async (operation, id) => {
    if (operation !== 'update' || !token.startsWith(id)) return;
    const { before } = store;
    store.before = () => {};
    await request(token, (session) => void session.update('visits', (visits = 0) => visits + 1));
    store.before = before;
  };
}

describe('an end of a session whose copied token writes all the time', () => {
  const idOf = (token: string) => token.split('.')[0] as SessionId;
  const isOpen = async ({ store, manager }: Core, token: string): Promise<boolean> => {
    store.before = () => {};
    return !(await manager.open(token)).isNew;
  };

  it('L11: is made by its id', async () => {
    const app = core();
    const token = await app.issued(null, (session) => session.login(ada));
    writeFirst(app, token);
    app.told();
    expect(await app.manager.directory.end(idOf(token), 'default:ada', 'revoked')).toBe(true);
    expect({ told: app.told(), isOpen: await isOpen(app, token) }).toEqual({
      told: ['destroyed'],
      isOpen: false,
    });
  });

  it('W18: is made with all of its principal but one', async () => {
    const app = core();
    const token = await app.issued(null, (session) => session.login(ada));
    const own = await app.manager.open(await app.issued(null, (session) => session.login(ada)));
    writeFirst(app, token);
    await app.manager.endAll(ada, { except: own });
    expect(await isOpen(app, token)).toBe(false);
  });

  it('L9: is made by the limit, and the login that needs the room is not refused', async () => {
    const app = core({ logins: { limit: { max: () => 1, policy: 'evict-oldest' } } });
    const token = await app.issued(null, (session) => session.login(ada));
    app.clock.advance(1);
    writeFirst(app, token);
    app.told();
    const next = await app.issued(null, (session) => session.login(ada));
    expect(app.told()).toEqual(['created', 'evicted', 'loggedIn']);
    expect({ old: await isOpen(app, token), next: await isOpen(app, next) }).toEqual({
      old: false,
      next: true,
    });
  });
});
