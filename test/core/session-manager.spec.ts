import fc from 'fast-check';
import { MemorySessionStore, type SessionId } from 'nestjs-tessera';
import { core, DAY, HOUR, MINUTE, type Core } from '../support/core';
import { door } from '../support/watched-store';
import '../support/session-data';
import { jsonCodec } from '../../lib/core/session-codec';
import type { SessionRecord } from '../../lib/core/session-record';
import { newSessionId, newToken, parseToken } from '../../lib/core/session-token';
import { aRecord } from '../../lib/testing/store-suite/records';

const ada = { id: 7, roles: ['member'] };
const call = { signal: new AbortController().signal };
const KEEP = { kind: 'keep' };
const FORGET = { kind: 'forget' };
const idOf = (token: string): SessionId => token.split('.')[0] as SessionId;

/** Shows expired records, as the contract allows, and writes to none: a replica that lags behind, or an `expires_at > now` in the UPDATE. */
class ShowingStore extends MemorySessionStore {
  override async update(_record: SessionRecord): Promise<boolean> {
    return false;
  }
}

describe('a record of the store', () => {
  it('W45: is read with its data, principal, constants and instants, and not changed', async () => {
    const app = core();
    const began = app.clock();
    await app.issued(null, (session) => {
      session.set('cart', ['pear']);
      session.login(ada, { constants: { tenant: 'acme' } });
    });
    app.clock.advance(MINUTE);
    app.store.take();
    const [record] = await (app.store.inner as MemorySessionStore).findByPrincipal('default:7');
    expect(app.manager.read(record!)).toEqual({
      id: record!.id,
      principal: { id: '7', realm: 'default', roles: ['member'] },
      actor: null,
      isPending: false,
      isLocked: false,
      data: { cart: ['pear'] },
      constants: { tenant: 'acme' },
      createdAt: began,
      authenticatedAt: began,
      lastSeenAt: began,
      expiresAt: began + 30 * MINUTE,
      deadline: began + DAY,
      remembered: false,
    });
    expect(app.store.take()).toEqual([]);
  });

  it.each<[string, Parameters<Core['issued']>[1]]>([
    ['isPending', (session) => session.login(ada, { pending: true })],
    ['isLocked', (session) => session.login(ada)],
    ['actor', (session) => (session.login({ id: 8 }), session.actAs(ada))],
  ])('L14, W45: is no plain login when it has %s', async (what, work) => {
    const app = core({ logins: { locksWhenIdle: true } });
    const token = await app.issued(null, work);
    if (what === 'isLocked') app.clock.advance(HOUR);
    const record = await app.store.inner.find(idOf(token), call);
    const { principal, actor, isPending, isLocked } = app.manager.read(record!);
    expect({ principal: principal?.id, actor: actor?.id ?? null, isPending, isLocked }).toEqual({
      principal: '7',
      actor: what === 'actor' ? '8' : null,
      isPending: what === 'isPending',
      isLocked: what === 'isLocked',
    });
  });

  it('W45: that is corrupt is an error', () => {
    const record = { ...aRecord(), body: '1\n[]\n' };
    expect(() => core().manager.read(record)).toThrow(
      expect.objectContaining({ code: 'SESSION_RECORD_UNREADABLE' }),
    );
  });
});

describe('a commit', () => {
  let app: Core;
  beforeEach(() => (app = core()));

  /** A session in the store, with the calls and events of its making forgotten. */
  const stored = async (work: Parameters<Core['issued']>[1] = (s) => s.set('visits', 1)): Promise<string> => {
    const token = await app.issued(null, work);
    app.store.take();
    app.told();
    return token;
  };
  const find = (token: string): Promise<SessionRecord | null> => app.store.inner.find(idOf(token), call);
  const read = async (token: string): Promise<Record<string, unknown>> =>
    Object.fromEntries((await app.manager.open(token)).entries());

  describe('decides', () => {
    it('to say and do nothing for a visitor who leaves nothing', async () => {
      expect(await app.request(null, (s) => s.get('cart'))).toEqual(KEEP);
      expect(app.store.take()).toEqual([]);
    });

    it('to issue a token with the first write, for as long as the browser runs', async () => {
      const decision = await app.request(null, (s) => s.set('visits', 1));
      expect(decision).toEqual({
        kind: 'issue',
        token: expect.stringMatching(/^[\w-]{22}\.[\w-]{43}$/),
        keepUntil: null,
      });
      expect(app.store.take()).toEqual(['insert']);
      expect(app.told()).toEqual(['created']);
    });

    it('to keep the token with further writes', async () => {
      const token = await stored();
      expect(await app.request(token, (s) => s.set('visits', 2))).toEqual(KEEP);
      expect(app.store.take()).toEqual(['find', 'update']);
      expect(app.told()).toEqual([]);
    });

    it('to write nothing when nothing changed', async () => {
      const token = await stored();
      expect(await app.request(token, (s) => s.set('visits', 1))).toEqual(KEEP);
      expect(app.store.take()).toEqual(['find']);
    });

    it('L1: to issue another token at login, and until when it may be kept', async () => {
      const token = await stored();
      const decision = await app.request(token, (s) => s.login(ada, { rememberMe: true }));
      expect(decision).toEqual({
        kind: 'issue',
        token: expect.any(String),
        keepUntil: app.clock() + 30 * DAY,
      });
      expect(app.store.take()).toEqual(['find', 'update']);
      expect(app.told()).toEqual(['renewed', 'loggedIn']);
    });

    it('to tell the client again when its cookie should live longer', async () => {
      const token = await stored((s) => s.login(ada, { rememberMe: true }));
      const deadline = app.clock() + HOUR;
      expect(await app.request(token, (s) => (s.deadline = deadline))).toEqual({
        kind: 'issue',
        token,
        keepUntil: deadline,
      });
    });

    it('to forget the token when the session is destroyed, once', async () => {
      const token = await stored((s) => s.login(ada));
      const session = await app.manager.open(token);
      session.destroy();
      expect(app.manager.settled(session)).toBeNull();
      expect(await app.manager.commit(session)).toEqual(FORGET);
      expect(app.store.take()).toEqual(['find', 'delete']);
      expect(await app.manager.commit(session)).toEqual(FORGET);
      expect(app.store.take()).toEqual([]);
      expect(app.events).toEqual([
        { type: 'destroyed', id: idOf(token), principal: 'default:7', reason: 'destroy' },
      ]);
    });

    it.each<[string, Parameters<Core['issued']>[1]]>([
      ['is destroyed', (s) => s.destroy()],
      ['is left alone', () => {}],
      ['is logged out', (s) => s.logout()],
    ])('to do nothing for a visitor who %s', async (_what, work) => {
      expect(await app.request(null, work)).toEqual(KEEP);
      expect({ calls: app.store.take(), told: app.told() }).toEqual({ calls: [], told: [] });
    });

    it('L5: to begin anew for what is set after a logout', async () => {
      const token = await stored((s) => s.login(ada));
      const farewell = await app.issued(token, (s) => {
        s.logout();
        s.flash('notice', 'goodbye');
      });
      expect(idOf(farewell)).not.toBe(idOf(token));
      expect(app.store.take()).toEqual(['find', 'delete', 'insert']);
      expect((await app.manager.open(farewell)).messages('notice')).toEqual(['goodbye']);
      expect((await app.manager.open(token)).isNew).toBe(true);
    });

    it('T5: to leave an unknown token alone, and never to adopt its id', async () => {
      const { token } = newToken(newSessionId(), 'default');
      expect(await app.request(token)).toEqual(KEEP);
      expect(app.store.take()).toEqual(['find']);
      const issued = await app.issued(token, (s) => s.set('visits', 1));
      expect(idOf(issued)).not.toBe(idOf(token));
      expect(app.told()).toEqual(['rejected', 'rejected', 'created']);
    });

    it('not to touch a session whose secret is another', async () => {
      const token = await stored();
      const forged = `${idOf(token)}.${'A'.repeat(43)}`;
      expect(await app.request(forged, (s) => expect(s.isNew).toBe(true))).toEqual(KEEP);
      expect(app.store.take()).toEqual(['find']);
      expect(app.events).toEqual([{ type: 'rejected', id: idOf(token), reason: 'stale-token' }]);
      // C13: answered like a token whose session is gone.
      expect(idOf(await app.issued(forged, (s) => s.set('visits', 9)))).not.toBe(idOf(token));
      expect(await read(token)).toEqual({ visits: 1 });
    });

    it('T8: not to open a session with the token of another instance, though they share a store', async () => {
      const token = await stored();
      const admin = core({ name: 'admin', store: app.store.inner });
      expect((await admin.manager.open(token)).isNew).toBe(true);
      expect(admin.events).toEqual([{ type: 'rejected', id: idOf(token), reason: 'stale-token' }]);
    });

    it('T4: to ask no store about rubbish', async () => {
      const rubbish = ['', 'x', '../../etc/passwd', '\0', '*', '{}', 'é', 'a'.repeat(10_000), '\n'];
      const decisions = await Promise.all(
        rubbish.map(async (token) => [token, await app.request(token)] as const),
      );
      expect(new Map(decisions)).toEqual(new Map(rubbish.map((token) => [token, KEEP])));
      expect({ calls: app.store.take(), events: app.events }).toEqual({ calls: [], events: [] });
    });
  });

  it('does nothing the second time, and what came in between the third', async () => {
    const session = await app.manager.open(null);
    session.set('visits', 1);
    expect((await app.manager.commit(session)).kind).toBe('issue');
    expect({ isNew: session.isNew, status: session.status }).toEqual({ isNew: false, status: 'unchanged' });
    expect(await app.manager.commit(session)).toEqual(KEEP);
    session.set('visits', 2);
    expect(await app.manager.commit(session)).toEqual(KEEP);
    expect(app.store.take()).toEqual(['insert', 'update']);
  });

  it('leaves for the next one what is recorded while the store works', async () => {
    const token = await stored();
    const session = await app.manager.open(token);
    session.set('visits', 2);
    app.store.before = (operation) => {
      if (operation === 'update' && session.get('visits') === 2) session.set('visits', 3);
    };
    await app.manager.commit(session);
    expect(session.status).toBe('changed');
    expect(await read(token)).toEqual({ visits: 2 });
    await app.manager.commit(session);
    expect(await read(token)).toEqual({ visits: 3 });
  });

  describe('that comes second', () => {
    /** Somebody else's request, committed just before this request's first write. */
    const interrupt = (token: string, work: Parameters<Core['request']>[1]): void => {
      app.store.before = async (operation) => {
        if (operation !== 'update') return;
        app.store.before = () => {};
        const other = core({ store: app.store.inner });
        other.clock.set(app.clock());
        await other.request(token, work);
      };
    };

    it('does its changes once more on what the first one left', async () => {
      const token = await stored();
      interrupt(token, (s) => s.set('theme', 'dark').update('visits', (n = 0) => n + 10));
      await app.request(token, (s) => s.set('cart', ['a']).update('visits', (n = 0) => n + 1));
      expect(await read(token)).toEqual({ cart: ['a'], theme: 'dark', visits: 12 });
      expect(app.store.take()).toEqual(['find', 'update', 'find', 'update', 'find']);
    });

    it('does not do twice what an update did to an object set before', async () => {
      const token = await stored();
      interrupt(token, (s) => s.set('theme', 'dark'));
      await app.request(token, (s) => {
        s.set('cart', []);
        s.update('cart', (cart = []) => {
          cart.push('a');
          return cart;
        });
      });
      expect(await read(token)).toEqual({ cart: ['a'], theme: 'dark', visits: 1 });
    });

    it('sets an object to what it was then, whatever has become of it since', async () => {
      const token = await stored();
      interrupt(token, (s) => s.set('theme', 'dark'));
      await app.request(token, (s) => {
        const cart = ['a'];
        s.set('cart', cart);
        s.update('cart', (before = []) => [...before, 'b']);
        cart.push('of no concern any more');
      });
      expect(await read(token)).toEqual({ cart: ['a', 'b'], theme: 'dark', visits: 1 });
    });

    it('does not lose what was changed in place before an update', async () => {
      const token = await stored((s) => s.set('cart', []));
      interrupt(token, (s) => s.set('theme', 'dark'));
      await app.request(token, (s) => {
        s.get('cart')!.push('in place');
        s.update('cart', (cart = []) => [...cart, 'updated']);
      });
      expect(await read(token)).toEqual({ cart: ['in place', 'updated'], theme: 'dark' });
    });

    it('goes on noticing changes in place to what was set', async () => {
      const token = await stored();
      interrupt(token, (s) => s.set('theme', 'dark'));
      const session = await app.manager.open(token);
      const cart = ['a'];
      session.set('cart', cart);
      await app.manager.commit(session);
      cart.push('b');
      await app.manager.commit(session);
      expect(await read(token)).toEqual({ cart: ['a', 'b'], theme: 'dark', visits: 1 });
    });

    it('loses no flash message, and brings none back', async () => {
      const token = await stored((s) => s.flash('notice', 'old'));
      interrupt(token, (s) => {
        s.messages('notice');
        s.flash('notice', 'theirs');
      });
      await app.request(token, (s) => s.flash('notice', 'mine'));
      expect((await app.manager.open(token)).messages('notice')).toEqual(['theirs', 'mine']);
    });

    it('writes nothing by half when its own function fails the second time', async () => {
      const token = await stored();
      interrupt(token, (s) => s.set('theme', 'dark'));
      const session = await app.manager.open(token);
      let runs = 0;
      session.set('cart', ['a']);
      session.update('visits', (n = 0) => {
        if (runs++ > 0) throw new RangeError('too many');
        return n + 1;
      });
      await expect(app.manager.commit(session)).rejects.toThrow('too many');
      await expect(app.manager.commit(session)).rejects.toThrow('too many');
      expect(await read(token)).toEqual({ theme: 'dark', visits: 1 });
    });

    it('R3 R11: writes nothing when the first one ended the session', async () => {
      const token = await stored((s) => s.login(ada));
      interrupt(token, (s) => s.logout());
      expect(await app.request(token, (s) => s.set('visits', 5))).toEqual(KEEP);
      expect(await find(token)).toBeNull();
      expect(app.told()).toEqual(['rejected']);
      expect(app.events).toEqual([]);
    });

    it('R5: changes nothing in a session that was logged in meanwhile', async () => {
      const token = await stored();
      interrupt(token, (s) => s.login(ada));
      expect(await app.request(token, (s) => s.set('visits', 5))).toEqual(KEEP);
      expect(app.events).toEqual([
        { type: 'rejected', id: idOf(token), principal: null, reason: 'superseded' },
      ]);
      expect((await app.manager.open(token)).isNew).toBe(true);
    });

    it('R8: gets a session of its own when it is a login itself', async () => {
      const token = await stored((s) => s.set('cart', ['a']));
      interrupt(token, (s) => s.login(ada));
      const mine = await app.issued(token, (s) => s.login({ id: 8 }));
      expect(idOf(mine)).not.toBe(idOf(token));
      const session = await app.manager.open(mine);
      expect({ who: session.principal?.id, cart: session.get('cart') }).toEqual({ who: '8', cart: ['a'] });
      expect(app.events).toMatchObject([
        { type: 'created', id: idOf(mine) },
        { type: 'loggedIn', id: idOf(mine) },
      ]);
    });

    it('tells of the session that ends when a logout and another login lose to a renewal', async () => {
      const token = await stored((s) => s.login(ada));
      interrupt(token, (s) => s.renewToken());
      await app.issued(token, (s) => {
        s.logout({ keepData: true });
        s.login({ id: 8 });
      });
      const ended = { type: 'destroyed', id: idOf(token), principal: 'default:7', reason: 'logout' };
      expect(app.events).toContainEqual(ended);
      expect(await find(token)).toBeNull();
    });

    it('goes on for as long as a store call may take while others are faster, then gives up with a code of its own', async () => {
      app = core({ storeTimeout: 150 });
      const token = await stored();
      app.store.before = async (operation) => {
        if (operation === 'update')
          await core({ store: app.store.inner }).request(token, (s) => s.update('visits', (n = 0) => n + 1));
      };
      await expect(app.request(token, (s) => s.set('theme', 'dark'))).rejects.toMatchObject({
        code: 'SESSION_CONFLICT',
      });
      const { visits, ...rest } = (await read(token)) as { visits: number };
      expect(visits).toBeGreaterThan(10);
      expect(rest).toEqual({});
    });

    it('can log in after it has learned that its session is gone', async () => {
      const token = await stored();
      interrupt(token, (s) => s.destroy());
      const session = await app.manager.open(token);
      session.set('visits', 5);
      expect(await app.manager.commit(session)).toEqual(KEEP);
      session.login(ada);
      const decision = await app.manager.commit(session);
      expect(decision.kind).toBe('issue');
      expect(session.principal?.id).toBe('7');
      expect(await find(token)).toBeNull();
    });
  });

  describe('of a merge', () => {
    it('brings the other data in, keeps the later deadline, and ends the other session', async () => {
      const other = await stored((s) => {
        s.set('cart', ['theirs']).set('theme', 'dark');
        s.deadline = app.clock() + 3 * DAY;
      });
      const token = await stored((s) => s.set('cart', ['mine']).set('visits', 1));
      await app.request(token, (s) => s.merge(other));
      expect(await read(token)).toEqual({ cart: ['theirs'], theme: 'dark', visits: 1 });
      expect((await app.manager.open(token)).deadline).toBe(app.clock() + 3 * DAY);
      expect(await find(other)).toBeNull();
      expect(app.events).toEqual([{ type: 'destroyed', id: idOf(other), principal: null, reason: 'merge' }]);
    });

    it('with a token that opens nothing writes nothing and begins no session', async () => {
      const token = await stored();
      const { token: dead } = newToken(newSessionId(), 'default');
      expect(await app.request(token, (s) => s.merge(dead))).toEqual(KEEP);
      expect(await app.request(null, (s) => s.merge(dead))).toEqual(KEEP);
      expect(app.store.take()).toEqual(['find', 'find', 'find']);
    });

    it('with its own token changes nothing', async () => {
      const token = await stored();
      expect(await app.request(token, (s) => s.merge(token))).toEqual(KEEP);
      expect(await read(token)).toEqual({ visits: 1 });
    });

    it('D4: with a session that cannot be read brings nothing', async () => {
      const token = await stored();
      const other = await stored();
      const record = (await find(other))!;
      await app.store.inner.update({ ...record, version: 2, body: 'rubbish' }, 1, call);
      expect(await app.request(token, (s) => s.merge(other))).toEqual(KEEP);
      expect(app.events).toEqual([{ type: 'rejected', id: idOf(other), reason: 'corrupt' }]);
    });

    it.each([
      { own: null, other: 'bob' },
      { own: 'ada', other: 'bob' },
    ])('L12, W17: of $other into the session of $own is refused, and changes neither', async (who) => {
      const token = await stored((s) => {
        s.set('theme', 'dark');
        if (who.own !== null) s.login({ id: who.own });
      });
      const other = await stored((s) => s.set('cart', ['theirs']).login({ id: who.other }));
      const session = await app.manager.open(token);
      session.merge(other);
      await expect(app.manager.commit(session)).rejects.toMatchObject({ code: 'SESSION_MERGE_REFUSED' });
      expect({ own: await read(token), other: await read(other) }).toEqual({
        own: { theme: 'dark' },
        other: { cart: ['theirs'] },
      });
    });

    it.each([null, 'ada'])(
      'L12, W17: of %s into a login of ada brings the data, not the deadline',
      async (id) => {
        const other = await stored((s) => {
          s.set('cart', ['theirs']);
          if (id !== null) s.login({ id });
          s.deadline = app.clock() + 3 * DAY;
        });
        const token = await stored((s) => s.login({ id: 'ada' }));
        await app.request(token, (s) => s.merge(other));
        const { deadline } = await app.manager.open(token);
        expect({ data: await read(token), deadline }).toEqual({
          data: { cart: ['theirs'] },
          deadline: app.clock() + DAY,
        });
      },
    );

    it('L12, W17: that is refused ends no session that a login would have ended', async () => {
      const carol = await stored((s) => s.login({ id: 'carol' }));
      const other = await stored((s) => s.login({ id: 'ada' }));
      const session = await app.manager.open(carol);
      session.login({ id: 'bob' });
      session.merge(other);
      await expect(app.manager.commit(session)).rejects.toMatchObject({ code: 'SESSION_MERGE_REFUSED' });
      expect((await app.manager.open(carol)).principal?.id).toBe('carol');
    });

    it('does not end the other session while its data is not saved', async () => {
      const other = await stored((s) => s.set('cart', ['precious']));
      const token = await stored();
      app.store.before = (operation) => {
        if (operation === 'update') throw new Error('down');
      };
      const session = await app.manager.open(token);
      session.merge(other);
      await expect(app.manager.commit(session)).rejects.toThrow();
      await expect(app.manager.commit(session)).rejects.toThrow();
      expect(await read(other)).toEqual({ cart: ['precious'] });
    });

    it('that comes second does not bring older data back', async () => {
      const other = await stored((s) => s.set('cart', ['older']));
      const token = await stored();
      app.store.before = async (operation) => {
        if (operation !== 'update') return;
        app.store.before = () => {};
        const elsewhere = core({ store: app.store.inner });
        elsewhere.clock.set(app.clock());
        await elsewhere.request(other, (s) => s.set('cart', ['newer']));
        await elsewhere.request(token, (s) => s.merge(other));
      };
      await app.request(token, (s) => s.merge(other));
      expect(await read(token)).toEqual({ cart: ['newer'], visits: 1 });
      expect(await find(other)).toBeNull();
    });

    it('does not end the other session when this one was lost meanwhile', async () => {
      const other = await stored((s) => s.set('cart', ['precious']));
      const token = await stored();
      app.store.before = async (operation) => {
        if (operation === 'update') await app.store.inner.delete(idOf(token), call);
      };
      expect(await app.request(token, (s) => s.merge(other))).toEqual(KEEP);
      expect(await read(other)).toEqual({ cart: ['precious'] });
    });
  });

  describe('and time', () => {
    it('E1: a session lives for its idle timeout and not a millisecond longer', async () => {
      const [other, token] = [await stored(), await stored()];
      app.clock.advance(30 * MINUTE - 1);
      expect((await app.manager.open(other)).isNew).toBe(false);
      app.clock.advance(1);
      const session = await app.manager.open(token);
      expect(session.isNew).toBe(true);
      expect(await app.manager.commit(session)).toEqual(KEEP);
      expect(app.events).toEqual([
        { type: 'expired', id: idOf(token), principal: null, reason: 'idle-timeout' },
      ]);
    });

    it('E2 E4: ends with its lifetime however busy it is, and set does not move that', async () => {
      const token = await stored();
      const end = app.clock() + DAY;
      for (let n = 0; app.clock() + 20 * MINUTE < end; n++) {
        app.clock.advance(20 * MINUTE);
        expect(await app.request(token, (s) => s.set('visits', n))).toEqual(KEEP);
      }
      app.clock.set(end - 1);
      expect((await app.manager.open(token)).deadline).toBe(end);
      app.clock.set(end);
      expect((await app.manager.open(token)).isNew).toBe(true);
      expect(app.events).toEqual([{ type: 'expired', id: idOf(token), principal: null, reason: 'lifetime' }]);
    });

    it('E3: a reader extends at most once a tenth of the idle timeout', async () => {
      const token = await stored();
      app.clock.advance(3 * MINUTE);
      expect(await app.request(token)).toEqual(KEEP);
      expect(app.store.take()).toEqual(['find']);
      app.clock.advance(1);
      expect(await app.request(token)).toEqual(KEEP);
      expect(app.store.take()).toEqual(['find', 'extend']);
      expect((await find(token))!.expiresAt).toBe(app.clock() + 30 * MINUTE);
      expect(await app.request(token)).toEqual(KEEP);
      expect(app.store.take()).toEqual(['find']);
    });

    it('E3: two commits of one request extend once', async () => {
      const token = await stored();
      app.clock.advance(10 * MINUTE);
      const session = await app.manager.open(token);
      await app.manager.commit(session);
      await app.manager.commit(session);
      expect(app.store.take()).toEqual(['find', 'extend']);
    });

    it('tells the last visit before this one', async () => {
      const token = await stored();
      const at = app.clock();
      app.clock.advance(10 * MINUTE);
      expect((await app.manager.open(token)).lastSeenAt).toBe(at);
      await app.request(token);
      app.clock.advance(10 * MINUTE);
      expect((await app.manager.open(token)).lastSeenAt).toBe(at + 10 * MINUTE);
    });

    it('E5: a clock stepping back revives nothing', async () => {
      const token = await stored();
      app.clock.advance(30 * MINUTE);
      await app.request(token);
      app.clock.advance(-30 * MINUTE);
      expect((await app.manager.open(token)).isNew).toBe(true);
    });

    it('E5: a clock stepping back makes nobody live longer than from where it stands', async () => {
      const token = await stored();
      app.clock.advance(-5 * HOUR);
      await app.request(token, (s) => s.set('visits', 2));
      expect((await find(token))!.expiresAt).toBe(app.clock() + 30 * MINUTE);
      await app.request(token);
      expect(app.store.take()).not.toContain('extend');
    });

    it('E5: a deadline in the past ends a session', async () => {
      const token = await stored((s) => s.login(ada));
      expect(await app.request(token, (s) => (s.deadline = app.clock()))).toEqual(FORGET);
      expect(await find(token)).toBeNull();
      expect(app.events).toEqual([
        { type: 'destroyed', id: idOf(token), principal: 'default:7', reason: 'deadline-passed' },
      ]);
    });

    it.each(['now', -1, -8.64e15] as const)('E5: a deadline that is %s begins no session', async (at) => {
      const decision = await app.request(null, (s) => {
        s.login(ada);
        s.deadline = at === 'now' ? app.clock() : at;
      });
      expect(decision).toEqual(KEEP);
      expect({ calls: app.store.take(), told: app.told() }).toEqual({ calls: [], told: [] });
    });

    it('E4: renewing and elevating do not move the end', async () => {
      const token = await stored((s) => s.login(ada));
      const { deadline } = await app.manager.open(token);
      app.clock.advance(10 * MINUTE);
      const second = await app.issued(token, (s) => s.renewToken());
      app.clock.advance(10 * MINUTE);
      const third = await app.issued(second, (s) => s.elevate());
      expect((await app.manager.open(third)).deadline).toBe(deadline);
    });

    it('E4: what is remembered, or not any more, counts from the login and not from the second factor', async () => {
      const token = await stored((s) => s.login(ada));
      const { deadline } = await app.manager.open(token);
      app.clock.advance(10 * MINUTE);
      const elevated = await app.issued(token, (s) => s.elevate());
      const session = await app.manager.open(elevated);
      session.rememberMe();
      session.rememberMe(false);
      expect(session.deadline).toBe(deadline);
    });

    it('E1: a dead session that cannot be locked is dead after a few store calls', async () => {
      app = core({ store: new ShowingStore() });
      const token = await stored((s) => s.login({ id: 'ada' }));
      app.clock.advance(HOUR);
      const session = await app.manager.open(token);
      expect(session.principal).toBeNull();
      expect(app.store.take().length).toBeLessThanOrEqual(10);
      expect(app.told()).toEqual(['expired']);
      expect(await app.manager.commit(session)).toEqual(KEEP);
    });

    it('a session without idle timeout is never extended', async () => {
      const token = await stored((s) => s.login(ada, { rememberMe: true }));
      app.clock.advance(29 * DAY);
      expect(await app.request(token)).toEqual(KEEP);
      expect(app.store.take()).toEqual(['find']);
    });
  });

  describe('of too much', () => {
    it.each<[string, Parameters<Core['issued']>[1]]>([
      ["'cart'", (s) => s.set('cart', ['x'.repeat(50_000)]).set('value', 'y'.repeat(20_000))],
      ['its flash messages', (s) => s.flash('notice', 'z'.repeat(70_000))],
      ['its constants', (s) => s.login(ada, { constants: { tenant: 't'.repeat(70_000) } })],
      ["'value'", (s) => s.set('value', 'é'.repeat(40_000))],
      ['its form input', (s) => s.set('value', '語'.repeat(9000)).flashInput({ text: '語'.repeat(16_000) })],
    ])('D3: is refused before the store is called, naming the largest part: %s', async (part, work) => {
      const token = await stored();
      await expect(app.request(token, work)).rejects.toMatchObject({
        code: 'SESSION_TOO_LARGE',
        key: part,
        message: expect.stringContaining('limit of 65536'),
      });
      expect(app.store.take()).toEqual(['find']);
      expect(await read(token)).toEqual({ visits: 1 });
    });

    it('D3: counts bytes, to the last one', async () => {
      const token = await stored((s) => s.set('value', ''));
      const size = Buffer.byteLength((await find(token))!.body);
      const exact = core({ maxBytes: size + 2 });
      await expect(exact.request(null, (s) => s.set('value', 'é'))).resolves.toMatchObject({ kind: 'issue' });
      await expect(exact.request(null, (s) => s.set('value', 'éx'))).rejects.toMatchObject({
        code: 'SESSION_TOO_LARGE',
      });
    });
  });

  describe('and bodies it cannot read', () => {
    const bodies: [string, string][] = [
      ['nothing', ''],
      ['garbage', '\u0000\u0001 not ours'],
      ['an older format', '0\n[1,2,3,4,0]\n[{}]'],
      ['no facts', '1\n'],
      ['facts of another shape', '1\n{"a":1}\n[{}]'],
      ['facts that are no instants', '1\n["a",2,3,4,0]\n[{}]'],
      ['data that is no object', '1\n[1,2,9e15,4,0]\n[[]]'],
      ['content that is no list', '1\n[1,2,9e15,4,0]\n{}'],
      ['content that is null', '1\n[1,2,9e15,4,0]\nnull'],
      ['constants that are no texts', '1\n[1,2,9e15,4,0]\n[{},{"a":1},[]]'],
      ['messages that are none', '1\n[1,2,9e15,4,0]\n[{},{},[null]]'],
      ['a principal without roles', '1\n[1,2,9e15,4,0,1,["7","default"]]\n[{}]'],
      ['a principal of another shape', '1\n[1,2,9e15,4,0,1,{"id":"7"}]\n[{}]'],
      ['a principal with roles that are no texts', '1\n[1,2,9e15,4,0,1,["7","default",[{}]]]\n[{}]'],
    ];

    it.each(bodies)('D4: drops %s with one event and goes on anonymous', async (_what, body) => {
      const token = await stored();
      await app.store.inner.update({ ...(await find(token))!, version: 2, body }, 1, call);
      expect(await app.request(token, (s) => expect(s.isNew).toBe(true))).toEqual(KEEP);
      expect(app.store.take()).toEqual(['find', 'delete']);
      expect(app.events).toEqual([{ type: 'rejected', id: idOf(token), reason: 'corrupt' }]);
      expect(await find(token)).toBeNull();
    });

    it('L11: ends one of a newer format by its id', async () => {
      const token = await stored();
      const { id } = (await find(token))!;
      await app.store.inner.update(
        { ...(await find(token))!, version: 2, body: '3\nsomething better' },
        1,
        call,
      );
      const end = () => app.manager.directory.end(id, undefined, 'revoked');
      expect({ first: await end(), again: await end() }).toEqual({ first: true, again: false });
      expect((await app.manager.open(token)).endedBecause).toBe('revoked');
    });

    it('D4: leaves a newer format alone, and goes on anonymous', async () => {
      const token = await stored();
      const record = { ...(await find(token))!, version: 2, body: '3\nsomething better' };
      await app.store.inner.update(record, 1, call);
      await app.issued(token, (s) => s.set('visits', 5));
      expect(await find(token)).toEqual(record);
      expect(app.told()).toEqual(['rejected', 'created']);
    });

    it('D4: never takes a truncated body for a whole one', async () => {
      const token = await stored((s) => {
        s.login(ada, { constants: { tenant: 'acme' } });
        s.set('value', { list: [new Date(0), 1n] });
        s.flash('notice', 'x');
      });
      const record = (await find(token))!;
      const taken: string[] = [];
      for (let length = 0; length < record.body.length; length++) {
        const store = new MemorySessionStore();
        const body = record.body.slice(0, length);
        await store.insert({ ...record, body });
        const other = core({ store });
        if (!(await other.manager.open(token)).isNew) taken.push(body);
      }
      expect(taken).toEqual([]);
    });

    it('D4: keeps the parser from quoting the body', async () => {
      const token = await stored((s) => s.set('value', 'a secret value'));
      const secret = (await find(token))!.body.replace(/]$/, '');
      await app.store.inner.update({ ...(await find(token))!, version: 2, body: secret }, 1, call);
      await app.request(token);
      expect(JSON.stringify(app.events)).not.toContain('secret');
    });
  });

  it('D1: brings any value back through the store, or refuses it where it is set', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.anything({
          withBigInt: true,
          withDate: true,
          withMap: true,
          withSet: true,
          withSparseArray: true,
        }),
        async (value) => {
          const session = await app.manager.open(null);
          try {
            session.set('value', value);
          } catch (error) {
            expect((error as { code?: string }).code).toBe('SESSION_VALUE_UNSUPPORTED');
            return;
          }
          const decision = await app.manager.commit(session);
          if (decision.kind !== 'issue') throw new Error(decision.kind);
          expect((await app.manager.open(decision.token)).get('value')).toEqual(value);
        },
      ),
      { numRuns: 500 },
    );
  });

  describe('when the store fails', () => {
    it('is a SessionStoreError, and the session is as unsaved as before', async () => {
      const token = await stored();
      const session = await app.manager.open(token);
      session.set('visits', 2);
      app.store.before = () => {
        throw Object.assign(new Error('connection refused'), {
          code: 'ECONNREFUSED',
          parameters: ['a secret'],
        });
      };
      const error: unknown = await app.manager.commit(session).catch((e: unknown) => e);
      expect(error).toMatchObject({
        name: 'SessionStoreError',
        code: 'SESSION_STORE_UNAVAILABLE',
        cause: { message: 'connection refused', code: 'ECONNREFUSED' },
      });
      expect(error).not.toHaveProperty('cause.parameters');
      expect(session.status).toBe('changed');
      app.store.before = () => {};
      expect(await app.manager.commit(session)).toEqual(KEEP);
      expect(await read(token)).toEqual({ visits: 2 });
    });

    it('F1: does not make those who queue behind it wait for each other', async () => {
      const slow = core({ storeTimeout: 100 });
      const token = await slow.issued(null, (s) => s.set('visits', 1));
      const never = door();
      slow.store.before = () => never.opened;
      slow.store.before = (operation) => (operation === 'update' ? never.opened : undefined);
      const sessions = await Promise.all(Array.from({ length: 20 }, () => slow.manager.open(token)));
      const startedAt = process.hrtime.bigint();
      const outcomes = await Promise.allSettled(
        sessions.map((session) => {
          session.set('visits', 2);
          return slow.manager.commit(session);
        }),
      );
      expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(['rejected']));
      // One after the other they would take two seconds.
      expect(Number(process.hrtime.bigint() - startedAt) / 1e6).toBeLessThan(1000);
      never.open();
    });

    it.each<[string, () => never]>([
      [
        'a store throws synchronously',
        () => {
          throw new Error('sync');
        },
      ],
      ['is no promise', () => 5 as never],
    ])('takes what %s for a failure too', async (_what, find) => {
      const broken = core({ store: { ...new MemorySessionStore(), find } as never });
      broken.store.find = find;
      const { token } = newToken(newSessionId(), 'default');
      await expect(broken.manager.open(token)).rejects.toMatchObject({ code: 'SESSION_STORE_UNAVAILABLE' });
      expect(broken.told()).toEqual(['storeFailed']);
    });
  });

  it('refuses by key what a codec of the application refuses', async () => {
    const picky = core({
      codec: {
        encode: (value) => {
          const text = jsonCodec.encode(value);
          if (text.includes('forbidden')) throw new Error('the codec says no to forbidden');
          return text;
        },
        decode: (text) => jsonCodec.decode(text),
      },
    });
    const session = await picky.manager.open(null);
    expect(() => session.set('value', { a: 'forbidden' })).toThrow("The session cannot store 'value'");
  });

  it.each<[string, Parameters<Core['issued']>[1]]>([
    ['a login', (s) => s.login(ada)],
    ['a renewal', (s) => s.renewToken()],
    ['a logout that keeps the data', (s) => s.logout({ keepData: true })],
  ])('L1 L2: makes the old token dead with %s, and the hash is all the store knows', async (_what, work) => {
    const token = await stored((s) => s.login(ada));
    const next = await app.issued(token, work);
    expect((await app.manager.open(token)).isNew).toBe(true);
    expect((await app.manager.open(next)).isNew).toBe(false);
    expect(idOf(next)).toBe(idOf(token));
    expect((await find(next))!.secretHash).toBe(parseToken(next, 'default')!.secretHash);
  });

  it('L3: leaves the old token its old rights for the grace after elevate, and never the new ones', async () => {
    const token = await stored((s) => s.login(ada));
    const elevated = await app.issued(token, (s) => s.elevate({ roles: ['admin'] }));
    const rolesOf = async (each: string) => (await app.manager.open(each)).principal?.roles;
    expect({ old: await rolesOf(token), now: await rolesOf(elevated) }).toEqual({
      old: ['member'],
      now: ['admin'],
    });
    app.clock.advance('10s');
    expect(await rolesOf(token)).toBeUndefined();
  });

  it('tells nothing of logins that never came about', async () => {
    await app.request(null, (s) => {
      s.login({ id: 1 });
      s.logout();
    });
    expect(app.events).toEqual([]);
    const visitor = await stored();
    await app.request(visitor, (s) => {
      s.login({ id: 1 });
      s.logout({ keepData: true });
    });
    expect(app.told()).toEqual(['renewed']);
    const token = await app.issued(null, (s) => {
      s.login({ id: 1 });
      s.login({ id: 2 });
    });
    expect(app.events).toMatchObject([
      { type: 'created', principal: 'default:2', id: idOf(token) },
      { type: 'loggedIn', principal: 'default:2', id: idOf(token) },
    ]);
  });
});
