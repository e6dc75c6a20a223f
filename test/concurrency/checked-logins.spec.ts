import { MemorySessionStore } from 'nestjs-tessera';
import { fromKeyv } from 'nestjs-tessera/bridges';
import { Keyv } from 'keyv';
import { core, type Core } from '../support/core';
import '../support/session-data';
import { GONE, ending, revokedIn } from './endings';

const ada = { id: 'ada' };

let app: Core;

beforeEach(() => (app = core()));

const revoked = (principal: { id: string }) => revokedIn(app, principal);

describe('the check of a login', () => {
  it('W18: covers a login that was recorded while a commit was under way', async () => {
    const token = await app.issued(null, (session) => session.set('visits', 1));
    const checkedAt = await revoked(ada);
    const elsewhere = core({ store: app.store.inner });
    const session = await app.manager.open(token);
    session.set('visits', 2);
    app.store.before = async (operation) => {
      if (operation !== 'update') return;
      app.store.before = () => {};
      await elsewhere.request(token, (other) => other.set('cart', []));
      session.login(ada, { checkedAt });
    };
    expect(await ending(app.manager.commit(session))).toBe('SESSION_LOGIN_OUTDATED');
  });

  it('W18: counts the earliest of several in one request', async () => {
    const checkedAt = await revoked(ada);
    const session = await app.manager.open(null);
    session.login(ada, { checkedAt });
    session.login({ ...ada, roles: ['editor'] });
    expect(await ending(app.manager.commit(session))).toBe('SESSION_LOGIN_OUTDATED');
  });

  it('R17, W18: is not made for a login that is dropped since its client has left', async () => {
    const token = await app.issued(null, (session) => session.set('visits', 1));
    const checkedAt = await revoked(ada);
    const session = await app.manager.open(token);
    session.set('visits', 2);
    session.login(ada, { checkedAt });
    app.store.take();
    const outcome = await ending(app.manager.commit(session, GONE));
    expect({ outcome, calls: app.store.take() }).toEqual({ outcome: 'keep', calls: ['update'] });
    expect((await app.manager.open(token)).get('visits')).toBe(2);
  });

  it('W18: takes a time ahead of our clock for the present', async () => {
    const session = await app.manager.open(null);
    session.login(ada, { checkedAt: app.clock() + 30_000 });
    app.clock.advance(5000);
    await app.manager.endAll(ada);
    expect(await ending(app.manager.commit(session))).toBe('SESSION_LOGIN_OUTDATED');
  });

  it('W18: covers every instance that uses the store', async () => {
    const admin = core({ store: app.store.inner, name: 'admin' });
    const checkedAt = await revoked(ada);
    const session = await admin.manager.open(null);
    session.login(ada, { checkedAt });
    expect(await ending(admin.manager.commit(session))).toBe('SESSION_LOGIN_OUTDATED');
  });

  it('W18: knows of a revocation although the memory store is full of users', async () => {
    const users = [0, 1, 2, 3].map((index) => ({ id: `user${index}` }));
    app = core({ store: new MemorySessionStore({ maxSessions: users.length }) });
    for (const user of users) await app.issued(null, (session) => session.login(user));
    const checkedAt = await revoked(users[0]!);
    for (const user of users) await app.issued(null, (session) => session.login(user));
    const session = await app.manager.open(null);
    session.login(users[0]!, { checkedAt });
    expect(await ending(app.manager.commit(session))).toBe('SESSION_LOGIN_OUTDATED');
  });

  it('W18: is not changed by an endAll that the store cannot do', async () => {
    app = core({ store: fromKeyv(new Keyv()) });
    const checkedAt = app.clock();
    await app.manager.endAll(ada).catch(() => {});
    const session = await app.manager.open(null);
    session.login(ada, { checkedAt });
    expect(await ending(app.manager.commit(session))).toBe('issue');
  });
});
