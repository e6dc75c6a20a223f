import type { Session } from 'nestjs-tessera';
import { keepState, takeOutState } from '../../lib/core/login-states';
import { draftOf } from '../../lib/core/session';
import { takeOut } from '../../lib/core/taking';
import { core, MINUTE, type Core } from '../support/core';
import '../support/session-data';

describe('the state of a login at another site', () => {
  let app: Core;
  beforeEach(() => (app = core()));

  const keep = (session: Session, value: unknown, provider = 'google', validFor = 10 * MINUTE): string =>
    keepState(draftOf(session), provider, value, validFor);

  /** A session with a state for each value. Returns its token and the handles. */
  async function begun(...values: unknown[]): Promise<{ token: string; handles: string[] }> {
    const handles: string[] = [];
    const token = await app.issued(null, (session) => {
      for (const value of values) {
        handles.push(keep(session, value));
        app.clock.advance(1);
      }
    });
    return { token, handles };
  }
  async function take(token: string | null, handle: string, provider = 'google'): Promise<unknown> {
    const session = await app.manager.open(token);
    const taken = await takeOut(
      draftOf(session),
      (draft) => takeOutState(draft, provider, handle),
      () => app.manager.commit(session),
    );
    return taken && taken.value;
  }

  it('comes back as it was, once', async () => {
    const value = { verifier: 'v', issued: new Date(0), to: undefined };
    const { token, handles } = await begun(value);
    const taken = { first: await take(token, handles[0]!), second: await take(token, handles[0]!) };
    expect(taken).toEqual({ first: value, second: null });
  });

  it('R15: is given to one of fifty requests at once', async () => {
    const { token, handles } = await begun('v');
    const all = await Promise.all(Array.from({ length: 50 }, () => take(token, handles[0]!)));
    expect(all.filter((each) => each !== null)).toEqual(['v']);
  });

  it('stays when the commit fails', async () => {
    const { token, handles } = await begun('v');
    const session = await app.manager.open(token);
    const failing = takeOut(
      draftOf(session),
      (draft) => takeOutState(draft, 'google', handles[0]!),
      () => Promise.reject(new Error('down')),
    );
    await expect(failing).rejects.toThrow('down');
    expect(await take(token, handles[0]!)).toBe('v');
  });

  it.each<[string, (begun: { token: string; handles: string[] }) => Promise<unknown>]>([
    ['another provider', ({ token, handles }) => take(token, handles[0]!, 'github')],
    ['another session', async ({ handles }) => take((await begun('w')).token, handles[0]!)],
    ['a visitor without a session', ({ handles }) => take(null, handles[0]!)],
    ['another handle', ({ token }) => take(token, 'constructor')],
  ])('is not for %s, and stays', async (_who, takeWrongly) => {
    const { token, handles } = await begun('v');
    const wrong = await takeWrongly({ token, handles });
    expect({ wrong, right: await take(token, handles[0]!) }).toEqual({ wrong: null, right: 'v' });
  });

  it('expires by the clock of the instance', async () => {
    const { token, handles } = await begun('v', 'w');
    app.clock.advance(10 * MINUTE - 2);
    const taken = { expired: await take(token, handles[0]!), later: await take(token, handles[1]!) };
    expect(taken).toEqual({ expired: null, later: 'w' });
  });

  it('takes no place any more when it has expired and another login begins', async () => {
    const { token } = await begun('v', 'w');
    app.clock.advance(10 * MINUTE);
    await app.request(token, (session) => keep(session, 'x'));
    const { own } = draftOf(await app.manager.open(token)).state;
    expect(Object.keys(own.states!).length).toBe(1);
  });

  it('is one of at most ten, of which the eldest goes first', async () => {
    const values = Array.from({ length: 11 }, (_, index) => index);
    const { token, handles } = await begun(...values);
    const taken: unknown[] = [];
    for (const handle of handles) taken.push(await take(token, handle));
    expect(taken).toEqual([null, ...values.slice(1)]);
  });

  it('is kept beside one that another request begins at the same time', async () => {
    const { token } = await begun('first');
    const [one, two] = [await app.manager.open(token), await app.manager.open(token)];
    const handles = [keep(one, 'one'), keep(two, 'two')];
    await Promise.all([app.manager.commit(one), app.manager.commit(two)]);
    const taken = { one: await take(token, handles[0]!), two: await take(token, handles[1]!) };
    expect(taken).toEqual({ one: 'one', two: 'two' });
  });

  it('outlives the login of another tab, with its data dropped, and no logout', async () => {
    const { token, handles } = await begun('v', 'w');
    const loggedIn = await app.issued(token, (session) => session.login({ id: 7 }, { keepData: false }));
    const after = await take(loggedIn, handles[0]!);
    const loggedOut = await app.issued(loggedIn, (session) => session.logout({ keepData: true }));
    expect({ after, later: await take(loggedOut, handles[1]!) }).toEqual({ after: 'v', later: null });
  });

  it('is refused when the session cannot keep it', async () => {
    const session = await app.manager.open(null);
    expect(() => keep(session, () => {})).toThrow(
      expect.objectContaining({ code: 'SESSION_VALUE_UNSUPPORTED' }),
    );
    expect(session.status).toBe('unchanged');
  });
});
