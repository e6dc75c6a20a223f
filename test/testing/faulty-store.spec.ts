import { setTimeout as pause } from 'node:timers/promises';
import { Controller, Get, Post, UseGuards } from '@nestjs/common';
import { AuthGuard, MemorySessionStore, Session, SessionRegistry } from 'nestjs-tessera';
import { FaultyStore } from 'nestjs-tessera/testing';
import { closeApps, platforms, startApp, type App } from '../support/app';
import '../support/session-data';
import { visitor, type Visitor } from '../support/visitor';

@Controller()
class CountingController {
  @Get('open') open(): string {
    return 'no session';
  }
  @UseGuards(AuthGuard)
  @Get('me')
  me(@Session() { principal }: Session): object {
    return { id: principal?.id };
  }
  @Post('login') login(@Session() session: Session): void {
    session.login({ id: 7 });
  }
  @Post('count') count(@Session() session: Session): object {
    return { visits: session.update('visits', (visits = 0) => visits + 1) };
  }
}

describe.each(platforms)('a FaultyStore under an application on %s', (platform) => {
  let store: FaultyStore<MemorySessionStore>;
  let ada: Visitor;

  const start = async (storeTimeout = 3000): Promise<App> => {
    store = new FaultyStore(new MemorySessionStore());
    const options = { store, storeTimeout };
    const app = await startApp({ platform, options, controllers: [CountingController] });
    ada = await visitor(app);
    await ada.post('/login');
    store.calls.length = 0;
    return app;
  };
  afterEach(() => store.heal());
  afterEach(closeApps);

  const statuses = async (): Promise<object> => ({
    me: (await ada.get('/me')).status,
    open: (await ada.get('/open')).status,
  });

  it.each(['fail', 'hang'] as const)(
    'F1: makes requests that need it 503, and no others: %s',
    async (fault) => {
      await start(200);
      store[fault]('find');
      const down = await statuses();
      store.heal();
      expect({ down, up: await statuses(), calls: store.calls }).toEqual({
        down: { me: 503, open: 200 },
        up: { me: 200, open: 200 },
        calls: ['find', 'find'],
      });
    },
  );

  it('R14: loses the answer to a login, whose client is logged in all the same', async () => {
    await start();
    store.loseAnswer('update', { times: 1 });
    const { status } = await ada.post('/login');
    expect({ status, me: (await ada.get('/me')).status }).toEqual({ status: 201, me: 200 });
  });

  it('R3: lets a write meet the end of its session as the test wants', async () => {
    const app = await start();
    store.hang('update', { times: 1 });
    const write = ada.post('/count');
    for (let round = 0; !store.calls.includes('update') && round < 1000; round++) await pause(5);
    await app.get(SessionRegistry).endAll({ id: 7 });
    store.heal();
    await write;
    expect((await ada.get('/me')).status).toBe(401);
  });
});
