import { MemorySessionStore, SessionService } from 'nestjs-tessera';
import { requestSession } from 'nestjs-tessera/express-session';
import { closeApps, startApp, type App } from '../support/app';
import '../support/session-data';
import { visitor, type Visitor } from '../support/visitor';
import { WatchedStore, door } from '../support/watched-store';
import { called, requestWorks } from './request-works';

describe('methods of req.session that overlap', () => {
  const { controller, ask } = requestWorks();
  let store: WatchedStore;
  let app: App;
  let ada: Visitor;

  beforeEach(async () => {
    store = new WatchedStore(new MemorySessionStore());
    app = await startApp({
      platform: 'express',
      options: { store, maxSessionsPerPrincipal: 1, onLimit: 'refuse' },
      controllers: [controller],
      configure: (each) => void each.use(requestSession()),
    });
    ada = await visitor(app);
    await ask(ada, ({ session }) => void (session.user = 'ada'));
  });
  afterEach(closeApps);

  const dataOf = (): Promise<unknown> => ask(ada, ({ session }) => ({ ...session }));
  const outcomeOf = (work: Promise<void>): Promise<string> =>
    work.then(
      () => 'done',
      ({ code, message }: { code?: string; message: string }) => code ?? message,
    );

  /** Holds the next read after the store has answered. */
  function holdRead(): { arrived: Promise<void>; go(): void } {
    const [arrived, going] = [door(), door()];
    store.after = (operation) => {
      if (operation !== 'find') return undefined;
      store.after = () => {};
      arrived.open();
      return going.opened;
    };
    return { arrived: arrived.opened, go: going.open };
  }

  it('R1: keep what is set after regenerate() while a reload of the former object fails', async () => {
    const outcome = await ask(ada, async (request) => {
      const former = request.session;
      await called(former, 'regenerate');
      const reloaded = await outcomeOf(called(former, 'reload'));
      request.session.user = 'eve';
      return reloaded;
    });
    expect({ outcome, data: await dataOf() }).toEqual({
      outcome: 'SESSION_DESTROYED',
      data: { user: 'eve' },
    });
  });

  it('R1: keep what is set after regenerate() while a reload is under way', async () => {
    const outcome = await ask(ada, async (request) => {
      const reading = holdRead();
      const reloading = outcomeOf(called(request.session, 'reload'));
      await reading.arrived;
      await called(request.session, 'regenerate');
      reading.go();
      const reloaded = await reloading;
      request.session.user = 'eve';
      return reloaded;
    });
    expect({ outcome, data: await dataOf() }).toEqual({ outcome: 'SESSION_ENDED', data: { user: 'eve' } });
  });

  it('R3: leave a session destroyed while a reload is under way', async () => {
    const old = await ada.twin();
    const outcome = await ask(ada, async (request) => {
      const reading = holdRead();
      const reloading = outcomeOf(called(request.session, 'reload'));
      await reading.arrived;
      await called(request.session, 'destroy');
      reading.go();
      return [await reloading, typeof request.session];
    });
    expect({ outcome, user: await ask(old, ({ session }) => session.user) }).toEqual({
      outcome: ['SESSION_ENDED', 'undefined'],
      user: null,
    });
  });

  it('R1: show with reload() what the same request has saved since the store was read', async () => {
    const outcome = await ask(ada, async (request) => {
      const reading = holdRead();
      const reloading = called(request.session, 'reload');
      await reading.arrived;
      await called(request.session, 'save');
      request.session.user = 'eve';
      await called(request.session, 'save');
      reading.go();
      await reloading;
      return { ...request.session };
    });
    expect({ outcome, data: await dataOf() }).toEqual({ outcome: { user: 'eve' }, data: { user: 'eve' } });
  });

  it('R3: leave nothing of a principal to the visitor whose login is refused meanwhile', async () => {
    const sessions = app.get(SessionService);
    const other = await visitor(app);
    await ask(other, async () => sessions.login({ id: 'ada' }));
    const outcome = await ask(ada, async (request) => {
      const [arrived, going] = [door(), door()];
      await sessions.login({ id: 'ada' });
      const notes = ['of ada'];
      Object.assign(request.session, { user: notes });
      store.after = (operation) => {
        if (operation !== 'findByPrincipal') return undefined;
        store.after = () => {};
        arrived.open();
        return going.opened;
      };
      const committing = outcomeOf(sessions.commit());
      await arrived.opened;
      notes.push('changed in place');
      request.session.more = 'of ada';
      going.open();
      return [await committing, { ...request.session }];
    });
    expect({ outcome, data: await dataOf() }).toEqual({
      outcome: ['Too many sessions', { user: 'ada' }],
      data: { user: 'ada' },
    });
  });
});
