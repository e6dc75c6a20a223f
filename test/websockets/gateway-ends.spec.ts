import { Logger } from '@nestjs/common';
import { SessionEvents, SessionRegistry, SessionService, bearer, composite, cookie } from 'nestjs-tessera';
import { platforms } from '../support/app';
import { visitor } from '../support/visitor';
import { GatewayFixture, MINUTE, done, refused } from './gateway-fixture';
import { socketKinds, type Handshake } from './socket-client';

describe.each(
  platforms.flatMap((platform) => socketKinds.map((kind) => ({ platform, kind, name: kind.name }))),
)('a socket of a gateway of $name on $platform', ({ platform, kind }) => {
  const fixture = new GatewayFixture(platform, kind);
  afterEach(fixture.close);

  it.each<{ what: string; end: () => unknown }>([
    { what: 'a logout', end: () => fixture.http.run(fixture.ada, (s) => s.logout()) },
    {
      what: 'a logout that keeps the data',
      end: () => fixture.http.run(fixture.ada, (s) => s.logout({ keepData: true })),
    },
    { what: 'another login', end: () => fixture.http.run(fixture.ada, (s) => s.login({ id: 'eve' })) },
    { what: 'an impersonation', end: () => fixture.http.run(fixture.ada, (s) => s.actAs({ id: 'eve' })) },
    { what: 'a revocation', end: () => fixture.app.get(SessionRegistry).endAll({ id: 'ada' }) },
    { what: 'its idle timeout', end: () => fixture.clock.advance(31 * MINUTE) },
  ])('S2: is closed by $what', async ({ end }) => {
    await fixture.start();
    await fixture.logIn();
    const socket = await fixture.connect(fixture.ada);
    expect(await socket.ask('guarded')).toEqual(done('ada'));
    await end();
    expect(await socket.closed).toBe(kind.ending);
  });

  it('S2: ends its own session with all others, since it can get no new token', async () => {
    await fixture.start();
    await fixture.logIn();
    const copied = await fixture.ada.twin();
    const socket = await fixture.connect(fixture.ada);
    void socket.ask('end all others');
    const closed = await socket.closed;
    const users = await Promise.all(
      [fixture.ada, copied].map((each) => fixture.http.ask(each, (s) => s.principal)),
    );
    expect({ closed, users }).toEqual({ closed: kind.ending, users: [null, null] });
  });

  it('S2: is closed by its own logout', async () => {
    await fixture.start();
    await fixture.logIn();
    const socket = await fixture.connect(fixture.ada);
    await fixture.run(socket, (s) => s.logout());
    expect({
      ending: await socket.closed,
      user: await fixture.http.ask(fixture.ada, (s) => s.principal),
    }).toEqual({
      ending: kind.ending,
      user: null,
    });
  });

  it.each<{ what: string; replace: () => unknown }>([
    { what: 'an elevation', replace: () => fixture.http.run(fixture.ada, (s) => s.elevate({ level: 2 })) },
    { what: 'a renewal', replace: () => fixture.http.run(fixture.ada, (s) => s.renewToken()) },
    {
      what: 'the end of all other sessions',
      replace: () =>
        fixture.http.run(fixture.ada, async () =>
          fixture.app.get(SessionService).endAll({ id: 'ada' }, { except: 'current' }),
        ),
    },
  ])('S2: is closed by $what, as it may have been opened with a copied token', async ({ replace }) => {
    await fixture.start();
    await fixture.logIn();
    const socket = await fixture.connect(await fixture.ada.twin());
    await socket.ask('current');
    fixture.clock.advance(1000);
    await replace();
    expect({
      ending: await socket.closed,
      user: await fixture.http.ask(fixture.ada, (s) => s.principal?.id),
    }).toEqual({
      ending: kind.ending,
      user: 'ada',
    });
  });

  it('S2: stays open over rotations, long after its token is dead', async () => {
    await fixture.start({ rotateEvery: '5m' });
    const stolen: unknown[] = [];
    fixture.app.get(SessionEvents).subscribe((event) => event.type === 'stolen' && stolen.push(event));
    await fixture.logIn();
    const socket = await fixture.connect(fixture.ada);
    for (let i = 0; i < 6; i++) {
      fixture.clock.advance(6 * MINUTE);
      await fixture.http.run(fixture.ada, (s) => s.set('visits', i));
    }
    const seen = await fixture.run(socket, (s) => s.update('visits', (n = 0) => n + 1));
    const back = await fixture.http.ask(fixture.ada, (s) => s.get('visits'));
    expect({ seen, back, stolen }).toEqual({ seen: done(6), back: 6, stolen: [] });
  });

  it('E2: keeps its session alive by messages', async () => {
    await fixture.start();
    await fixture.logIn();
    const socket = await fixture.connect(fixture.ada);
    for (let i = 0; i < 5; i++) {
      fixture.clock.advance(20 * MINUTE);
      await socket.ask('guarded');
    }
    expect(await fixture.http.ask(fixture.ada, (s) => s.principal?.id)).toBe('ada');
  });

  it('S4: is refused from pages of other sites before the session is read', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    await fixture.start({ csrf: { trustedOrigins: ['https://app.example'] } });
    await fixture.logIn();
    fixture.store.take();
    for (let n = 0; n < 2; n++)
      await expect(fixture.connect(fixture.ada, { origin: 'https://evil.example' })).rejects.toThrow();
    const calls = fixture.store.take();
    const trusted = await fixture.connect(fixture.ada, { origin: 'https://app.example' });
    expect({ calls, trusted: await trusted.ask('guarded') }).toEqual({ calls: [], trusted: done('ada') });
    const warnings = warn.mock.calls.flat().filter((line) => /was refused a socket/.test(String(line)));
    expect(warnings).toEqual([expect.stringContaining('A page of https://evil.example was refused')]);
    warn.mockRestore();
  });

  it('S4: is closed at once where an adapter drops the options of its servers', async () => {
    const connected: string[] = [];
    await fixture.start({}, (adapter) => {
      const { create } = adapter;
      adapter.create = (port: number) => create.call(adapter, port, {} as never) as never;
    });
    fixture.whenConnected = (s) => connected.push(s.principal?.id ?? 'nobody');
    await fixture.logIn();
    fixture.store.take();
    const socket = await fixture.connect(fixture.ada, { origin: 'https://evil.example' }).catch(() => null);
    expect({ ending: await socket?.closed, connected, calls: fixture.store.take() }).toEqual({
      ending: kind.ending,
      connected: [],
      calls: [],
    });
  });

  it('F1: is closed when its session cannot be read at the handshake, for it could not be closed by its end', async () => {
    await fixture.start();
    await fixture.logIn();
    const went: string[] = [];
    fixture.whenConnected = () => went.push('on');
    fixture.store.before = () => Promise.reject(new Error('the store is down'));
    const socket = await fixture.connect(fixture.ada);
    expect({ ending: await socket.closed, went }).toEqual({ ending: kind.failing, went: [] });
    fixture.store.before = () => {};
  });

  it('C18: has no session when the two tokens of its handshake differ', async () => {
    await fixture.start({ transport: composite(cookie(), bearer()) });
    await fixture.logIn();
    const eve = await visitor(fixture.app);
    await fixture.http.run(eve, (s) => s.login({ id: 'eve' }));
    const [a, e] = [(await fixture.ada.token())!, (await eve.token())!];
    const authorization = `Bearer ${a}`;
    const handshake: Handshake =
      kind.name === 'ws'
        ? { headers: { authorization, cookie: `__Host-session=${e}` } }
        : { headers: { authorization }, auth: { token: e } };
    expect(await (await fixture.open(handshake)).ask('current')).toEqual(done(null));
  });

  it('C18: has the session of a bearer token', async () => {
    await fixture.start({ transport: composite(cookie(), bearer()) });
    await fixture.logIn();
    const token = (await fixture.ada.token())!;
    const inHeader = await fixture.open({ headers: { authorization: `Bearer ${token}` } });
    const handshakes = [inHeader, ...(kind.name === 'ws' ? [] : [await fixture.open({ auth: { token } })])];
    const answers = await Promise.all(handshakes.map((each) => each.ask('guarded')));
    expect(answers).toEqual(handshakes.map(() => done('ada')));
  });

  it('F1: answers with an error while the store is down, and goes on afterwards', async () => {
    await fixture.start();
    await fixture.logIn();
    const socket = await fixture.connect(fixture.ada);
    await socket.ask('current');
    fixture.store.before = () => Promise.reject(new Error('the store is down'));
    const [read, guarded] = [await fixture.run(socket, () => 1), await socket.ask('guarded')];
    fixture.store.before = (call) =>
      call === 'find' ? undefined : Promise.reject(new Error('the store is down'));
    const written = await fixture.run(socket, (s) => s.set('visits', 1));
    fixture.store.before = () => {};
    const unavailable = refused('SESSION_STORE_UNAVAILABLE');
    expect({ read, guarded, written, after: await socket.ask('guarded') }).toEqual({
      read: unavailable,
      guarded: unavailable,
      written: unavailable,
      after: done('ada'),
    });
  });
});
