import { Controller, Inject, Post } from '@nestjs/common';
import {
  SESSION_STORE,
  SessionEvents,
  SessionService,
  type PrincipalIndexedStore,
  type SessionEvent,
  type SessionStore,
} from 'nestjs-tessera';
import { closeApps, startApp } from '../support/app';
import { scripted } from '../support/scripted';
import '../support/session-data';
import { describeStores } from '../support/stores';
import { visitor } from '../support/visitor';

/** The recipe of the README. */
@Controller()
class AccountSecurity {
  constructor(
    @Inject(SESSION_STORE) private readonly store: SessionStore & PrincipalIndexedStore,
    private readonly sessions: SessionService,
  ) {}

  @Post('password') async passwordChanged() {
    const call = { signal: AbortSignal.timeout(3000) };
    const current = await this.sessions.current();
    for (const { id } of await this.store.findByPrincipal('default:7', call))
      if (id !== current.id) await this.store.delete(id, call);
    await this.sessions.login({ id: 7 });
  }
}

describeStores('a user logged out everywhere else, with', ({ create }) => {
  it('W12: keeps this browser, its data and a quiet log, and loses all others', async () => {
    const under = await create();
    const session = scripted();
    const app = await startApp({
      platform: 'fastify',
      options: { store: under.store },
      controllers: [session.controller, AccountSecurity],
    });
    const events: SessionEvent[] = [];
    app.get(SessionEvents).subscribe((event) => events.push(event));
    const [here, there, other] = [await visitor(app), await visitor(app), await visitor(app)];
    await session.run(here, (s) => (s.set('cart', ['pear']), s.login({ id: 7 })));
    await session.run(there, (s) => s.login({ id: 7 }));
    await session.run(other, (s) => s.login({ id: 8 }));
    const before = await here.token();

    await here.post('/password');
    const cart = await session.ask(here, (s) => s.get('cart'));
    expect({ cart, isRenewed: (await here.token()) !== before }).toEqual({ cart: ['pear'], isRenewed: true });
    expect(events.filter(({ type }) => type === 'rejected')).toEqual([]);
    const whoIs = (who: typeof here) => session.ask(who, ({ principal }) => principal?.id ?? null);
    expect([await whoIs(here), await whoIs(there), await whoIs(other)]).toEqual(['7', null, '8']);
    await closeApps();
    await under.close();
  });
});
