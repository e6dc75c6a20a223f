import { Controller, Get, Logger, Post } from '@nestjs/common';
import { Keyv } from 'keyv';
import { MemoryStore } from 'express-session';
import { Principal, Session, SessionModule } from 'nestjs-tessera';
import { fromExpressStore, fromKeyv } from 'nestjs-tessera/bridges';
import { closeApps, platforms, startApp } from '../support/app';
import { visitor } from '../support/visitor';

@Controller()
class AccountController {
  @Post('login')
  login(@Session() session: Session) {
    session.login({ id: 'ada', roles: ['admin'] });
  }

  @Get('me')
  me(@Principal() user?: Principal) {
    return { id: user?.id ?? null };
  }

  @Post('logout')
  logout(@Session() session: Session) {
    session.logout();
  }

  @Get('open')
  open() {
    return 'nothing to do with sessions';
  }
}

const controllers = [AccountController];

afterEach(closeApps);
afterEach(() => jest.restoreAllMocks());

describe.each(platforms)('sessions over a bridge on %s', (platform) => {
  const stores = { Keyv: () => fromKeyv(new Keyv()), express: () => fromExpressStore(new MemoryStore()) };

  it.each(Object.entries(stores))('L1: log in and out: %s', async (_, create) => {
    const ada = await visitor(await startApp({ platform, controllers, options: { store: create() } }));
    await ada.post('/login');
    expect((await ada.get('/me')).json()).toEqual({ id: 'ada' });
    const stolen = await ada.twin();
    await ada.post('/logout');
    expect({ ada: (await ada.get('/me')).json(), stolen: (await stolen.get('/me')).json() }).toEqual({
      ada: { id: null },
      stolen: { id: null },
    });
  });

  it('F1: answers 503 and nobody anonymously while the Keyv is down, and recovers', async () => {
    const values = new Map<string, unknown>();
    let down = false;
    const reach = <T>(answer: T): T => {
      if (down) throw new Error('connection refused');
      return answer;
    };
    const store = fromKeyv(
      new Keyv({
        store: {
          get: async (key: string) => reach(values.get(key)),
          set: async (key: string, value: unknown) => void reach(values).set(key, value),
          delete: async (key: string) => reach(values).delete(key),
          clear: async () => {},
        },
      }),
    );
    const ada = await visitor(await startApp({ platform, controllers, options: { store } }));
    await ada.post('/login');
    down = true;
    expect((await ada.get('/me')).status).toBe(503);
    expect((await ada.post('/logout')).status).toBe(503);
    expect((await ada.get('/open')).status).toBe(200);
    down = false;
    expect((await ada.get('/me')).json()).toEqual({ id: 'ada' });
  });
});

describe('the warning about a store with limits', () => {
  const warningsOf = async (run: () => Promise<unknown>): Promise<string[]> => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation();
    await run();
    return warn.mock.calls
      .map(([message]) => String(message))
      .filter((text) => text.includes('cannot promise'));
  };

  it('names once what the store cannot promise, what follows, and the way out', async () => {
    const store = fromKeyv(new Keyv());
    const admin = SessionModule.forRoot({ name: 'admin', store });
    const warnings = await warningsOf(() =>
      startApp({ platform: 'express', options: { store }, imports: [admin] }),
    );
    expect(warnings).toEqual([
      'The session store cannot promise conditional writes between processes: when two processes write one session at once, ' +
        'the change of one may be lost, and a late write may restore a session that another process ended. ' +
        'Run one process, or use a store with conditional writes.',
    ]);
  });

  it('is one for each limit, and none for a store without', async () => {
    const express = fromExpressStore(new MemoryStore());
    const start = (options: object) => () => startApp({ platform: 'express', options });
    expect(await warningsOf(start({ store: express }))).toEqual([
      expect.stringContaining('conditional writes between processes'),
      expect.stringContaining('enumeration page by page'),
    ]);
    jest.restoreAllMocks();
    expect(await warningsOf(start({}))).toEqual([]);
  });
});
