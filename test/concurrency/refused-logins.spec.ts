import { core, type Core } from '../support/core';
import '../support/session-data';
import { down, ending, revokedIn } from './endings';

const ada = { id: 'ada' };
const bob = { id: 'bob' };

let app: Core;

beforeEach(() => (app = core()));

const principalOf = async (token: string) => (await app.manager.open(token)).principal?.id ?? null;

const revoked = (principal: { id: string }) => revokedIn(app, principal);

describe('a request whose login is refused', () => {
  it('W18: has logged out all the same', async () => {
    const token = await app.issued(null, (session) => session.login(ada));
    const checkedAt = await revoked(bob);
    app.told();
    const session = await app.manager.open(token);
    session.logout({ keepData: true });
    session.login(bob, { checkedAt });
    const first = await ending(app.manager.commit(session));
    const inRequest = session.principal;
    const second = await ending(app.manager.commit(session));
    const events = app.told();
    expect({ first, inRequest, second, events, stored: await principalOf(token) }).toEqual({
      first: 'SESSION_LOGIN_OUTDATED',
      inRequest: null,
      second: 'issue',
      events: ['rejected', 'renewed', 'loggedOut'],
      stored: null,
    });
  });

  it('W18: keeps what was set before the login, and nothing that was set after it', async () => {
    const checkedAt = await revoked(ada);
    const session = await app.manager.open(null);
    session.set('visits', 1);
    session.login(ada, { checkedAt });
    session.set('cart', ['for ada']);
    expect(await ending(app.manager.commit(session))).toBe('SESSION_LOGIN_OUTDATED');
    expect({ visits: session.get('visits'), keys: session.keys() }).toEqual({ visits: 1, keys: ['visits'] });
  });

  it('W18: keeps what was changed in place before the login', async () => {
    const token = await app.issued(null, (session) => session.set('cart', ['pear']));
    const checkedAt = await revoked(ada);
    const session = await app.manager.open(token);
    session.get('cart')!.push('apple');
    session.login(ada, { checkedAt });
    await ending(app.manager.commit(session));
    await app.manager.commit(session);
    expect((await app.manager.open(token)).get('cart')).toEqual(['pear', 'apple']);
  });

  it('W18: tells what happened before that login, when it had logged in others', async () => {
    const token = await app.issued(null, (session) => session.login(ada));
    const checkedAt = await revoked(bob);
    app.told();
    const session = await app.manager.open(token);
    session.logout({ keepData: true });
    session.login({ id: 'eve' });
    session.login(bob, { checkedAt });
    await ending(app.manager.commit(session));
    const second = await app.manager.commit(session);
    const events = app.told();
    const whoIs = second.kind === 'issue' ? await principalOf(second.token) : null;
    expect({ whoIs, events }).toEqual({
      whoIs: 'eve',
      events: ['rejected', 'renewed', 'loggedOut', 'loggedIn'],
    });
  });

  it('W18: has ended the session that an earlier login of it had left, once it logged out', async () => {
    const token = await app.issued(null, (session) => session.login(ada));
    const checkedAt = await revoked({ id: 'eve' });
    const session = await app.manager.open(token);
    session.login(bob);
    session.logout({ keepData: true });
    session.login({ id: 'eve' }, { checkedAt });
    await ending(app.manager.commit(session));
    await app.manager.commit(session);
    expect({ shown: session.principal, stored: await principalOf(token) }).toEqual({
      shown: null,
      stored: null,
    });
  });

  it('W18: ends a session whose data it has written', async () => {
    const own = await app.issued(null, (session) => session.set('visits', 1));
    const other = await app.issued(null, (session) => session.set('cart', ['pear']));
    const checkedAt = await revoked(ada);
    const session = await app.manager.open(own);
    session.merge(other);
    let updates = 0;
    app.store.before = (operation) => void (operation === 'update' && ++updates === 2 && down());
    const first = await ending(app.manager.commit(session));
    app.store.before = () => {};
    session.login(ada, { checkedAt });
    const second = await ending(app.manager.commit(session));
    await app.manager.commit(session);
    const [kept, ended] = [await app.manager.open(own), await app.manager.open(other)];
    expect({ first, second, cart: kept.get('cart'), isEnded: ended.isNew }).toEqual({
      first: 'SESSION_STORE_UNAVAILABLE',
      second: 'SESSION_LOGIN_OUTDATED',
      cart: ['pear'],
      isEnded: true,
    });
  });

  it('W18: keeps its new token', async () => {
    const token = await app.issued(null, (session) => session.set('visits', 1));
    const checkedAt = await revoked(ada);
    const session = await app.manager.open(token);
    session.renewToken();
    session.login(ada, { checkedAt });
    await ending(app.manager.commit(session));
    expect(await ending(app.manager.commit(session))).toBe('issue');
  });

  it('W18: begins no session in the place of a newer one', async () => {
    const visitor = await app.issued(null, (session) => session.set('visits', 1));
    const checkedAt = await revoked(ada);
    await app.issued(visitor, (session) => session.login(bob));
    const session = await app.manager.open(visitor);
    session.login(ada, { checkedAt });
    await ending(app.manager.commit(session));
    session.flash('notice', 'Log in again');
    expect(await ending(app.manager.commit(session))).toBe('keep');
  });

  it('W18: begins none either when it had lost its session before', async () => {
    const visitor = await app.issued(null, (session) => session.set('visits', 1));
    const session = await app.manager.open(visitor);
    session.set('visits', 2);
    session.login(ada, { checkedAt: app.clock() });
    await app.issued(visitor, (other) => other.login(bob));
    app.store.before = (operation) => void (operation === 'insert' && down());
    await ending(app.manager.commit(session));
    app.store.before = () => {};
    await revoked(ada);
    const commits = [await ending(app.manager.commit(session)), await ending(app.manager.commit(session))];
    expect(commits).toEqual(['SESSION_LOGIN_OUTDATED', 'keep']);
  });

  it('W18: begins none either when an earlier commit had nothing left to write', async () => {
    const visitor = await app.issued(null, (session) => session.set('visits', 1));
    const checkedAt = await revoked(ada);
    const session = await app.manager.open(visitor);
    session.set('visits', 2);
    await app.issued(visitor, (other) => other.login(bob));
    const first = await ending(app.manager.commit(session));
    session.login(ada, { checkedAt });
    const second = await ending(app.manager.commit(session));
    session.flash('notice', 'Log in again');
    const third = await ending(app.manager.commit(session));
    expect({ first, second, third }).toEqual({
      first: 'keep',
      second: 'SESSION_LOGIN_OUTDATED',
      third: 'keep',
    });
  });

  it('W18: is not told of an earlier login that is outdated too', async () => {
    const guest = await app.issued(null, (session) => session.set('visits', 1));
    const bobsCheck = await revoked(bob);
    const session = await app.manager.open(null);
    const elsewhere = core({ store: app.store.inner });
    elsewhere.clock.set(app.clock() + 5);
    app.store.before = async (operation) => {
      if (operation === 'insert') await elsewhere.manager.endAll(ada);
      if (operation === 'update') down();
    };
    session.login(ada, { checkedAt: app.clock() });
    session.merge(guest);
    const first = await ending(app.manager.commit(session));
    app.store.before = () => {};
    session.login(bob, { checkedAt: bobsCheck });
    const second = await ending(app.manager.commit(session));
    const third = await ending(app.manager.commit(session));
    expect({ first, second, third }).toEqual({
      first: 'SESSION_STORE_UNAVAILABLE',
      second: 'SESSION_LOGIN_OUTDATED',
      third: 'SESSION_LOGIN_OUTDATED',
    });
  });

  it('W18: does not show a session that its first commit has ended', async () => {
    const token = await app.issued(null, (session) => session.login(ada));
    const session = await app.manager.open(token);
    session.login(bob, { checkedAt: app.clock() });
    app.store.before = (operation) => void (operation === 'insert' && down());
    await ending(app.manager.commit(session));
    app.store.before = () => {};
    await revoked(bob);
    const second = await ending(app.manager.commit(session));
    expect({ second, shown: session.principal, isNew: session.isNew }).toEqual({
      second: 'SESSION_LOGIN_OUTDATED',
      shown: null,
      isNew: true,
    });
  });

  it('W18: is not told the token of a write that arrives late', async () => {
    const token = await app.issued(null, (session) => session.set('visits', 1));
    const session = await app.manager.open(token);
    session.login(ada, { checkedAt: app.clock() });
    const { inner } = app.store;
    const update = app.store.update.bind(app.store);
    let arrive!: () => Promise<boolean>;
    app.store.update = (...given) => {
      arrive = () => inner.update(...given);
      return down();
    };
    const first = await ending(app.manager.commit(session));
    app.store.update = update;
    await revoked(ada);
    await arrive();
    const second = await ending(app.manager.commit(session));
    session.set('visits', 2);
    const third = await ending(app.manager.commit(session));
    const left = await inner.find(session.id, { signal: AbortSignal.timeout(5000) });
    expect({ first, second, third, left }).toEqual({
      first: 'SESSION_STORE_UNAVAILABLE',
      second: 'SESSION_LOGIN_OUTDATED',
      third: 'keep',
      left: null,
    });
  });
});
