import { Controller, Injectable, Module, Post } from '@nestjs/common';
import {
  InjectSessions,
  Session,
  SessionEvents,
  sessionEventsToken,
  SessionModule,
  SessionService,
  sessionStoreToken,
  type SessionEvent,
} from 'nestjs-tessera';
import { manualClock } from 'nestjs-tessera/testing';
import { closeApps, platforms, startApp } from '../support/app';
import { HOUR, MINUTE } from '../support/core';
import { type Scripted, scripted } from '../support/scripted';
import '../support/session-data';
import { describeLocalStores } from '../support/stores';
import { visitor } from '../support/visitor';

@Injectable()
class Desk {
  constructor(
    private readonly sessions: SessionService,
    @InjectSessions('admin') private readonly admins: SessionService,
  ) {}

  async note(): Promise<void> {
    (await this.sessions.current()).set('theme', 'light');
    await this.admins.login({ id: 1, roles: ['admin'] });
  }
}

@Controller('desk')
class DeskController {
  constructor(private readonly desk: Desk) {}

  @Post() async both(@Session() session: Session, @Session({ name: 'admin' }) admin: Session) {
    session.set('visits', 1);
    admin.set('visits', 100);
    await this.desk.note();
    return {
      shareId: session.id === admin.id,
      principal: session.principal,
      admin: admin.principal?.id,
      theme: session.get('theme'),
      adminKeys: admin.keys(),
    };
  }
  @Post('value') value(
    @Session('visits') visits?: number,
    @Session({ name: 'admin', key: 'visits' }) adminVisits?: number,
  ) {
    return { visits, adminVisits };
  }
}

describe.each(platforms)('two sessions side by side on %s', (platform) => {
  afterEach(closeApps);

  describeLocalStores('with', ({ create }) => {
    it('W11: have their own cookie, store and lifetime, and one stream of events beside that of each', async () => {
      const under = await create();
      const admins = await create();
      const clock = manualClock();
      const [session, admin] = [scripted(), scripted('admin')];
      const app = await startApp({
        platform,
        options: { store: under.store, clock },
        imports: [
          SessionModule.forRoot({
            name: 'admin',
            clock,
            store: admins.store,
            lifetime: '1h',
            idleTimeout: '5m',
            cookie: { sameSite: 'strict' },
          }),
        ],
        controllers: [DeskController, session.controller, admin.controller],
        providers: [Desk],
      });
      const events: SessionEvent[] = [];
      const adminEvents: SessionEvent[] = [];
      app.get(SessionEvents).subscribe((event) => events.push(event));
      app.get<SessionEvents>(sessionEventsToken('admin')).subscribe((event) => adminEvents.push(event));
      expect(app.get(sessionStoreToken())).toBe(under.store);
      expect(app.get(sessionStoreToken('admin'))).toBe(admins.store);

      const ada = await visitor(app);
      const answer = await ada.post('/desk');
      expect(answer.json()).toEqual({
        shareId: false,
        principal: null,
        admin: '1',
        theme: 'light',
        adminKeys: ['visits'],
      });
      expect(answer.cookies.sort()).toEqual([
        expect.stringMatching(/^__Host-session-admin=.*SameSite=Strict/),
        expect.stringMatching(/^__Host-session=.*SameSite=Lax/),
      ]);
      expect((await ada.post('/desk/value')).json()).toEqual({ visits: 1, adminVisits: 100 });
      expect(events.map(({ type, sessionName }) => `${sessionName} ${type}`).sort()).toEqual([
        'admin created',
        'admin loggedIn',
        'default created',
      ]);
      expect(adminEvents).toEqual(events.filter(({ sessionName }) => sessionName === 'admin'));
      expect(await admin.ask(ada, (s) => s.deadline)).toBe(clock() + HOUR);

      clock.advance(5 * MINUTE);
      expect(await admin.ask(ada, (s) => s.principal)).toBeNull();
      expect(await session.ask(ada, (s) => s.get('visits'))).toBe(1);
      await admin.run(ada, (s) => s.login({ id: 1 }));
      await session.run(ada, (s) => s.destroy());
      expect(await admin.ask(ada, (s) => s.principal?.id)).toBe('1');
      await closeApps();
      await Promise.all([under.close(), admins.close()]);
    });

    it("T8: refuse each other's tokens, though they share one store", async () => {
      const { store, close } = await create();
      const [session, admin] = [scripted(), scripted('admin')];
      const app = await startApp({
        platform,
        options: { store },
        imports: [SessionModule.forRoot({ name: 'admin', store })],
        controllers: [session.controller, admin.controller],
      });
      const ada = await visitor(app);
      await session.run(ada, (s) => s.login({ id: 7, roles: ['member'] }));
      await admin.run(ada, (s) => s.set('visits', 1));
      const [token, adminToken] = [await ada.token(), await ada.token('__Host-session-admin')];
      const headers = { cookie: `__Host-session=${adminToken}; __Host-session-admin=${token}` };
      const seenBy = async (each: Scripted) =>
        (await each.run(ada, ({ isNew, principal }) => ({ isNew, principal }), { headers })).json();
      const nobody = { result: { isNew: true, principal: null } };
      expect({ session: await seenBy(session), admin: await seenBy(admin) }).toEqual({
        session: nobody,
        admin: nobody,
      });
      const { status } = await session.run(ada, (s) => s.merge(adminToken!));
      expect({ status, keys: await session.ask(ada, (s) => s.keys()) }).toEqual({ status: 201, keys: [] });
      expect(await admin.ask(ada, (s) => s.get('visits'))).toBe(1);
      await closeApps();
      await close();
    });
  });

  it('may not have one name', async () => {
    const start = startApp({ platform, imports: [SessionModule.forRoot({ lifetime: '1h' })] });
    await expect(start).rejects.toMatchObject({
      code: 'SESSION_NAME_TAKEN',
      message: expect.stringContaining("called twice for the instance 'default'"),
    });
  });

  it('may not have one name in another module either', async () => {
    @Module({ imports: [SessionModule.forRoot({ name: 'admin', lifetime: '1h' })] })
    class AdminModule {}
    const start = startApp({
      platform,
      imports: [SessionModule.forRootAsync({ name: 'admin', useFactory: () => ({}) }), AdminModule],
    });
    await expect(start).rejects.toMatchObject({ code: 'SESSION_NAME_TAKEN' });
  });

  it('may not share a cookie', async () => {
    const start = startApp({
      platform,
      imports: [SessionModule.forRoot({ name: 'admin', cookie: { name: '__Host-session' } })],
    });
    await expect(start).rejects.toMatchObject({
      code: 'SESSION_NAME_TAKEN',
      message: expect.stringMatching(
        /'(default|admin)' and '(default|admin)' both use the cookie __Host-session/,
      ),
    });
  });

  it('that are not there are missed in words', async () => {
    const nobody = scripted('nobody');
    const { status } = await nobody.run(
      await visitor(await startApp({ platform, controllers: [nobody.controller] })),
      () => 1,
    );
    expect(status).toBe(500);
  });
});
