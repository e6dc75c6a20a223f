import { SessionManager, SessionRegistry, bearer, composite, cookie } from 'nestjs-tessera';
import type { ManualClock } from 'nestjs-tessera/testing';
import { until } from '../../lib/testing/store-suite/deadline-client';
import { closeApps, type App } from '../support/app';
import { visitor, type Visitor } from '../support/visitor';
import type { WatchedStore } from '../support/watched-store';
import { field, late, publish, waiting, working, type Work } from './news';
import { ENDED, SocketApp, WHO, who } from './socket-app';
import { codeOf, servers, type Connecting, type Reply } from './subscriber';

const MINUTE = 60_000;

describe.each(servers)('operations over a socket of $server on $platform', ({ platform, graphql }) => {
  const fixture = new SocketApp(platform, graphql);
  const { http, events } = fixture;
  let app: App;
  let ada: Visitor;
  let store: WatchedStore;
  let clock: ManualClock;

  // One application for all tests: it takes a while to build the schema.
  beforeAll(() =>
    fixture.start({
      transport: composite(cookie(), bearer()),
      csrf: { trustedOrigins: ['https://app.example'], token: true },
    }),
  );
  beforeEach(async () => {
    await fixture.begin();
    ({ app, ada, store, clock } = fixture);
  });
  afterEach(() => fixture.end());
  afterAll(closeApps);

  it('S1: see what HTTP wrote, and so does each event', async () => {
    await fixture.logIn();
    const socket = await fixture.connect();
    const news = socket.results('subscription { news { text reader visits } }');
    const first = news.next();
    await publish('one');
    const one = await first;
    await http.run(ada, (s) => s.set('visits', 7));
    await publish('two');
    expect([one.value, (await news.next()).value]).toEqual([
      { data: { news: { text: 'one', reader: 'ada', visits: 0 } } },
      { data: { news: { text: 'two', reader: 'ada', visits: 7 } } },
    ]);
  });

  it('S1: have the session in the filter of a subscription, and where its events are resolved', async () => {
    await fixture.logIn();
    const news = (await fixture.connect()).results('subscription { filtered { text } }');
    const first = news.next();
    await publish('to nobody');
    await http.run(ada, (s) => s.set('theme', 'dark'));
    await publish('news');
    expect((await first).value).toEqual({ data: { filtered: { text: 'news for ada' } } });
  });

  it('S1: load the session once, however much asks for it', async () => {
    await fixture.logIn();
    const socket = await fixture.connect();
    await socket.ask(WHO);
    store.take();
    const work = field((s) => s.principal?.id);
    await socket.ask(`mutation { a: ${work} b: ${work} c: ${work} }`);
    expect(store.take()).toEqual(['find']);
  });

  it('cost no call of the store without use of a session', async () => {
    await fixture.logIn();
    const news = (await fixture.connect()).results('subscription { plain { text } }');
    const first = news.next();
    await publish('one');
    expect({ first: (await first).value, calls: store.take() }).toEqual({
      first: { data: { plain: { text: 'one' } } },
      calls: [],
    });
  });

  it('have the actor', async () => {
    await fixture.logIn();
    await http.run(ada, (s) => s.actAs({ id: 'eve' }));
    expect(await (await fixture.connect()).ask(WHO)).toEqual({ data: { who: 'ada as eve' } });
  });

  it('are refused by guards with their code', async () => {
    const visiting = await (await fixture.connect()).ask('subscription { news { text } }');
    await fixture.logIn(['user']);
    const member = await (await fixture.connect()).ask('subscription { secret { text } }');
    expect([visiting, member].map(codeOf)).toEqual(['LOGIN_REQUIRED', 'ROLE_REQUIRED']);
  });

  it('S5: have no current request, least of all the one that opened their socket', async () => {
    await fixture.logIn();
    const socket = await fixture.connect();
    const current = working((_session, sessions) => sessions.current());
    expect(codeOf(await socket.ask(current))).toBe('SESSION_REQUEST_MISSING');
  });

  it.each<{ what: string; end: () => unknown }>([
    { what: 'a logout', end: () => http.run(ada, (s) => s.logout()) },
    { what: 'a logout that keeps the data', end: () => http.run(ada, (s) => s.logout({ keepData: true })) },
    { what: 'another login', end: () => http.run(ada, (s) => s.login({ id: 'eve' })) },
    { what: 'an impersonation', end: () => http.run(ada, (s) => s.actAs({ id: 'eve' })) },
    { what: 'an elevation', end: () => http.run(ada, (s) => s.elevate({ level: 2 })) },
    { what: 'a renewal', end: () => http.run(ada, (s) => s.renewToken()) },
    { what: 'a revocation', end: () => app.get(SessionRegistry).endAll({ id: 'ada' }) },
    { what: 'the idle timeout', end: () => clock.advance(31 * MINUTE) },
  ])('S2: end with $what, which closes their socket', async ({ end }) => {
    await fixture.logIn();
    const socket = await fixture.connect();
    const ended = socket
      .results('subscription { news { text } }')
      .next()
      .catch((error: unknown) => error);
    await until(() => waiting() === 1, 'the subscription is there');
    clock.advance(1000);
    await end();
    expect({ closed: await socket.closed, ended: await ended }).toMatchObject({
      closed: ENDED,
      ended: { code: 4403 },
    });
  });

  it('S2: end also when the client does not answer the close', async () => {
    await fixture.logIn();
    const socket = await fixture.connect();
    void socket
      .results('subscription { news { text } }')
      .next()
      .catch(() => null);
    await until(() => waiting() === 1, 'the subscription is there');
    socket.socket.pause();
    await http.run(ada, (s) => s.logout());
    await until(() => waiting() === 0, 'the server has dropped it');
  });

  it.each<{ what: string; work: Work; isVisitor?: true }>([
    { what: 'a change of data', work: (s) => s.set('visits', 1) },
    { what: 'the first write of a visitor', work: (s) => s.set('visits', 1), isVisitor: true },
    { what: 'a login', work: (s) => s.login({ id: 'eve' }), isVisitor: true },
    { what: 'another login', work: (s) => s.login({ id: 'eve' }) },
    { what: 'a renewal', work: (s) => s.renewToken() },
    { what: 'a logout', work: (s) => s.logout() },
  ])('S3: refuse $what, whatever their kind, and store nothing', async ({ work, isVisitor = false }) => {
    if (!isVisitor) await fixture.logIn();
    const socket = await fixture.connect();
    await socket.ask(WHO);
    store.take();
    const replies: Reply[] = [];
    for (const kind of ['subscription', 'query', 'mutation'])
      replies.push(await socket.ask(working(work, kind)));
    const writes = store.take().filter((call) => call !== 'find');
    expect({ codes: replies.map(codeOf), writes, after: await socket.ask(WHO) }).toEqual({
      codes: Array.from({ length: 3 }, () => 'SESSION_READ_ONLY'),
      writes: [],
      after: who(isVisitor ? undefined : 'ada'),
    });
    expect(replies[0]!.errors![0]!.message).toContain('Send a mutation over HTTP');
  });

  it('S3: refuse to change a value in place', async () => {
    await fixture.logIn();
    await http.run(ada, (s) => s.set('cart', ['pear']));
    const { errors } = await (await fixture.connect()).ask(working((s) => s.get('cart')!.push('plum')));
    expect({ errors: errors?.length, cart: await http.ask(ada, (s) => s.get('cart')) }).toEqual({
      errors: 1,
      cart: ['pear'],
    });
  });

  it('S4: are refused when a page of another site opened their socket, before the session is read', async () => {
    await fixture.logIn();
    events.length = 0;
    const headers = { origin: 'https://evil.example' };
    // Mercurius adds this to the headers of the handshake.
    const connectionParams = { 'sec-fetch-site': 'same-origin' };
    const socket = await fixture.connect({ headers, connectionParams });
    const replies = await Promise.all([WHO, WHO].map((each) => socket.ask(each).catch(() => null)));
    const isTold = JSON.stringify(replies).includes('ada');
    expect({ isTold, closed: await socket.closed, calls: store.take(), events }).toEqual({
      isTold: false,
      closed: '4403 CSRF_REFUSED',
      calls: [],
      events: ['rejected csrf'],
    });
  });

  it('S4: are let in from a trusted page, and by CsrfGuard without its token', async () => {
    await fixture.logIn();
    const socket = await fixture.connect({ headers: { origin: 'https://app.example' } });
    expect(await socket.ask(working((s) => s.principal?.id, 'mutation'))).toEqual({
      data: { work: '"ada"' },
    });
  });

  it.each<{ where: string; connecting: (token: string) => Connecting }>([
    { where: 'in a header', connecting: (token) => ({ headers: { authorization: `Bearer ${token}` } }) },
    {
      where: 'in the parameters of the connection',
      connecting: (token) => ({ connectionParams: { authorization: `Bearer ${token}` } }),
    },
    {
      where: 'in those parameters, in capitals',
      connecting: (token) => ({ connectionParams: { Authorization: `Bearer ${token}` } }),
    },
  ])('C18: have the session of a bearer token $where', async ({ connecting }) => {
    await fixture.logIn();
    const socket = await fixture.open(connecting((await ada.token())!));
    expect(await socket.ask(WHO)).toEqual(who('ada'));
  });

  it.each<{ beside: string; headersOf: (token: string) => Record<string, string> }>([
    { beside: 'a cookie', headersOf: (token) => ({ cookie: `__Host-session=${token}` }) },
    { beside: 'another one in a header', headersOf: (token) => ({ authorization: `Bearer ${token}` }) },
  ])('C18: have no session of a token in those parameters beside $beside', async ({ headersOf }) => {
    await fixture.logIn();
    const eve = await visitor(app);
    await http.run(eve, (s) => s.login({ id: 'eve' }));
    const [own, other] = [(await ada.token())!, (await eve.token())!];
    const connectionParams = { authorization: `Bearer ${other}` };
    const socket = await fixture.open({ headers: headersOf(own), connectionParams });
    expect(await socket.ask(WHO)).toEqual(who(undefined));
  });

  it('C18: have no session of a cookie that is a parameter of the connection', async () => {
    await fixture.logIn();
    const connectionParams = { cookie: `__Host-session=${(await ada.token())!}` };
    expect(await (await fixture.open({ connectionParams })).ask(WHO)).toEqual(who(undefined));
  });

  it.each(['the handshake is read', 'a later operation is'])(
    'F1: fail with a code when the store is down while %s, and go on afterwards',
    async (when) => {
      await fixture.logIn();
      const socket = await fixture.connect();
      if (when !== 'the handshake is read') await socket.ask(WHO);
      store.before = () => Promise.reject(new Error('the store is down'));
      const [read, guarded] = [await socket.ask(WHO), await socket.ask('subscription { news { text } }')];
      store.before = () => {};
      expect({ codes: [read, guarded].map(codeOf), after: await socket.ask(WHO) }).toEqual({
        codes: ['SESSION_STORE_UNAVAILABLE', 'SESSION_STORE_UNAVAILABLE'],
        after: who('ada'),
      });
    },
  );

  it('E2: keep the session alive, and the events of a subscription do not', async () => {
    await fixture.logIn();
    const socket = await fixture.connect();
    for (let i = 0; i < 3; i++) {
      clock.advance(20 * MINUTE);
      await socket.ask(WHO);
    }
    const news = socket.results('subscription { news { reader } }');
    const first = news.next();
    await until(() => waiting() === 1, 'the subscription is there');
    clock.advance(20 * MINUTE);
    await publish('one');
    const read = await first;
    clock.advance(11 * MINUTE);
    expect({ read: read.value, closed: await socket.closed }).toEqual({
      read: { data: { news: { reader: 'ada' } } },
      closed: ENDED,
    });
    await news.return(undefined);
  });

  it('S2: have no session when their socket is closed already', async () => {
    await fixture.logIn();
    const socket = await fixture.connect();
    void socket.ask('{ late }').catch(() => null);
    await until(() => late.calls > late.readers.length, 'the resolver runs');
    await socket.close();
    await until(() => late.calls === late.readers.length, 'the resolver has gone on');
    expect({ reader: late.readers.at(-1), calls: store.take() }).toEqual({ reader: undefined, calls: [] });
  });

  it('S2: leave nothing behind when their socket is closed', async () => {
    const manager = app.get(SessionManager);
    const watch = manager.watchBound.bind(manager);
    const stops: jest.Mock[] = [];
    const spy = jest.spyOn(manager, 'watchBound').mockImplementation((...all) => {
      stops.push(jest.fn(watch(...all)));
      return stops.at(-1)!;
    });
    await fixture.logIn();
    for (let i = 0; i < 3; i++) {
      const socket = await fixture.connect();
      await socket.ask(WHO);
      await socket.ask(WHO);
      await socket.close();
    }
    spy.mockRestore();
    const stopped = (): number => stops.filter(({ mock }) => mock.calls.length === 1).length;
    await until(() => stopped() === 3, 'each socket has stopped its watch');
    expect(stops).toHaveLength(3);
  });
});
