import { Controller, Post } from '@nestjs/common';
import { MemorySessionStore, Session, SessionService } from 'nestjs-tessera';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { scripted, type Scripted } from '../support/scripted';
import { visitor, type Visitor } from '../support/visitor';
import { WatchedStore } from '../support/watched-store';

type Way = 'logout' | 'logout, data kept' | 'destroy' | 'login as bob';

/** What a handler does that has caught the failure of a commit of its own. */
const WAYS: Record<Way, (session: Session) => void> = {
  logout: (session) => session.logout(),
  'logout, data kept': (session) => session.logout({ keepData: true }),
  destroy: (session) => session.destroy(),
  'login as bob': (session) => session.login({ id: 'bob' }),
};

@Controller('caught')
class CaughtController {
  static way: Way;

  constructor(private readonly sessions: SessionService) {}

  @Post() async caught(@Session() session: Session): Promise<string> {
    session.flash('notice', 'to be saved at once');
    await this.sessions.commit().catch(() => undefined);
    WAYS[CaughtController.way](session);
    return 'done';
  }
}

describe.each(platforms)('after a commit that failed and was caught, on %s,', (platform) => {
  let store: WatchedStore;
  let session: Scripted;
  let app: App;
  let ada: Visitor;

  beforeEach(async () => {
    store = new WatchedStore(new MemorySessionStore());
    session = scripted();
    app = await startApp({
      platform,
      options: { store },
      controllers: [CaughtController, session.controller],
    });
    ada = await visitor(app);
    await session.run(ada, (s) => s.login({ id: 'ada' }));
  });
  afterEach(closeApps);

  it.each(Object.keys(WAYS) as Way[])('a %s still happens', async (way) => {
    const thief = await ada.twin();
    let failures = 1;
    store.before = (operation) => {
      if (operation === 'update' && failures-- > 0) throw new Error('a passing failure');
    };
    CaughtController.way = way;
    const { status, text } = await ada.post('/caught');
    expect({ status, text }).toEqual({ status: 201, text: 'done' });
    expect(await session.ask(thief, (s) => s.principal)).toBeNull();
    expect((await session.ask(ada, (s) => s.principal))?.id).toBe(way === 'login as bob' ? 'bob' : undefined);
  });

  it('a logout that fails as well is a 503', async () => {
    store.before = (operation) => {
      if (operation !== 'find') throw new Error('a lasting failure');
    };
    CaughtController.way = 'logout';
    expect((await ada.post('/caught')).status).toBe(503);
  });
});
