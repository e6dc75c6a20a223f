import { CookieJar } from 'tough-cookie';
import {
  MemorySessionStore,
  SessionEvents,
  type CookieOptions,
  type Session,
  type SessionEvent,
} from 'nestjs-tessera';
import { manualClock } from 'nestjs-tessera/testing';
import { closeApps, platforms, startApp } from '../support/app';
import { scripted } from '../support/scripted';
import '../support/session-data';
import { Visitor } from '../support/visitor';

const former: CookieOptions = { name: 'session', path: '/scripted-default' };
const careless: CookieOptions = { name: 'session' };
const careful: CookieOptions = { name: 'session', replaces: [{ path: '/scripted-default' }] };

describe.each(platforms)('a release with another cookie path on %s', (platform) => {
  const session = scripted();
  let store: MemorySessionStore;
  let jar: CookieJar;
  const clock = manualClock(Date.now());
  let events: SessionEvent[];
  beforeEach(() => {
    store = new MemorySessionStore();
    jar = new CookieJar();
    events = [];
  });
  afterEach(closeApps);

  /** The browser at a release with this cookie. */
  const at = async (cookie: CookieOptions): Promise<Visitor> => {
    const app = await startApp({ platform, options: { store, cookie }, controllers: [session.controller] });
    app.get(SessionEvents).subscribe((event) => events.push(event));
    return new Visitor(await app.getUrl(), jar);
  };
  /** A request with the cookies that a browser sends to its path. */
  const run = async (visitor: Visitor, work: (s: Session) => unknown) => {
    const headers = { cookie: await jar.getCookieString('https://127.0.0.1/scripted-default/0') };
    return (await session.run(visitor, work, { headers })).json<{ result?: unknown }>().result;
  };
  const who = (visitor: Visitor) => run(visitor, ({ principal }) => principal?.id ?? null);
  const cookies = async () => (await jar.serialize()).cookies.map(({ path, value }) => ({ path, value }));

  it('W14: leaves a browser with two cookies, of which neither is used', async () => {
    await run(await at(former), (s) => s.login({ id: 7 }));
    const careless1 = await at(careless);
    expect(await who(careless1)).toBe('7');
    await run(careless1, (s) => s.login({ id: 7 }));
    expect({ who: await who(careless1), cookies: (await cookies()).length }).toEqual({
      who: null,
      cookies: 2,
    });
    expect(events.at(-1)).toMatchObject({ type: 'rejected', reason: 'ambiguous' });
  });

  it('W14: removes the old cookie with each new token if it is told which', async () => {
    await run(await at(former), (s) => s.login({ id: 7 }));
    const visitor = await at(careful);
    expect(await who(visitor)).toBe('7');
    await run(visitor, (s) => s.login({ id: 7 }));
    expect({ who: await who(visitor), cookies: await cookies() }).toEqual({
      who: '7',
      cookies: [{ path: '/', value: await visitor.token('session') }],
    });
  });

  it.each([
    { live: 'the new one', first: former, second: careless },
    { live: 'the old one', first: careless, second: former },
  ])('W14: uses the one of two cookies that opens a session: $live', async ({ first, second }) => {
    const before = await at(first);
    await run(before, (s) => s.set('visits', 1));
    await store.delete((await run(before, ({ id }) => id)) as never);
    await run(await at(second), (s) => s.login({ id: 7 }));
    expect(await cookies()).toHaveLength(2);

    const visitor = await at(careful);
    expect(await who(visitor)).toBe('7');
    expect({ who: await who(visitor), cookies: (await cookies()).map(({ path }) => path) }).toEqual({
      who: '7',
      cookies: ['/'],
    });
  });

  it('W14: takes no cookie that a rotation has left for a copy', async () => {
    const options = { store, clock, cookie: careful, rotateEvery: 'always' as const };
    const app = await startApp({ platform, options, controllers: [session.controller] });
    app.get(SessionEvents).subscribe((event) => events.push(event));
    const visitor = new Visitor(await app.getUrl(), jar);
    await run(visitor, (s) => s.login({ id: 7 }));
    const before = await visitor.token('session');
    await who(visitor);
    await who(visitor);
    clock.advance('2m');
    const headers = { cookie: `session=${before}; session=${await visitor.token('session')}` };
    const answer = await session.run(visitor, ({ principal }) => principal?.id, { headers });
    expect({ answer: answer.json(), stolen: events.filter(({ type }) => type === 'stolen') }).toEqual({
      answer: { result: '7' },
      stolen: [],
    });
  });

  it('W14: uses neither of two cookies that both open a session', async () => {
    await run(await at(former), (s) => s.login({ id: 7 }));
    const [old] = await cookies();
    jar = new CookieJar();
    const visitor = await at(careful);
    await run(visitor, (s) => s.login({ id: 8 }));
    const headers = { cookie: `session=${old!.value}; session=${await visitor.token('session')}` };
    const answer = await session.run(visitor, ({ principal }) => principal, { headers });
    expect({ answer: answer.json(), cookies: answer.cookies }).toEqual({
      answer: { result: null },
      cookies: [],
    });
    expect(events.at(-1)).toMatchObject({ type: 'rejected', reason: 'ambiguous' });
  });
});
