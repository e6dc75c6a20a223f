import type { SessionId } from 'nestjs-tessera';
import type { Delivery } from '../../lib/core/commit-outcome';
import { useGrant } from '../../lib/core/grants';
import { draftOf } from '../../lib/core/session';
import { takeOut } from '../../lib/core/taking';
import { core, HOUR, type Core } from '../support/core';
import '../support/session-data';

const ada = { id: 'ada', roles: ['member'] };
const GONE: Delivery = { reach: 'gone', capacity: Infinity };

describe('a commit whose client has gone', () => {
  let app: Core;
  let token: string;

  beforeEach(async () => {
    app = core();
    token = await app.issued(null, (session) => session.login(ada));
  });

  const principal = async () => (await app.manager.open(token)).principal?.id ?? null;

  it('R12: logs out although a login as another came before', async () => {
    const session = await app.manager.open(token);
    session.login({ id: 'bob' });
    session.logout();
    session.set('theme', 'dark');
    await app.manager.commit(session, GONE);
    expect(await principal()).toBeNull();
  });

  it('R12: logs out although a login as another comes after', async () => {
    const session = await app.manager.open(token);
    session.logout({ keepData: true });
    session.login({ id: 'bob' });
    await app.manager.commit(session, GONE);
    expect(await principal()).toBeNull();
  });

  it('R12: ends what an old secret may end although a login comes before the logout', async () => {
    const renewed = await app.issued(token, (session) => session.renewToken());
    await app.request(token, (session) => {
      session.login({ id: 'bob' });
      session.logout();
    });
    expect((await app.manager.open(renewed)).principal).toBeNull();
  });

  it('R17: saves the data of before a login as another, and nothing of after it', async () => {
    const session = await app.manager.open(token);
    session.set('visits', 2);
    session.login({ id: 'bob' });
    session.set('theme', 'dark');
    await app.manager.commit(session, GONE);
    expect((await app.manager.open(token)).entries()).toEqual([['visits', 2]]);
  });

  it.each<[string, Parameters<Core['request']>[1]]>([
    ['an elevation', (session) => session.elevate()],
    ['a login as another', (session) => session.login({ id: 'bob' })],
  ])('R17: leaves a request its old rights after %s', async (_what, work) => {
    await app.issued(token, (session) => session.elevate({ roles: ['admin'] }));
    const session = await app.manager.open(token);
    work!(session);
    await app.manager.commit(session, GONE);
    expect(session.principal?.roles).toEqual(['member']);
  });

  it('R17: gives the old token no rights when data cannot be saved without the login', async () => {
    const visitor = await app.issued(null, (session) => session.set('visits', 1));
    const session = await app.manager.open(visitor);
    session.login({ id: 'eve', roles: ['admin'] });
    session.update('visits', (visits = 0) => {
      if (session.principal === null) throw new Error('only for a login');
      return visits + 1;
    });
    const saving = new Error('only for a login');
    for (let attempt = 0; attempt < 2; attempt++) {
      const committing = app.manager.commit(session, GONE);
      await committing.catch((error: unknown) => expect(error).toEqual(saving));
    }
    await app.manager.commit(session).catch(() => undefined);
    expect((await app.manager.open(visitor)).principal).toBeNull();
  });

  it.each(['at once', 'after a failed write'])(
    'R17: saves the data and merges nothing of a principal whose login is not made, %s',
    async (when) => {
      const visitor = await app.issued(null, (session) => session.set('visits', 1));
      const session = await app.manager.open(visitor);
      session.set('theme', 'dark');
      session.login(ada);
      session.merge(token);
      if (when !== 'at once') {
        app.store.before = (operation) => {
          if (operation === 'update') throw new Error('down');
        };
        await expect(app.manager.commit(session)).rejects.toThrow();
        app.store.before = () => {};
      }
      await app.manager.commit(session, GONE);
      const found = await app.manager.open(visitor);
      expect({ data: found.entries(), principal: found.principal, other: await principal() }).toEqual({
        data: [
          ['theme', 'dark'],
          ['visits', 1],
        ],
        principal: null,
        other: 'ada',
      });
    },
  );

  it.each<[string, Parameters<Core['request']>[1]]>([
    ['a login', (session) => session.login({ id: 'bob' })],
    ['an impersonation', (session) => (session.login(ada), session.actAs({ id: 'bob' }))],
  ])('R17: saves nothing of after %s in the session of a visitor', async (_what, work) => {
    const visitor = await app.issued(null, (session) => session.set('visits', 1));
    await app.manager.open(visitor).then((session) => {
      session.set('visits', 2);
      work!(session);
      session.set('theme', 'dark');
      return app.manager.commit(session, GONE);
    });
    const found = await app.manager.open(visitor);
    expect({ data: found.entries(), principal: found.principal }).toEqual({
      data: [['visits', 2]],
      principal: null,
    });
  });

  it.each<[string, Parameters<Core['request']>[1]]>([
    ['actAs', (session) => session.actAs({ id: 'bob' })],
    ['stopActing', (session) => session.stopActing()],
  ])('R17, L13: saves nothing of after %s among the data of the other principal', async (what, work) => {
    const before = what === 'actAs' ? token : await app.issued(token, (own) => own.actAs({ id: 'bob' }));
    const session = await app.manager.open(before);
    work!(session);
    session.set('theme', 'dark');
    await app.manager.commit(session, GONE);
    expect((await app.manager.open(before)).has('theme')).toBe(false);
  });

  it.each<[string, Parameters<Core['request']>[1]]>([
    ['a renewal', (session) => session.renewToken()],
    ['an elevation', (session) => session.elevate({ roles: ['admin'] })],
    ['a login', (session) => session.login(ada)],
  ])('R17: does not make %s either that came before a login as another', async (_what, work) => {
    const session = await app.manager.open(token);
    work!(session);
    session.login({ id: 'bob' });
    const outcome = await app.manager.commit(session, GONE);
    const { principal: found } = await app.manager.open(token);
    expect({ outcome, roles: found?.roles }).toEqual({ outcome: { kind: 'keep' }, roles: ['member'] });
  });

  it('R17, L14: saves nothing of after the proof in a pending login', async () => {
    const pending = await app.issued(null, (session) => session.login(ada, { pending: true }));
    const session = await app.manager.open(pending);
    session.set('visits', 1);
    session.elevate();
    session.set('theme', 'dark');
    session.grant('transfer:42');
    await app.manager.commit(session, GONE);
    const found = await app.manager.open(pending);
    const granted = await takeOut(
      draftOf(found),
      (draft) => useGrant(draft, 'transfer:42'),
      () => app.manager.commit(found),
    );
    expect({ pending: found.pending?.id, data: found.entries(), granted }).toEqual({
      pending: 'ada',
      data: [['visits', 1]],
      granted: null,
    });
  });

  it.each<[string, Parameters<Core['request']>[1]]>([
    ['rememberMe', (session) => session.rememberMe()],
    ['another idle timeout', (session) => void (session.idleTimeout = null)],
  ])('R17: leaves a login locked after a proof and %s', async (_what, work) => {
    app = core({ logins: { locksWhenIdle: true } });
    token = await app.issued(null, (session) => session.login(ada));
    app.clock.advance(HOUR);
    const session = await app.manager.open(token);
    session.elevate();
    work!(session);
    await app.manager.commit(session, GONE);
    const { locked, principal: found } = await app.manager.open(token);
    expect({ locked: locked?.id, principal: found }).toEqual({ locked: 'ada', principal: null });
  });

  it('R14: removes a first login whose insert was given up', async () => {
    const session = await app.manager.open(token);
    session.login({ id: 'bob' });
    const inserted: string[] = [];
    app.store.before = (operation, id) => void (operation === 'insert' && inserted.push(id));
    app.store.after = (operation) => {
      if (operation === 'insert' || operation === 'find') throw new Error('the connection was lost');
    };
    await expect(app.manager.commit(session)).rejects.toMatchObject({ code: 'SESSION_STORE_UNAVAILABLE' });
    app.store.after = () => {};
    await app.manager.commit(session, GONE);
    const call = { signal: new AbortController().signal };
    expect(await app.store.inner.find(inserted[0] as SessionId, call)).toBeNull();
  });
});
