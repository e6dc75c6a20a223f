import { core, HOUR, MINUTE, type Core } from '../support/core';
import '../support/session-data';
import { draftOf, type Session } from '../../lib/core/session';

const ada = { id: 7, roles: ['member'] };

describe('a session that forgets what a request recorded', () => {
  let app: Core;
  let token: string;
  beforeEach(async () => {
    app = core();
    token = await app.issued(null, (session) => {
      session.set('cart', ['pear']);
      session.flash('notice', 'welcome');
      session.login(ada);
    });
    app.store.take();
    app.told();
  });

  const look = ({ principal, status, id, isNew, deadline }: Session, keys: string[]) => ({
    ...{ who: principal?.id ?? null, status, id, isNew, deadline, keys },
  });
  const seen = async () => {
    const session = await app.manager.open(token);
    return { ...look(session, session.keys()), cart: session.get('cart'), messages: session.messages() };
  };

  it.each<[string, (session: Session) => unknown]>([
    ['data', (s) => s.set('visits', 1).delete('cart')],
    ['an object changed in place', (s) => s.get('cart')!.push('fig')],
    ['a message that was read', (s) => s.messages()],
    ['a logout', (s) => s.logout()],
    ['a logout that keeps the data', (s) => s.logout({ keepData: true })],
    ['an end', (s) => s.destroy()],
    ['a login as another', (s) => s.login({ id: 8 }, { keepData: false })],
    ['other rights', (s) => s.elevate({ roles: ['admin'] })],
    ['a new token', (s) => s.renewToken()],
    ['a deadline', (s) => (s.deadline = 0)],
    ['a merge', (s) => s.merge(`${'A'.repeat(22)}.${'B'.repeat(43)}`)],
    ['everything', (s) => (s.logout(), s.set('visits', 1), s.login({ id: 8 }), s.destroy())],
  ])('W27: %s', async (_what, work) => {
    const before = await seen();
    const session = await app.manager.open(token);
    work(session);
    session.rollback();
    expect(look(session, session.keys())).toEqual(look(await app.manager.open(token), ['cart']));
    expect(await app.manager.commit(session)).toEqual({ kind: 'keep' });
    expect({ seen: await seen(), told: app.told() }).toEqual({ seen: before, told: [] });
    expect(app.store.take().filter((call) => call !== 'find')).toEqual([]);
  });

  it('W27: of a visitor who left nothing before', async () => {
    const session = await app.manager.open(null);
    session.login(ada);
    session.set('visits', 1);
    session.rollback();
    expect({ keys: session.keys(), who: session.principal, isNew: session.isNew }).toEqual({
      keys: [],
      who: null,
      isNew: true,
    });
    expect(await app.manager.commit(session)).toEqual({ kind: 'keep' });
    expect({ calls: app.store.take(), told: app.told() }).toEqual({ calls: [], told: [] });
  });

  it('W27: keeps what an earlier commit of the request has written, and takes new changes', async () => {
    const session = await app.manager.open(token);
    session.set('visits', 1);
    await app.manager.commit(session);
    session.set('visits', 2);
    session.logout();
    session.rollback();
    session.update('visits', (n = 0) => n + 10);
    await app.manager.commit(session);
    const next = await app.manager.open(token);
    expect({ visits: next.get('visits'), who: next.principal?.id }).toEqual({ visits: 11, who: '7' });
  });

  it('W27: keeps the outcome of an earlier login of the request', async () => {
    const session = await app.manager.open(token);
    session.login({ id: 8 });
    const outcome = await app.manager.commit(session);
    session.destroy();
    session.rollback();
    expect(await app.manager.commit(session)).toEqual({ kind: 'keep' });
    const next = await app.manager.open(outcome.kind === 'issue' ? outcome.token : null);
    expect(next.principal?.id).toBe('8');
  });

  it('W27: does not revive a session that another request ended', async () => {
    const session = await app.manager.open(token);
    session.set('visits', 1);
    await app.request(token, (other) => other.logout());
    session.rollback();
    session.set('visits', 2);
    await app.manager.commit(session);
    expect((await app.manager.open(token)).isNew).toBe(true);
  });

  it.each<[string, (session: Session) => void, string]>([
    ['logout', (s) => s.logout(), 'unchanged'],
    ['end', (s) => s.destroy(), 'destroyed'],
  ])('W27: does not take a %s back that a commit has made', async (_what, work, status) => {
    const session = await app.manager.open(token);
    work(session);
    expect(await app.manager.commit(session)).toEqual({ kind: 'forget' });
    session.rollback();
    expect({ who: session.principal, keys: session.keys(), status: session.status }).toEqual({
      who: null,
      keys: [],
      status,
    });
  });

  it('W27: ends no session after a commit that failed, whose data was to be merged', async () => {
    const other = await app.issued(null, (session) => session.set('visits', 1));
    app.told();
    const session = await app.manager.open(token);
    session.login({ id: 8 });
    session.merge(other);
    app.store.before = (operation) => {
      if (operation === 'insert') throw new Error('out of order');
    };
    await expect(app.manager.commit(session)).rejects.toMatchObject({ code: 'SESSION_STORE_UNAVAILABLE' });
    app.store.before = () => {};
    session.rollback();
    const outcome = await app.manager.commit(session);
    const visits = (await app.manager.open(other)).get('visits');
    expect({ outcome, visits, told: app.told() }).toEqual({
      outcome: { kind: 'forget' },
      visits: 1,
      told: ['storeFailed', 'destroyed'],
    });
  });

  it('W27: does not return to a session that a commit has ended before it failed', async () => {
    const session = await app.manager.open(token);
    session.login({ id: 8 });
    app.store.before = (operation) => {
      if (operation === 'insert') throw new Error('out of order');
    };
    await expect(app.manager.commit(session)).rejects.toMatchObject({ code: 'SESSION_STORE_UNAVAILABLE' });
    app.store.before = () => {};
    session.rollback();
    expect({ who: session.principal, isNew: session.isNew }).toEqual({ who: null, isNew: true });
    await app.manager.commit(session);
    expect(app.told()).toContain('destroyed');
  });

  it('W27: tells the client its new token when the rest of the commit has failed', async () => {
    const visitor = await app.issued(null, (s) => s.set('visits', 1));
    const other = await app.issued(null, (s) => s.set('theme', 'dark'));
    const session = await app.manager.open(visitor);
    session.login(ada);
    session.merge(other);
    const [otherId] = other.split('.');
    app.store.before = (operation, id) => {
      if (operation !== 'find' && id === otherId) throw new Error('out of order');
    };
    await expect(app.manager.commit(session)).rejects.toMatchObject({ code: 'SESSION_STORE_UNAVAILABLE' });
    app.store.before = () => {};
    session.rollback();
    const outcome = await app.manager.commit(session);
    const next = await app.manager.open(outcome.kind === 'issue' ? outcome.token : null);
    expect({ who: next.principal?.id, theme: next.get('theme') }).toEqual({ who: '7', theme: 'dark' });
    expect((await app.manager.open(other)).isNew).toBe(true);
  });

  it('W13, W27: keeps the idle time of a session that was only extended', async () => {
    for (const _ of [20, 40, 60]) {
      app.clock.advance(20 * MINUTE);
      await app.request(token);
    }
    const session = await app.manager.open(token);
    draftOf(session).touches = false;
    session.set('visits', 1);
    session.rollback();
    session.set('visits', 2);
    await app.manager.commit(session);
    app.clock.advance(25 * MINUTE);
    expect((await app.manager.open(token)).get('visits')).toBe(2);
  });

  it.each<[string, (s: Session) => void, (s: Session) => void]>([
    ['a login', (s) => s.set('visits', 1), (s) => s.login(ada)],
    ['the proof of a pending one', (s) => s.login(ada, { pending: true }), (s) => s.elevate()],
  ])(
    'W13: %s keeps its idle time through a later write of a request that is no use',
    async (_, begin, prove) => {
      app = core({ logins: { pendingLifetime: HOUR } });
      const before = await app.issued(null, begin);
      app.clock.advance(24 * MINUTE);
      const session = await app.manager.open(before);
      draftOf(session).touches = false;
      prove(session);
      const outcome = await app.manager.commit(session);
      session.set('visits', 2);
      await app.manager.commit(session);
      app.clock.advance(25 * MINUTE);
      const next = await app.manager.open(outcome.kind === 'issue' ? outcome.token : null);
      expect(next.principal?.id).toBe('7');
    },
  );

  it('W27: is refused while a commit is under way, and possible after it has failed', async () => {
    const session = await app.manager.open(token);
    session.login({ id: 8 });
    app.store.before = () => {
      throw new Error('out of order');
    };
    const committing = app.manager.commit(session);
    expect(() => session.rollback()).toThrow(expect.objectContaining({ code: 'SESSION_CONFLICT' }));
    await expect(committing).rejects.toMatchObject({ code: 'SESSION_STORE_UNAVAILABLE' });
    app.store.before = () => {};
    session.rollback();
    expect(await app.manager.commit(session)).toEqual({ kind: 'keep' });
    expect((await app.manager.open(token)).principal?.id).toBe('7');
  });

  it('W27: is refused after the first byte', async () => {
    const session = await app.manager.open(token);
    draftOf(session).sealed = true;
    expect(() => session.rollback()).toThrow(expect.objectContaining({ code: 'SESSION_RESPONSE_STARTED' }));
  });
});

describe('a constant', () => {
  const app = core();
  const tenantOf = async (token: string): Promise<unknown> =>
    (await app.manager.open(token)).constant('tenant') ?? null;

  it('W44: of a visitor is set once, and stays through a login', async () => {
    const token = await app.issued(null, (s) => s.setConstant('tenant', 'acme'));
    const session = await app.manager.open(token);
    expect(() => session.setConstant('tenant', 'other')).toThrow(
      expect.objectContaining({ code: 'SESSION_CONSTANT_FIXED' }),
    );
    session.setConstant('tenant', 'acme');
    expect(session.status).toBe('unchanged');
    expect(() => session.login(ada, { constants: { tenant: 'other' } })).toThrow(
      /another value in this session/,
    );
    const loggedIn = await app.issued(token, (s) => s.login(ada));
    expect(await tenantOf(loggedIn)).toBe('acme');
    const loggedOut = await app.issued(loggedIn, (s) => s.logout({ keepData: true }));
    expect(await tenantOf(loggedOut)).toBeNull();
  });

  it('W44: is a copy, in both directions', async () => {
    const limits = { uploads: 3 };
    const token = await app.issued(null, (s) => s.setConstant('limits', limits));
    limits.uploads = 4;
    const session = await app.manager.open(token);
    session.constant('limits')!.uploads = 5;
    expect(session.constant('limits')).toEqual({ uploads: 3 });
  });

  it.each<[string, (session: Session) => unknown]>([
    ['sets it too', (s) => s.setConstant('tenant', 'other')],
    ['logs in with it', (s) => s.login(ada, { constants: { tenant: 'other' } })],
  ])('W44: of two requests at once the second fails that %s', async (_what, work) => {
    const token = await app.issued(null, (s) => s.set('visits', 1));
    const [first, second] = [await app.manager.open(token), await app.manager.open(token)];
    first.setConstant('tenant', 'acme');
    work(second);
    await app.manager.commit(first);
    await expect(app.manager.commit(second)).rejects.toMatchObject({ code: 'SESSION_CONSTANT_FIXED' });
    expect(await tenantOf(token)).toBe('acme');
  });

  it('W44: that cannot be stored is refused', async () => {
    const session = await app.manager.open(null);
    expect(() => session.setConstant('tenant', Symbol('acme') as never)).toThrow(
      expect.objectContaining({ code: 'SESSION_VALUE_UNSUPPORTED' }),
    );
  });
});

it('W27: has its idle timeout begin anew, as by any other use', async () => {
  const app = core();
  const token = await app.issued(null, (s) => s.set('visits', 1));
  app.clock.advance(20 * MINUTE);
  await app.request(token, (s) => s.set('visits', 2).rollback());
  app.clock.advance(20 * MINUTE);
  expect((await app.manager.open(token)).get('visits')).toBe(1);
});
