import { MemorySessionStore, type Session } from 'nestjs-tessera';
import { core, type Core } from '../support/core';
import '../support/session-data';

const ada = { id: 'ada' };

let app: Core;
beforeEach(() => {
  const store = new MemorySessionStore();
  app = core({ store });
  Object.assign(app.store, { records: store.records.bind(store) });
});

describe('a session of another client, committed by the manager', () => {
  it.each<[string, (session: Session) => void]>([
    ['elevate', (session) => session.elevate({ roles: ['admin'] })],
    ['login', (session) => session.login({ id: 'ada', roles: ['admin'] })],
    ['login as another', (session) => session.login({ id: 'bob' })],
    ['actAs', (session) => session.actAs({ id: 'bob' })],
  ])('L1: gives the token of its client no rights by %s', async (_name, work) => {
    const token = await app.issued(null, (session) => session.login({ id: 'ada', roles: ['member'] }));
    const codes: unknown[] = [];
    for await (const session of app.manager.directory.all()) {
      work(session);
      await app.manager.commit(session).catch(({ code }: { code: string }) => codes.push(code));
      session.rollback();
    }
    const { principal } = await app.manager.open(token);
    expect({ codes, id: principal?.id, roles: principal?.roles }).toEqual({
      codes: ['SESSION_TOKEN_UNDELIVERABLE'],
      id: 'ada',
      roles: ['member'],
    });
  });
});

describe('a loop over all sessions that changes one whose login changes meanwhile', () => {
  const work = (s: Session): unknown => s.set('value', 'of the loop');
  const login = (s: Session): void => s.login(ada);
  const end = (s: Session): void => s.logout({ keepData: true });
  const act = (s: Session): void => s.actAs({ id: 'bob' });

  interface Crossing {
    readonly what: string;
    readonly change: (s: Session) => void;
    readonly by: string;
    readonly meanwhile: (s: Session) => void;
    /** Whether the session is of one who acts as another. */
    readonly isActing?: boolean;
    readonly who?: string;
  }

  it.each<Crossing>([
    { what: 'a change', change: work, by: 'a login', meanwhile: login },
    { what: 'destroy', change: (s) => s.destroy(), by: 'a login', meanwhile: login },
    { what: 'logout', change: (s) => s.logout(), by: 'a login', meanwhile: login },
    { what: 'logout with keepData', change: end, by: 'a login', meanwhile: login },
    { what: 'a past deadline', change: (s) => (s.deadline = 0), by: 'a login', meanwhile: login },
    { what: 'logout with keepData', change: end, by: 'another one', meanwhile: end, who: 'nobody' },
    { what: 'a change', change: work, by: 'actAs', meanwhile: act, who: 'bob' },
    { what: 'a change', change: work, by: 'stopActing', meanwhile: (s) => s.stopActing(), isActing: true },
  ])(
    'R5, L13: $what is dropped by $by, and the session shown again',
    async ({ change, meanwhile, isActing = false, who = 'ada' }) => {
      let token = await app.issued(null, (s) => (s.set('cart', ['pear']), s.login(ada)));
      if (isActing) token = await app.issued(token, act);
      app.clock.advance(1000);
      const shown: unknown[] = [];
      for await (const session of app.manager.directory.all()) {
        if (shown.push(session.id) > 1) continue;
        change(session);
        token = await app.issued(token, meanwhile);
      }
      const after = await app.manager.open(token);
      const data = [after.principal?.id ?? 'nobody', after.get('cart'), after.get('value')];
      const cart = who === 'bob' ? undefined : ['pear'];
      expect({ shown, data }).toEqual({ shown: [after.id, after.id], data: [who, cart, undefined] });
    },
  );
});
