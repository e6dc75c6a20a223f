import { MemorySessionStore, type Session } from 'nestjs-tessera';
import { fromKeyv } from 'nestjs-tessera/bridges';
import { Keyv } from 'keyv';
import type { CommitOutcome } from '../../lib/core/commit-outcome';
import { precedes } from '../../lib/core/principal-revocations';
import { core, HOUR, type Core } from '../support/core';
import '../support/session-data';
import { describeStores, type StoreUnderTest } from '../support/stores';
import { door } from '../support/watched-store';

const ada = { id: 'ada' };
const outdated = { code: 'SESSION_LOGIN_OUTDATED' };

describeStores('the sessions of a principal, all ended, on', ({ create }) => {
  let under: StoreUnderTest;
  let beside: Pick<StoreUnderTest, 'store' | 'close'>;
  let here: Core;
  let there: Core;

  beforeEach(async () => {
    under = await create();
    beside = await under.beside();
    here = core({ store: under.store });
    there = core({ store: beside.store });
  });
  afterEach(async () => {
    await beside.close();
    await under.close();
  });

  const principalOf = async (token: string) => (await here.manager.open(token)).principal?.id ?? null;
  const checkedLogin = (checkedAt: number) => (session: Session) => session.login(ada, { checkedAt });

  it('W18: are gone, and those of others stay', async () => {
    const tokens = [
      await here.issued(null, (session) => session.login(ada)),
      await there.issued(null, (session) => session.login(ada)),
      await here.issued(null, (session) => session.login({ id: 'bob' })),
      await here.issued(null, (session) => session.login({ id: 'ada', realm: 'admin' })),
    ];
    await here.manager.endAll(ada);
    expect(await Promise.all(tokens.map(principalOf))).toEqual([null, null, 'bob', 'ada']);
  });

  it('W18: are gone but for the one that stays, whose token is another', async () => {
    const kept = await here.issued(null, (session) => (session.set('visits', 1), session.login(ada)));
    const other = await there.issued(null, (session) => session.login(ada));
    const session = await here.manager.open(kept);
    await here.manager.endAll(ada, { except: session });
    const outcome = await here.manager.commit(session);
    const renewed = outcome.kind === 'issue' ? await here.manager.open(outcome.token) : null;
    expect({
      kept: await principalOf(kept),
      other: await principalOf(other),
      renewed: { principal: renewed?.principal?.id, visits: renewed?.get('visits') },
    }).toEqual({ kept: null, other: null, renewed: { principal: 'ada', visits: 1 } });
  });

  it('W18: let the one stay that logs in with this very request', async () => {
    const session = await here.manager.open(null);
    session.login(ada, { checkedAt: here.clock() });
    here.clock.advance(5);
    await here.manager.endAll(ada, { except: session });
    const outcome = await here.manager.commit(session);
    expect(outcome.kind === 'issue' && (await principalOf(outcome.token))).toBe('ada');
  });

  it('W18: take the one that stays with them when another request has renewed its token', async () => {
    const token = await here.issued(null, (session) => session.login(ada));
    const session = await here.manager.open(token);
    const copy = await there.issued(token, (other) => other.renewToken());
    await here.manager.endAll(ada, { except: session });
    const outcome = await here.manager.commit(session);
    expect({ outcome, copy: await principalOf(copy) }).toEqual({ outcome: { kind: 'keep' }, copy: null });
  });

  describe('but for one, which a request with a copy of its token is using', () => {
    let session: Session;
    let copy: Session;

    beforeEach(async () => {
      const token = await here.issued(null, (own) => own.login(ada));
      session = await here.manager.open(token);
      copy = await there.manager.open(token);
    });

    const tokenOf = async (commit: Promise<CommitOutcome>) => {
      const outcome = await commit;
      return outcome.kind === 'issue' ? outcome.token : null;
    };
    const loggedIn = async (token: string | null) => token !== null && (await principalOf(token)) !== null;

    it('W18: give the copy no rights to the one that stays', async () => {
      await here.manager.endAll(ada, { except: session });
      const own = await tokenOf(here.manager.commit(session));
      copy.elevate({ roles: ['admin'] });
      const taken = await tokenOf(there.manager.commit(copy));
      expect({ own: await loggedIn(own), taken }).toEqual({ own: true, taken: null });
    });

    it('L8, W18: end a login of the copy that is written while they are ended', async () => {
      const checkedAt = there.clock();
      here.clock.advance(5);
      there.clock.advance(5);
      let taken: string | null = null;
      here.store.before = async (operation, id) => {
        if (operation !== 'find' || id === session.id) return;
        here.store.before = () => {};
        copy.login(ada, { checkedAt });
        taken = await tokenOf(there.manager.commit(copy));
      };
      await here.manager.endAll(ada, { except: session });
      const own = await tokenOf(here.manager.commit(session));
      expect({ own: await loggedIn(own), taken: await loggedIn(taken) }).toEqual({ own: true, taken: false });
    });

    it('W18: end them all when the copy has logged in over it, though its own token is new', async () => {
      session.elevate();
      await here.manager.commit(session);
      copy.login(ada);
      const taken = await tokenOf(there.manager.commit(copy));
      await here.manager.endAll(ada, { except: session });
      expect({ taken: await loggedIn(taken), outcome: await here.manager.commit(session) }).toEqual({
        taken: false,
        outcome: { kind: 'keep' },
      });
    });

    it('W18: let it stay when a login of the copy is refused afterwards', async () => {
      const checkedAt = there.clock();
      here.clock.advance(5);
      there.clock.advance(5);
      const isAsked = door();
      const mayWrite = door();
      there.store.before = async (operation) => {
        if (operation !== 'update') return;
        there.store.before = () => {};
        isAsked.open();
        await mayWrite.opened;
      };
      copy.login(ada, { checkedAt });
      const refused = there.manager.commit(copy).catch(({ code }: { code: string }) => code);
      await isAsked.opened;
      await here.manager.endAll(ada, { except: session });
      const own = await tokenOf(here.manager.commit(session));
      mayWrite.open();
      expect({ refused: await refused, own: await loggedIn(own) }).toEqual({
        refused: 'SESSION_LOGIN_OUTDATED',
        own: true,
      });
    });
  });

  it('W18: leave one alone that another principal has by then, when one stays', async () => {
    const shared = await there.issued(null, (session) => session.login(ada));
    const session = await here.manager.open(await here.issued(null, (own) => own.login(ada)));
    let bobs = '';
    here.store.after = async (operation) => {
      if (operation !== 'findByPrincipal') return;
      here.store.after = () => {};
      const visitor = await there.issued(shared, (other) => other.logout({ keepData: true }));
      bobs = await there.issued(visitor, (other) => other.login({ id: 'bob' }));
    };
    await here.manager.endAll(ada, { except: session });
    expect(await principalOf(bobs)).toBe('bob');
  });

  it('L8, W18: refuse a login that checked its credentials before, and keep what its visitor had', async () => {
    const visitor = await here.issued(null, (session) => session.set('visits', 1));
    const checkedAt = here.clock();
    here.clock.advance(5);
    await there.manager.endAll(ada);
    const session = await here.manager.open(visitor);
    session.login(ada, { checkedAt });
    await expect(here.manager.commit(session)).rejects.toMatchObject(outdated);
    const after = await here.manager.open(visitor);
    expect({
      principal: after.principal,
      visits: after.get('visits'),
      events: here.events.slice(1),
    }).toEqual({
      principal: null,
      visits: 1,
      events: [{ type: 'rejected', principal: 'default:ada', reason: 'revoked' }],
    });
  });

  it('L8, W18: let a login in that checked its credentials afterwards', async () => {
    await here.manager.endAll(ada);
    here.clock.advance(5);
    const token = await here.issued(null, checkedLogin(here.clock()));
    expect(await principalOf(token)).toBe('ada');
  });

  it.each(['a visitor', 'nobody yet'])(
    'L8, W18: refuse a login of %s that was written while they were ended',
    async (who) => {
      const visitor = who === 'a visitor' ? await here.issued(null, (s) => s.set('visits', 1)) : null;
      const checkedAt = here.clock();
      here.clock.advance(5);
      there.clock.advance(5);
      const isRecorded = door();
      const mayEnd = door();
      there.store.before = async (operation) => {
        if (operation !== 'deleteByPrincipal') return;
        isRecorded.open();
        await mayEnd.opened;
      };
      // The login has found no revocation, and is about to be written.
      let isWritten = false;
      let ending: Promise<void> | undefined;
      here.store.before = async (operation) => {
        if (isWritten || (operation !== 'insert' && operation !== 'update')) return;
        isWritten = true;
        ending = there.manager.endAll(ada);
        await isRecorded.opened;
      };
      const session = await here.manager.open(visitor);
      session.login(ada, { checkedAt });
      await expect(here.manager.commit(session)).rejects.toMatchObject(outdated);
      mayEnd.open();
      await ending;
      const { id } = session;
      expect({ outcome: await here.manager.commit(session), isNew: session.isNew }).toEqual({
        outcome: { kind: 'forget' },
        isNew: true,
      });
      expect(await under.store.find(id as never, { signal: AbortSignal.timeout(5000) })).toBeNull();
    },
  );

  it('L8, W18: are ended with a login that is written before it is asked for them again', async () => {
    const checkedAt = here.clock();
    let ending: Promise<void> | undefined;
    here.store.after = async (operation) => {
      if (operation !== 'insert' || ending !== undefined) return;
      here.store.after = () => {};
      await (ending = there.manager.endAll(ada));
    };
    const session = await here.manager.open(null);
    session.login(ada, { checkedAt });
    await expect(here.manager.commit(session)).rejects.toMatchObject(outdated);
  });

  it('L8, W18: of sixty logins under way that checked before, none survives', async () => {
    const checkedAt = here.clock();
    const logins = Array.from({ length: 60 }, async (_, index) => {
      const { manager } = index % 2 === 0 ? here : there;
      const session = await manager.open(null);
      session.login(ada, { checkedAt });
      const outcome = await manager.commit(session).catch(() => null);
      return outcome?.kind === 'issue' ? outcome.token : null;
    });
    const ending = here.manager.endAll(ada);
    const tokens = (await Promise.all(logins)).filter((token) => token !== null);
    await ending;
    expect((await Promise.all(tokens.map(principalOf))).filter((id) => id !== null)).toEqual([]);
  });

  it('L8, W18: leave a login to another commit when the store did not answer before it was written', async () => {
    const session = await here.manager.open(null);
    session.login(ada, { checkedAt: here.clock() });
    here.store.before = () => {
      throw new Error('down');
    };
    await expect(here.manager.commit(session)).rejects.toMatchObject({ code: 'SESSION_STORE_UNAVAILABLE' });
    here.store.before = () => {};
    const outcome = await here.manager.commit(session);
    expect(outcome.kind === 'issue' && (await principalOf(outcome.token))).toBe('ada');
  });

  it('L8, W18: end a login whose check gets no answer from the store', async () => {
    let isWritten = false;
    here.store.after = (operation) => void (isWritten ||= operation === 'insert');
    here.store.before = (operation) => {
      if (operation === 'find' && isWritten) throw new Error('down');
    };
    const session = await here.manager.open(null);
    session.login(ada, { checkedAt: here.clock() });
    await expect(here.manager.commit(session)).rejects.toMatchObject({ code: 'SESSION_STORE_UNAVAILABLE' });
    here.store.before = () => {};
    expect({ outcome: await here.manager.commit(session), isNew: session.isNew }).toEqual({
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
    /endAll\(\) needs a store that finds sessions by principal/,
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
