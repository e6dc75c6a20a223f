import type { Session, SessionError } from 'nestjs-tessera';
import '../support/session-data';
import { HOUR, MINUTE } from '../support/core';
import { sealedCore, type Sealed } from './sealed';

const ada = { id: 'ada' };

let here: Sealed;
let value: string;
let session: Session;

beforeEach(async () => {
  here = sealedCore();
  value = await here.issued(null, (s) => s.login(ada));
  here.clock.advance(1000);
  session = await here.manager.open(value);
});

const principalOf = (token: string) => here.look(token, ({ principal }) => principal?.id ?? null);

/** Who is logged in with what the request of `session` ends with. */
async function keptPrincipal(): Promise<string | null> {
  const outcome = await here.manager.commit(session);
  return outcome.kind === 'issue' ? principalOf(outcome.token) : null;
}

describe('a sealed session that stays when all others of its principal are ended', () => {
  it('W18: stays, under a new value', async () => {
    await here.manager.endAll(ada, { except: session });
    expect({ kept: await keptPrincipal(), old: await principalOf(value) }).toEqual({
      kept: 'ada',
      old: null,
    });
  });

  it('W18: does not come back when it was ended before', async () => {
    await here.twin().manager.endAll(ada);
    await here.manager.endAll(ada, { except: session });
    expect(await keptPrincipal()).toBeNull();
  });

  it.each([1, 2, 3, 4])(
    'W18: does not come back when it is ended before write %i to the list',
    async (nth) => {
      const there = here.twin();
      let writes = 0;
      here.list.before = async (operation) => {
        if ((operation === 'insert' || operation === 'update') && ++writes === nth)
          await there.manager.endAll(ada);
      };
      await here.manager.endAll(ada, { except: session });
      expect(writes < nth ? null : await keptPrincipal()).toBeNull();
    },
  );

  it('W18: does not come back when it is ended after the others', async () => {
    await here.manager.endAll(ada, { except: session });
    await here.twin().manager.endAll(ada);
    expect(await keptPrincipal()).toBeNull();
  });

  it('W18: ends when another request has renewed it before', async () => {
    const copy = await here.issued(value, (other) => other.renewToken());
    await here.manager.endAll(ada, { except: session });
    expect({ kept: await keptPrincipal(), copy: await principalOf(copy) }).toEqual({
      kept: null,
      copy: null,
    });
  });

  it('W18, W27: takes changes after a rollback of what was changed while the others ended', async () => {
    const ended = here.manager.endAll(ada, { except: session });
    here.list.after = (operation) => void (operation !== 'find' && session.set('cart', []));
    await ended;
    session.rollback();
    session.set('visits', 1);
    const outcome = await here.manager.commit(session);
    const kept = outcome.kind === 'issue' ? outcome.token : '';
    expect(await here.look(kept, (s) => ({ visits: s.get('visits'), keys: s.keys() }))).toEqual({
      visits: 1,
      keys: ['visits'],
    });
  });

  it('W18, E2: ends as long after its login as if the others had not been ended', async () => {
    here.clock.advance(23 * HOUR - 1000);
    value = await here.issued(null, (s) => s.login(ada));
    session = await here.manager.open(value);
    const { deadline } = session;
    here.clock.advance(10 * MINUTE);
    await here.manager.endAll(ada, { except: session });
    session.rememberMe(false);
    const outcome = await here.manager.commit(session);
    const kept = outcome.kind === 'issue' ? outcome.token : '';
    expect(await here.look(kept, (s) => s.deadline)).toBe(deadline);
  });

  it('W18: stays again when the others are ended a second time within a minute', async () => {
    await here.manager.endAll(ada, { except: session });
    const outcome = await here.manager.commit(session);
    session = await here.manager.open(outcome.kind === 'issue' ? outcome.token : '');
    await here.manager.endAll(ada, { except: session });
    expect(await keptPrincipal()).toBe('ada');
  });

  it('W18: stays in further writes', async () => {
    await here.manager.endAll(ada, { except: session });
    session.set('visits', 1);
    const outcome = await here.manager.commit(session);
    const kept = outcome.kind === 'issue' ? outcome.token : '';
    here.clock.advance(10 * MINUTE);
    const later = await here.issued(kept, (s) => s.set('visits', 2));
    expect(await here.look(later, (s) => ({ who: s.principal?.id, visits: s.get('visits') }))).toEqual({
      who: 'ada',
      visits: 2,
    });
  });

  it('W18: stays whatever the request rolls back', async () => {
    await here.manager.endAll(ada, { except: session });
    session.rollback();
    session.set('visits', 1);
    expect(await keptPrincipal()).toBe('ada');
  });

  it('W18: is not replaced by an empty one that a request with the old value begins', async () => {
    await here.manager.endAll(ada, { except: session });
    await here.manager.commit(session);
    expect(await here.request(value, (other) => other.set('visits', 1))).toEqual({ kind: 'keep' });
  });

  it('R12, W18: is ended by a logout with the old value', async () => {
    await here.manager.endAll(ada, { except: session });
    const outcome = await here.manager.commit(session);
    await here.request(value, (other) => other.logout());
    expect(outcome.kind === 'issue' && (await principalOf(outcome.token))).toBeNull();
  });

  it.each([1, 2, 3, 4, 5, 6, 7])(
    'F1, W18: is good, or all others are, when call %i of the list fails',
    async (nth) => {
      const other = await here.issued(null, (s) => s.login(ada));
      let calls = 0;
      here.list.before = () => {
        if (++calls === nth) throw new Error('down');
      };
      const failure = await here.manager
        .endAll(ada, { except: session })
        .catch(({ code }: SessionError) => code);
      here.list.before = () => {};
      const outcome = await here.manager.commit(session);
      const own = outcome.kind === 'issue' ? outcome.token : value;
      expect({ own: await principalOf(own), other: await principalOf(other) }).toEqual({
        own: 'ada',
        other: failure === undefined ? null : 'ada',
      });
    },
  );

  it('W18: ends with the others when its client has gone', async () => {
    const other = await here.issued(null, (s) => s.login(ada));
    session.set('visits', 1);
    await here.manager.endAll(ada, { except: session, delivery: { reach: 'gone', capacity: 4000 } });
    expect({ own: await principalOf(value), other: await principalOf(other) }).toEqual({
      own: null,
      other: null,
    });
  });
});
