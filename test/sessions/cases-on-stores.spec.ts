import { Controller, Get, Header, HttpCode, Post, Redirect, StreamableFile, UseGuards } from '@nestjs/common';
import { AuthGuard, RecentLogin, Session, SessionModule, SessionService } from 'nestjs-tessera';
import { manualClock, type ManualClock } from 'nestjs-tessera/testing';
import { closeApps, startApp, type App } from '../support/app';
import { DAY, MINUTE } from '../support/core';
import { scripted } from '../support/scripted';
import '../support/session-data';
import { describeStores, type StoreUnderTest } from '../support/stores';
import { visitor, type Visitor } from '../support/visitor';
import { WatchedStore } from '../support/watched-store';

@Controller('pages')
class PagesController {
  @RecentLogin('10m') @Get('recent') recent() {
    return 'in';
  }
  @UseGuards(AuthGuard) @Get('account') account() {
    return 'in';
  }
  @Post('login') @Redirect('/pages/account', 303) login(@Session() session: Session) {
    session.login({ id: 7 });
  }
  @Post('value') value(@Session() session: Session) {
    session.set('visits', 1);
    return { saved: true };
  }
  @Post('nothing') @HttpCode(204) nothing(@Session() session: Session) {
    session.set('visits', 1);
  }
  @Post('stream') @Header('Content-Type', 'text/plain') stream(@Session() session: Session) {
    session.set('visits', 1);
    return new StreamableFile(Buffer.from('saved'));
  }
  @Post('refusal') refusal(@Session() session: Session) {
    session.set('visits', 1);
    throw new Error('a mistake of the handler');
  }
}

/** What other specs try in depth with a store or two, once with each store. */
describeStores('an application with', ({ create }) => {
  const session = scripted();
  const staff = scripted('staff');
  let under: StoreUnderTest;
  let store: WatchedStore;
  let clock: ManualClock;
  let app: App;
  let ada: Visitor;

  beforeEach(async () => {
    under = await create();
    store = new WatchedStore(under.store);
    clock = manualClock();
    app = await startApp({
      platform: 'fastify',
      options: { store, clock },
      imports: [SessionModule.forRoot({ name: 'staff', store, clock })],
      controllers: [PagesController, session.controller, staff.controller],
    });
    ada = await visitor(app);
  });
  afterEach(async () => {
    await closeApps();
    await under.close();
  });

  const visits = (): Promise<number | null> => session.ask(ada, (own) => own.get('visits') ?? null);
  const begin = (): Promise<void> => session.ask(ada, (own) => void own.set('visits', 1));

  it('T8: the token of one instance opens nothing in another on the same store', async () => {
    await session.run(ada, (own) => own.login({ id: 7 }));
    const cookie = `__Host-session-staff=${await ada.token()}`;
    const answer = await staff.run(await visitor(app), (own) => own.principal, { headers: { cookie } });
    expect(answer.json()).toEqual({ result: null });
  });

  it('L6: an old login is refused where a recent one is needed, and a fresh one accepted', async () => {
    await session.run(ada, (own) => own.login({ id: 7 }));
    clock.advance(10 * MINUTE - 1);
    const fresh = await ada.get('/pages/recent');
    clock.advance(2);
    const old = await ada.get('/pages/recent');
    await session.run(ada, (own) => own.login({ id: 7 }));
    const again = await ada.get('/pages/recent');
    expect({ fresh: fresh.status, old: old.json(), again: again.status }).toEqual({
      fresh: 200,
      old: expect.objectContaining({ statusCode: 401, code: 'RECENT_LOGIN_REQUIRED' }) as object,
      again: 200,
    });
  });

  it('L11: lists public ids without secrets, and ends nobody else’s session', async () => {
    const { registry } = app.get(SessionService);
    await session.run(ada, (own) => own.login({ id: 7 }));
    const listed = await registry.list({ id: 7 });
    const token = (await ada.token())!;
    const [{ id } = { id: '' }] = listed;
    expect({
      ids: listed.map((each) => each.id),
      hasSecret: JSON.stringify(listed).includes(token.slice(token.indexOf('.') + 1)),
      byBob: await registry.end(id, { principal: { id: 8 } }),
      unknown: await registry.end('A'.repeat(22), { principal: { id: 7 } }),
      page: (await ada.get('/pages/account')).status,
    }).toEqual({
      ids: [token.slice(0, token.indexOf('.'))],
      hasSecret: false,
      byBob: false,
      unknown: false,
      page: 200,
    });
  });

  it('E1: a session lives until its idle timeout, and not a millisecond longer', async () => {
    await begin();
    clock.advance(30 * MINUTE - 1);
    const before = await visits();
    clock.advance(30 * MINUTE);
    expect({ before, after: await visits() }).toEqual({ before: 1, after: null });
  });

  it('E2, E4: writing, renewing and rotating do not move the absolute end, and a login does', async () => {
    await begin();
    const works = [
      (own: Session) => own.set('visits', 2),
      (own: Session) => own.renewToken(),
      (own: Session) => own.rotateToken(),
    ];
    for (let at = 20; at < 24 * 60; at += 20) {
      clock.advance(20 * MINUTE);
      await session.run(ada, works[(at / 20) % works.length]!);
    }
    clock.advance(20 * MINUTE - 1);
    const before = await visits();
    await session.run(ada, (own) => own.login({ id: 7 }));
    clock.advance(1);
    const renewed = await visits();
    for (let at = 0; at < DAY; at += 20 * MINUTE) {
      clock.advance(20 * MINUTE);
      await visits();
    }
    expect({ before, renewed, after: await visits() }).toEqual({ before: 2, renewed: 2, after: null });
  });

  it('E3: reading extends a session once a tenth of its idle timeout', async () => {
    await begin();
    store.take();
    const writes: number[] = [];
    for (const advance of [3 * MINUTE, 1, 1]) {
      clock.advance(advance);
      await visits();
      writes.push(store.take().filter((call) => call !== 'find').length);
    }
    expect(writes).toEqual([0, 1, 0]);
  });

  it.each(['value', 'nothing', 'stream', 'refusal'])(
    'H1: what changed is stored before the first byte of the answer (%s)',
    async (what) => {
      const stored: string[] = [];
      store.after = (operation) => void stored.push(operation);
      const response = await fetch(`${await app.getUrl()}/pages/${what}`, { method: 'POST' });
      const atFirstByte = [...stored];
      await response.arrayBuffer();
      expect({ atFirstByte, cookies: response.headers.getSetCookie().length }).toEqual({
        atFirstByte: ['insert'],
        cookies: 1,
      });
    },
  );

  it('H3: a client that follows the redirect of its login is logged in', async () => {
    const login = await ada.post('/pages/login');
    const page = await ada.get(login.headers.get('location')!);
    expect({ login: login.status, page: page.status }).toEqual({ login: 303, page: 200 });
  });
});
