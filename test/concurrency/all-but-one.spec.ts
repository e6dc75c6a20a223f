import type { Session } from 'nestjs-tessera';
import type { CommitOutcome } from '../../lib/core/commit-outcome';
import { core, type Core } from '../support/core';
import '../support/session-data';
import { describeStores } from '../support/stores';
import { door } from '../support/watched-store';
import { GONE, down, ending } from './endings';
import { twoCores } from './two-cores';

const ada = { id: 'ada' };

const principalIn = async ({ manager }: Core, token: string) =>
  (await manager.open(token)).principal?.id ?? null;
const tokenOf = async (commit: Promise<CommitOutcome>) => {
  const outcome = await commit;
  return outcome.kind === 'issue' ? outcome.token : null;
};

describeStores('all sessions of a principal but one, ended, on', ({ create }) => {
  const two = twoCores(create);
  const principalOf = (token: string) => principalIn(two.here, token);

  it('W18: are gone but for the one that stays, whose token is another', async () => {
    const kept = await two.here.issued(null, (session) => (session.set('visits', 1), session.login(ada)));
    const other = await two.there.issued(null, (session) => session.login(ada));
    const session = await two.here.manager.open(kept);
    await two.here.manager.endAll(ada, { except: session });
    const outcome = await two.here.manager.commit(session);
    const renewed = outcome.kind === 'issue' ? await two.here.manager.open(outcome.token) : null;
    expect({
      kept: await principalOf(kept),
      other: await principalOf(other),
      renewed: { principal: renewed?.principal?.id, visits: renewed?.get('visits') },
    }).toEqual({ kept: null, other: null, renewed: { principal: 'ada', visits: 1 } });
  });

  it('W18: let the one stay that logs in with this very request', async () => {
    const session = await two.here.manager.open(null);
    session.login(ada, { checkedAt: two.here.clock() });
    two.here.clock.advance(5);
    await two.here.manager.endAll(ada, { except: session });
    const outcome = await two.here.manager.commit(session);
    expect(outcome.kind === 'issue' && (await principalOf(outcome.token))).toBe('ada');
  });

  it('W18: take the one that stays with them when another request has renewed its token', async () => {
    const token = await two.here.issued(null, (session) => session.login(ada));
    const session = await two.here.manager.open(token);
    const copy = await two.there.issued(token, (other) => other.renewToken());
    await two.here.manager.endAll(ada, { except: session });
    const outcome = await two.here.manager.commit(session);
    expect({ outcome, copy: await principalOf(copy) }).toEqual({ outcome: { kind: 'keep' }, copy: null });
  });

  describe('but for one, which a request with a copy of its token is using', () => {
    let session: Session;
    let copy: Session;

    beforeEach(async () => {
      const token = await two.here.issued(null, (own) => own.login(ada));
      session = await two.here.manager.open(token);
      copy = await two.there.manager.open(token);
    });

    const loggedIn = async (token: string | null) => token !== null && (await principalOf(token)) !== null;

    it('W18: give the copy no rights to the one that stays', async () => {
      await two.here.manager.endAll(ada, { except: session });
      const own = await tokenOf(two.here.manager.commit(session));
      copy.elevate({ roles: ['admin'] });
      const taken = await tokenOf(two.there.manager.commit(copy));
      expect({ own: await loggedIn(own), taken }).toEqual({ own: true, taken: null });
    });

    it('L8, W18: end a login of the copy that is written while they are ended', async () => {
      const checkedAt = two.there.clock();
      two.here.clock.advance(5);
      two.there.clock.advance(5);
      let taken: string | null = null;
      two.here.store.before = async (operation, id) => {
        if (operation !== 'find' || id === session.id) return;
        two.here.store.before = () => {};
        copy.login(ada, { checkedAt });
        taken = await tokenOf(two.there.manager.commit(copy));
      };
      await two.here.manager.endAll(ada, { except: session });
      const own = await tokenOf(two.here.manager.commit(session));
      expect({ own: await loggedIn(own), taken: await loggedIn(taken) }).toEqual({ own: true, taken: false });
    });

    it('W18: end them all when the copy has logged in over it, though its own token is new', async () => {
      session.elevate();
      await two.here.manager.commit(session);
      copy.login(ada);
      const taken = await tokenOf(two.there.manager.commit(copy));
      await two.here.manager.endAll(ada, { except: session });
      expect({ taken: await loggedIn(taken), outcome: await two.here.manager.commit(session) }).toEqual({
        taken: false,
        outcome: { kind: 'keep' },
      });
    });

    it('W18: let it stay when a login of the copy is refused afterwards', async () => {
      const checkedAt = two.there.clock();
      two.here.clock.advance(5);
      two.there.clock.advance(5);
      const isAsked = door();
      const mayWrite = door();
      two.there.store.before = async (operation) => {
        if (operation !== 'update') return;
        two.there.store.before = () => {};
        isAsked.open();
        await mayWrite.opened;
      };
      copy.login(ada, { checkedAt });
      const refused = two.there.manager.commit(copy).catch(({ code }: { code: string }) => code);
      await isAsked.opened;
      await two.here.manager.endAll(ada, { except: session });
      const own = await tokenOf(two.here.manager.commit(session));
      mayWrite.open();
      expect({ refused: await refused, own: await loggedIn(own) }).toEqual({
        refused: 'SESSION_LOGIN_OUTDATED',
        own: true,
      });
    });
  });

  it('W18: leave one alone that another principal has by then, when one stays', async () => {
    const shared = await two.there.issued(null, (session) => session.login(ada));
    const session = await two.here.manager.open(await two.here.issued(null, (own) => own.login(ada)));
    let bobs = '';
    two.here.store.after = async (operation) => {
      if (operation !== 'findByPrincipal') return;
      two.here.store.after = () => {};
      const visitor = await two.there.issued(shared, (other) => other.logout({ keepData: true }));
      bobs = await two.there.issued(visitor, (other) => other.login({ id: 'bob' }));
    };
    await two.here.manager.endAll(ada, { except: session });
    expect(await principalOf(bobs)).toBe('bob');
  });
});

describe('a session that stays when all others are ended', () => {
  let app: Core;

  beforeEach(() => (app = core()));

  it('W18: has its new token whatever the request rolls back', async () => {
    const token = await app.issued(null, (session) => session.login(ada));
    const session = await app.manager.open(token);
    await app.manager.endAll(ada, { except: session });
    session.rollback();
    expect(await ending(app.manager.commit(session))).toBe('issue');
    expect(await principalIn(app, token)).toBeNull();
  });

  it('W18: leaves no rights to a token that another request renewed before an elevation', async () => {
    const token = await app.issued(null, (session) => session.login(ada));
    const elsewhere = core({ store: app.store.inner });
    const session = await app.manager.open(token);
    session.elevate();
    let renewed = '';
    app.store.before = async (operation) => {
      if (operation !== 'update') return;
      app.store.before = () => {};
      renewed = await elsewhere.issued(token, (other) => other.renewToken());
    };
    await app.manager.endAll(ada, { except: session });
    const outcome = await app.manager.commit(session);
    const own = outcome.kind === 'issue' ? await principalIn(app, outcome.token) : null;
    expect({ own, renewed: await principalIn(app, renewed) }).toEqual({ own: 'ada', renewed: null });
  });

  it('W18: is left as it was when it cannot be committed, and so are the others', async () => {
    const token = await app.issued(null, (session) => session.login(ada));
    const other = await app.issued(null, (session) => session.login(ada));
    const session = await app.manager.open(token);
    session.set('cart', ['x'.repeat(70_000)]);
    await expect(app.manager.endAll(ada, { except: session })).rejects.toMatchObject({
      code: 'SESSION_TOO_LARGE',
    });
    expect({ own: await principalIn(app, token), other: await principalIn(app, other) }).toEqual({
      own: 'ada',
      other: 'ada',
    });
  });

  it('W18: keeps its token when the reason is refused', async () => {
    const token = await app.issued(null, (session) => session.login(ada));
    const session = await app.manager.open(token);
    await expect(app.manager.endAll(ada, { except: session, reason: '' })).rejects.toMatchObject({
      code: 'SESSION_OPTIONS_INVALID',
    });
    expect(await principalIn(app, token)).toBe('ada');
  });

  it('W18: can be saved after an endAll that failed, where no token can be told', async () => {
    const token = await app.issued(null, (session) => session.login(ada));
    const session = await app.manager.open(token);
    app.store.before = () => down();
    await expect(app.manager.endAll(ada, { except: session })).rejects.toMatchObject({
      code: 'SESSION_STORE_UNAVAILABLE',
    });
    app.store.before = () => {};
    session.set('visits', 1);
    await app.manager.commit(session, { reach: 'never', capacity: 0 });
    expect((await app.manager.open(token)).get('visits')).toBe(1);
  });

  it('W18: ends with the others when its new token cannot be delivered', async () => {
    const token = await app.issued(null, (session) => session.login(ada));
    const session = await app.manager.open(token);
    await app.manager.endAll(ada, { except: session, delivery: GONE });
    expect(await principalIn(app, token)).toBeNull();
  });
});
