import { MemorySessionStore, type Session } from 'nestjs-tessera';
import { fromKeyv } from 'nestjs-tessera/bridges';
import { Keyv } from 'keyv';
import { precedes } from '../../lib/core/principal-revocations';
import { core, HOUR } from '../support/core';
import '../support/session-data';
import { describeStores } from '../support/stores';
import { door } from '../support/watched-store';
import { twoCores } from './two-cores';

const ada = { id: 'ada' };
const outdated = { code: 'SESSION_LOGIN_OUTDATED' };

describeStores('the sessions of a principal, all ended, on', ({ create }) => {
  const two = twoCores(create);
  const principalOf = async (token: string) => (await two.here.manager.open(token)).principal?.id ?? null;
  const checkedLogin = (checkedAt: number) => (session: Session) => session.login(ada, { checkedAt });

  it('W18: are gone, and those of others stay', async () => {
    const tokens = [
      await two.here.issued(null, (session) => session.login(ada)),
      await two.there.issued(null, (session) => session.login(ada)),
      await two.here.issued(null, (session) => session.login({ id: 'bob' })),
      await two.here.issued(null, (session) => session.login({ id: 'ada', realm: 'admin' })),
    ];
    await two.here.manager.endAll(ada);
    expect(await Promise.all(tokens.map(principalOf))).toEqual([null, null, 'bob', 'ada']);
  });

  it('L8, W18: refuse a login that checked its credentials before, and keep what its visitor had', async () => {
    const visitor = await two.here.issued(null, (session) => session.set('visits', 1));
    const checkedAt = two.here.clock();
    two.here.clock.advance(5);
    await two.there.manager.endAll(ada);
    const session = await two.here.manager.open(visitor);
    session.login(ada, { checkedAt });
    await expect(two.here.manager.commit(session)).rejects.toMatchObject(outdated);
    const after = await two.here.manager.open(visitor);
    expect({
      principal: after.principal,
      visits: after.get('visits'),
      events: two.here.events.slice(1),
    }).toEqual({
      principal: null,
      visits: 1,
      events: [{ type: 'rejected', principal: 'default:ada', reason: 'revoked' }],
    });
  });

  it('L8, W18: let a login in that checked its credentials afterwards', async () => {
    await two.here.manager.endAll(ada);
    two.here.clock.advance(5);
    const token = await two.here.issued(null, checkedLogin(two.here.clock()));
    expect(await principalOf(token)).toBe('ada');
  });

  it.each(['a visitor', 'nobody yet'])(
    'L8, W18: refuse a login of %s that was written while they were ended',
    async (who) => {
      const visitor = who === 'a visitor' ? await two.here.issued(null, (s) => s.set('visits', 1)) : null;
      const checkedAt = two.here.clock();
      two.here.clock.advance(5);
      two.there.clock.advance(5);
      const isRecorded = door();
      const mayEnd = door();
      two.there.store.before = async (operation) => {
        if (operation !== 'deleteByPrincipal') return;
        isRecorded.open();
        await mayEnd.opened;
      };
      // The login has found no revocation, and is about to be written.
      let isWritten = false;
      let ending: Promise<void> | undefined;
      two.here.store.before = async (operation) => {
        if (isWritten || (operation !== 'insert' && operation !== 'update')) return;
        isWritten = true;
        ending = two.there.manager.endAll(ada);
        await isRecorded.opened;
      };
      const session = await two.here.manager.open(visitor);
      session.login(ada, { checkedAt });
      await expect(two.here.manager.commit(session)).rejects.toMatchObject(outdated);
      mayEnd.open();
      await ending;
      const { id } = session;
      expect({ outcome: await two.here.manager.commit(session), isNew: session.isNew }).toEqual({
        outcome: { kind: 'forget' },
        isNew: true,
      });
      expect(await two.here.store.inner.find(id as never, { signal: AbortSignal.timeout(5000) })).toBeNull();
    },
  );

  it('L8, W18: are ended with a login that is written before it is asked for them again', async () => {
    const checkedAt = two.here.clock();
    let ending: Promise<void> | undefined;
    two.here.store.after = async (operation) => {
      if (operation !== 'insert' || ending !== undefined) return;
      two.here.store.after = () => {};
      await (ending = two.there.manager.endAll(ada));
    };
    const session = await two.here.manager.open(null);
    session.login(ada, { checkedAt });
    await expect(two.here.manager.commit(session)).rejects.toMatchObject(outdated);
  });

  it('L8, W18: of sixty logins under way that checked before, none survives', async () => {
    const checkedAt = two.here.clock();
    const logins = Array.from({ length: 60 }, async (_, index) => {
      const { manager } = index % 2 === 0 ? two.here : two.there;
      const session = await manager.open(null);
      session.login(ada, { checkedAt });
      const outcome = await manager.commit(session).catch(() => null);
      return outcome?.kind === 'issue' ? outcome.token : null;
    });
    const ending = two.here.manager.endAll(ada);
    const tokens = (await Promise.all(logins)).filter((token) => token !== null);
    await ending;
    expect((await Promise.all(tokens.map(principalOf))).filter((id) => id !== null)).toEqual([]);
  });

  it('L8, W18: leave a login to another commit when the store did not answer before it was written', async () => {
    const session = await two.here.manager.open(null);
    session.login(ada, { checkedAt: two.here.clock() });
    two.here.store.before = () => {
      throw new Error('down');
    };
    await expect(two.here.manager.commit(session)).rejects.toMatchObject({
      code: 'SESSION_STORE_UNAVAILABLE',
    });
    two.here.store.before = () => {};
    const outcome = await two.here.manager.commit(session);
    expect(outcome.kind === 'issue' && (await principalOf(outcome.token))).toBe('ada');
  });

  it('L8, W18: end a login whose check gets no answer from the store', async () => {
    let isWritten = false;
    two.here.store.after = (operation) => void (isWritten ||= operation === 'insert');
    two.here.store.before = (operation) => {
      if (operation === 'find' && isWritten) throw new Error('down');
    };
    const session = await two.here.manager.open(null);
    session.login(ada, { checkedAt: two.here.clock() });
    await expect(two.here.manager.commit(session)).rejects.toMatchObject({
      code: 'SESSION_STORE_UNAVAILABLE',
    });
    two.here.store.before = () => {};
    expect({ outcome: await two.here.manager.commit(session), isNew: session.isNew }).toEqual({
      outcome: { kind: 'forget' },
      isNew: true,
    });
  });
});

describe('a login with checkedAt', () => {
  const now = core().clock();
  const login = (checkedAt: unknown) => async () =>
    (await core().manager.open(null)).login(ada, { checkedAt: checkedAt as number });

  it('W18: is refused when the check is older at the commit than a revocation is remembered', async () => {
    const { manager, clock } = core();
    const session = await manager.open(null);
    session.login(ada, { checkedAt: clock() - HOUR + 1 });
    clock.advance(2);
    await expect(manager.commit(session)).rejects.toMatchObject(outdated);
  });

  it.each([NaN, Infinity, now + HOUR, undefined, new Date()])(
    'W18: is refused for %p, which is no past time',
    async (checkedAt) => {
      await expect(login(checkedAt)()).rejects.toMatchObject({ code: 'SESSION_OPTIONS_INVALID' });
    },
  );

  it('W18: allows for clocks of other processes that differ by a second', () => {
    const isBefore = (checkedAt: number, by: string) =>
      precedes({ principal: 'default:ada', checkedAt }, { at: 10_000, by });
    expect({ within: isBefore(11_000, 'another'), beyond: isBefore(11_001, 'another') }).toEqual({
      within: true,
      beyond: false,
    });
  });

  it('W18: costs two reads, and none without it', async () => {
    const { store, issued, clock } = core();
    await issued(null, (session) => session.login(ada));
    expect(store.take()).toEqual(['insert']);
    await issued(null, (session) => session.login(ada, { checkedAt: clock() }));
    expect(store.take()).toEqual(['find', 'insert', 'find']);
  });
});

it('W18: a store that cannot find sessions by principal is refused, by its name', async () => {
  const { manager } = core({ store: fromKeyv(new Keyv()) });
  await expect(manager.endAll(ada)).rejects.toThrow(
    /needs a store that finds sessions by principal, and WatchedStore does not/,
  );
});

it('W18: a revocation is remembered for as long as such a login can be under way, and no longer', async () => {
  const inner = new MemorySessionStore();
  const { manager, clock } = core({ store: inner });
  await manager.endAll(ada);
  clock.advance(HOUR);
  expect(await inner.sweep(clock(), 10)).toBe(0);
  clock.advance(HOUR);
  expect(await inner.sweep(clock(), 10)).toBe(1);
});
