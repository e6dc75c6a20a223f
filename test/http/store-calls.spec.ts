import { Controller, Get, Inject, Post } from '@nestjs/common';
import { Session, SessionService } from 'nestjs-tessera';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { describeFewStores, describeStores, type StoreUnderTest } from '../support/stores';
import { visitor, type Visitor } from '../support/visitor';
import { WatchedStore } from '../support/watched-store';

declare module 'nestjs-tessera' {
  interface SessionData {
    counted: number;
  }
}

@Controller()
class CountedController {
  constructor(@Inject(SessionService) private readonly sessions: SessionService) {}

  @Get('untouched') untouched(): string {
    return 'untouched';
  }

  @Get('read') read(@Session('counted') counted?: number): number {
    return counted ?? 0;
  }

  @Post('write') write(@Session() session: Session): number {
    return session.update('counted', (n = 0) => n + 1);
  }

  @Post('login') async login(): Promise<void> {
    await this.sessions.login({ id: 'ada' });
  }

  @Post('logout') async logout(): Promise<void> {
    await this.sessions.logout();
  }
}

describe.each(platforms)('calls to the store on %s', (platform) => {
  const describeKinds = platform === 'express' ? describeStores : describeFewStores;

  describeKinds('kept in', ({ create }) => {
    let behind: StoreUnderTest;
    let store: WatchedStore;
    let app: App;
    let ada: Visitor;

    beforeAll(async () => {
      behind = await create();
      store = new WatchedStore(behind.store);
      app = await startApp({ platform, options: { store }, controllers: [CountedController] });
    });
    beforeEach(async () => {
      ada = await visitor(app);
    });
    afterAll(async () => {
      await closeApps();
      await behind.close();
    });

    /** The calls of one request, for a client that has a session. */
    const callsWithSession = async (method: string, path: string): Promise<unknown[]> => {
      await ada.post('/write');
      store.take();
      await ada.request(method, path);
      return store.take();
    };

    it('H4: a route that never touches the session makes none, and says nothing of it', async () => {
      expect(await callsWithSession('GET', '/untouched')).toEqual([]);
      const { headers, cookies } = await ada.get('/untouched');
      const [vary, cacheControl] = [headers.get('vary'), headers.get('cache-control')];
      expect({ cookies, vary, cacheControl }).toEqual({ cookies: [], vary: null, cacheControl: null });
    });

    it('reading without a cookie makes none', async () => {
      const { cookies, headers } = await ada.get('/read');
      expect({ calls: store.take(), cookies, vary: headers.get('vary') }).toEqual({
        calls: [],
        cookies: [],
        vary: 'Cookie',
      });
    });

    it('reading makes one', async () => {
      expect(await callsWithSession('GET', '/read')).toEqual(['find']);
    });

    it('writing makes two', async () => {
      expect(await callsWithSession('POST', '/write')).toEqual(['find', 'update']);
    });

    it('the first write makes one', async () => {
      await ada.post('/write');
      expect(store.take()).toEqual(['insert']);
    });

    it('a login on a session that exists makes two', async () => {
      expect(await callsWithSession('POST', '/login')).toEqual(['find', 'update']);
    });

    it('a login without one makes one', async () => {
      await ada.post('/login');
      expect(store.take()).toEqual(['insert']);
    });

    it('a logout makes two', async () => {
      await ada.post('/login');
      store.take();
      await ada.post('/logout');
      expect(store.take()).toEqual(['find', 'delete']);
    });

    it('a cookie that is no token makes none', async () => {
      await ada.get('/read', { headers: { cookie: '__Host-session=nonsense' } });
      expect(store.take()).toEqual([]);
    });
  });
});
