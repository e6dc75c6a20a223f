import { boundLoginOf, type BoundLogin } from '../../lib/core/bound-login';
import { draftOf, type Session } from '../../lib/core/session';
import { core, MINUTE, type Core } from '../support/core';
import '../support/session-data';

const login = (session: Session): void => session.login({ id: 'ada' });

describe('a session that was bound to its login', () => {
  let app: Core;
  let token: string;
  let bound: BoundLogin;

  async function bind(logins: { locksWhenIdle?: boolean } = {}): Promise<void> {
    app = core({ logins });
    token = await app.issued(null, login);
    bound = boundLoginOf(draftOf(await app.manager.open(token)))!;
  }
  const reopened = async () => {
    const session = await app.manager.reopen(bound);
    return session.isNew ? null : (session.principal?.id ?? 'without a login');
  };

  it('S1: is opened with what other requests wrote since', async () => {
    await bind();
    await app.request(token, (session) => session.set('visits', 7));
    const session = await app.manager.reopen(bound);
    await app.manager.complete(session);
    expect({ user: session.principal?.id, visits: session.get('visits') }).toEqual({
      user: 'ada',
      visits: 7,
    });
  });

  it('S2: is the same one after a rotation', async () => {
    await bind();
    await app.issued(token, (session) => session.rotateToken());
    expect(await reopened()).toBe('ada');
  });

  it.each<{ what: string; end: () => unknown }>([
    { what: 'a logout', end: () => app.request(token, (s) => s.logout()) },
    {
      what: 'a logout that keeps the data',
      end: () => app.request(token, (s) => s.logout({ keepData: true })),
    },
    { what: 'another login of its principal', end: () => app.request(token, login) },
    { what: 'a login of another principal', end: () => app.request(token, (s) => s.login({ id: 'eve' })) },
    { what: 'an impersonation', end: () => app.request(token, (s) => s.actAs({ id: 'eve' })) },
    { what: 'an elevation', end: () => app.request(token, (s) => s.elevate({ level: 2 })) },
    { what: 'a renewal', end: () => app.request(token, (s) => s.renewToken()) },
    { what: 'a revocation', end: () => app.manager.endAll({ id: 'ada' }) },
    { what: 'its idle timeout', end: () => app.clock.advance(31 * MINUTE) },
  ])('S2: is not opened any more after $what', async ({ end }) => {
    await bind();
    app.clock.advance(1000);
    await end();
    expect(await reopened()).toBeNull();
  });

  describe.each([
    { when: 'in the same millisecond', by: 0 },
    { when: 'by a process whose clock is behind', by: -3000 },
  ])('after a visit and a login, when its secret is replaced $when', ({ by }) => {
    it.each<{ what: string; replace: (session: Session) => void }>([
      { what: 'another login of its principal', replace: login },
      { what: 'an elevation', replace: (s) => s.elevate({ level: 2 }) },
      { what: 'a renewal', replace: (s) => s.renewToken() },
    ])('S2: has ended with $what', async ({ replace }) => {
      app = core();
      const visit = await app.issued(null, (s) => s.set('visits', 1));
      token = await app.issued(visit, login);
      bound = boundLoginOf(draftOf(await app.manager.open(token)))!;
      const ended = new Promise((resolve) => app.manager.watchBound(bound, resolve));
      app.clock.advance(by);
      await app.request(token, replace);
      expect({ reopened: await reopened(), ended: await ended }).toEqual({
        reopened: null,
        ended: 'other-login',
      });
      app.manager.close();
    });
  });

  it('S2: is not opened any more after the idle timeout that locks it', async () => {
    await bind({ locksWhenIdle: true });
    app.clock.advance(31 * MINUTE);
    expect(await reopened()).toBeNull();
  });
});
