import type { LoadedSession } from 'nestjs-tessera';
import { core, type Core } from '../support/core';
import '../support/session-data';
import { Markdown } from './markdown';

type Work = (session: LoadedSession) => unknown;

const ada = { id: 7 };
const visit = (session: LoadedSession) => session.update('visits', (visits = 0) => visits + 1);
const darken = (session: LoadedSession) => session.set('theme', 'dark');
const logIn = (session: LoadedSession) => session.login(ada);
const logOut = (session: LoadedSession) => session.logout();

/** What two requests did, of which the first has committed first. */
interface Found {
  /** What was returned to each. */
  readonly got: unknown[];
  /** What each client is told. */
  readonly told: string[];
  /** The session of the token with which both have begun. */
  readonly old: object;
  /** The session of the token that the client was given last, or has. */
  readonly now: object;
}

let app: Core;
let token: string;

async function both(first: Work, second: Work): Promise<Found> {
  const sessions = [await app.manager.open(token), await app.manager.open(token)] as const;
  const got = [first(sessions[0]), second(sessions[1])].map((value) => (Array.isArray(value) ? value : null));
  const outcomes = [await app.manager.commit(sessions[0]), await app.manager.commit(sessions[1])];
  const last = outcomes.findLast((outcome) => outcome.kind === 'issue');
  const told = outcomes.map(({ kind }) => kind);
  return { got, told, old: await seen(token), now: await seen(last?.token ?? token) };
}

async function seen(of: string): Promise<object> {
  const session = await app.manager.open(of);
  return { who: session.principal?.id, ...Object.fromEntries(session.entries() as [string, unknown][]) };
}

/** What a visitor's session has before. */
const before = { theme: 'light', visits: 1, cart: ['tea'] };
const NOTHING_LEFT = { got: [null, null], old: {}, now: {} };

const rows: Record<string, () => Promise<void>> = {
  'set of a key | set of another key': async () => {
    const { now } = await both(darken, (session) => session.set('visits', 9));
    expect(now).toMatchObject({ theme: 'dark', visits: 9 });
  },
  'set of a key | set of the same key': async () => {
    const { now } = await both(
      (session) => session.set('visits', 8),
      (session) => session.set('visits', 9),
    );
    expect(now).toMatchObject({ visits: 9 });
  },
  'update of a key | update of the same key': async () => {
    expect(await both(visit, visit)).toMatchObject({ now: { visits: 3 } });
  },
  'change in place | change in place, same key': async () => {
    const { now } = await both(
      (session) => session.get('cart')!.push('pear'),
      (session) => session.get('cart')!.push('fig'),
    );
    expect(now).toMatchObject({ cart: ['tea', 'fig'] });
  },
  'set of a key | update of the same key': async () => {
    const set: Work = (session) => session.set('visits', 10);
    expect(await both(set, visit)).toMatchObject({ now: { visits: 11 } });
    expect(await both(visit, set)).toMatchObject({ now: { visits: 10 } });
  },
  'delete of a key | update of the same key': async () => {
    const remove: Work = (session) => session.delete('visits');
    expect(await both(remove, visit)).toMatchObject({ now: { visits: 1 } });
    expect((await both(visit, remove)).now).not.toHaveProperty('visits');
  },
  'pop of a key | pop of the same key': async () => {
    const pop: Work = (session) => [session.pop('theme')];
    const { got, now } = await both(pop, pop);
    expect(got).toEqual([['light'], ['light']]);
    expect(now).not.toHaveProperty('theme');
  },
  'sessions.take | sessions.take, same key': async () => {
    const sessions = [await app.manager.open(token), await app.manager.open(token)];
    const take = (session: LoadedSession) =>
      app.manager.take(session, 'theme', () => app.manager.commit(session));
    expect((await Promise.all(sessions.map(take))).sort()).toEqual(['light', undefined]);
  },
  'clear | set': async () => {
    const clear: Work = (session) => session.clear();
    expect((await both(clear, darken)).now).toEqual({ theme: 'dark' });
    expect((await both(darken, clear)).now).toEqual({});
  },
  'flash | flash': async () => {
    await both(
      (session) => session.flash('notice', 'two'),
      (session) => session.flash('notice', 'three'),
    );
    expect((await app.manager.open(token)).messages('notice')).toEqual(['one', 'two', 'three']);
  },
  'messages | messages': async () => {
    const read: Work = (session) => session.messages('notice');
    expect((await both(read, read)).got).toEqual([['one'], ['one']]);
    expect((await app.manager.open(token)).messages('notice')).toEqual([]);
  },
  'flash | messages': async () => {
    const { got } = await both(
      (session) => session.flash('notice', 'two'),
      (session) => session.messages('notice'),
    );
    expect(got).toEqual([null, ['one']]);
    expect((await app.manager.open(token)).messages('notice')).toEqual(['two']);
  },
  'setConstant | setConstant, other value': async () => {
    const fixing = both(
      (session) => session.setConstant('tenant', 'acme'),
      (session) => session.setConstant('tenant', 'other'),
    );
    await expect(fixing).rejects.toMatchObject({ code: 'SESSION_CONSTANT_FIXED' });
    expect((await app.manager.open(token)).constant('tenant')).toBe('acme');
  },
  'login | set, committed before': async () => {
    expect(await both(darken, logIn)).toMatchObject({
      told: ['keep', 'issue'],
      now: { who: '7', theme: 'dark' },
    });
  },
  'login | set, committed after': async () => {
    const { told, old, now } = await both(logIn, darken);
    expect({ told, old, now }).toEqual({ told: ['issue', 'keep'], old: {}, now: { who: '7', ...before } });
    expect(app.events).toContainEqual(expect.objectContaining({ type: 'rejected', reason: 'superseded' }));
  },
  'login | login': async () => {
    const { told, now } = await both(logIn, logIn);
    expect({ told, now }).toEqual({ told: ['issue', 'issue'], now: { who: '7', ...before } });
    const ids = app.events.filter(({ type }) => type === 'created').map(({ id }) => id);
    expect(new Set(ids).size).toBe(2);
  },
  'logout | set': async () => {
    await asAda();
    expect(await both(logOut, darken)).toEqual({ ...NOTHING_LEFT, told: ['forget', 'keep'] });
    await asAda();
    expect(await both(darken, logOut)).toEqual({ ...NOTHING_LEFT, told: ['keep', 'forget'] });
  },
  'logout | login': async () => {
    await asAda();
    const { told, old, now } = await both(logOut, logIn);
    expect({ told, old, now }).toEqual({ told: ['forget', 'issue'], old: {}, now: { who: '7' } });
  },
  'logout or destroy | the same': async () => {
    const destroy: Work = (session) => session.destroy();
    for (const end of [logOut, destroy]) {
      await asAda();
      expect(await both(end, end)).toEqual({ ...NOTHING_LEFT, told: ['forget', 'forget'] });
    }
  },
  'elevate, renewToken or rotateToken | set': async () => {
    for (const replace of replacements) {
      await asAda();
      expect(await both(replace, darken)).toMatchObject({
        told: ['issue', 'keep'],
        now: { who: '7', theme: 'dark' },
      });
    }
  },
  'elevate, renewToken or rotateToken | the same': async () => {
    for (const replace of replacements) {
      await asAda();
      expect(await both(replace, replace)).toMatchObject({ told: ['issue', 'keep'], now: { who: '7' } });
    }
  },
  'endOthers, endAll except current | the same': async () => {
    await asAda();
    const sessions = [await app.manager.open(token), await app.manager.open(token)];
    for (const except of sessions) await app.manager.endAll(ada, { except });
    const [first] = await Promise.all(sessions.map((session) => app.manager.commit(session)));
    const issued = first?.kind === 'issue' ? first.token : null;
    expect({ issued, old: await seen(token), now: await seen(issued!) }).toEqual({
      issued: expect.any(String),
      old: {},
      now: {},
    });
  },
};

const replacements: Work[] = [
  (session) => session.elevate({ roles: ['admin'] }),
  (session) => session.renewToken(),
  (session) => session.rotateToken(),
];

async function asAda(): Promise<void> {
  token = await app.issued(null, (session) => session.set('visits', 1).login(ada));
}

describe('what two requests at once leave behind, as docs/concurrency.md says', () => {
  const listed = new Markdown('docs/concurrency.md')
    .tables('one request')
    .flatMap((table) => table.map(([first = '', second = '']) => `${first} | ${second}`.replaceAll('`', '')));

  beforeEach(async () => {
    app = core();
    token = await app.issued(null, (session) => {
      session.set('theme', 'light').set('visits', 1).set('cart', ['tea']);
      session.flash('notice', 'one');
    });
  });

  it('has a test for each row', () => {
    expect(listed).toEqual(Object.keys(rows));
  });

  it.each(Object.entries(rows))('%s', async (_row, proves) => proves());

  it('writes nothing for a request that only reads', async () => {
    expect(await both(darken, (session) => session.get('cart'))).toMatchObject({
      told: ['keep', 'keep'],
      now: { ...before, theme: 'dark' },
    });
  });

  it('gives two visitors without a token two sessions', async () => {
    const tokens = [await app.issued(null, visit), await app.issued(null, visit)];
    expect(await Promise.all(tokens.map(seen))).toEqual([{ visits: 1 }, { visits: 1 }]);
  });
});
