import { Logger } from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import { MemorySessionStore, bearer, composite, cookie } from 'nestjs-tessera';
import { SealedSessions } from 'nestjs-tessera/sealed';
import { until } from '../../lib/testing/store-suite/deadline-client';
import { KEY } from '../sealed/sealed';
import { platforms } from '../support/app';
import { door } from '../support/watched-store';
import { GatewayFixture, done, refused, type MessageHandler, type Work } from './gateway-fixture';
import { socketKinds } from './socket-client';

describe.each(
  platforms.flatMap((platform) => socketKinds.map((kind) => ({ platform, kind, name: kind.name }))),
)('a gateway of $name on $platform', ({ platform, kind }) => {
  const fixture = new GatewayFixture(platform, kind);
  afterEach(fixture.close);

  it('S1: sees what HTTP wrote, and the other way round, at once', async () => {
    await fixture.start();
    await fixture.logIn();
    const socket = await fixture.connect(fixture.ada);
    await fixture.http.run(fixture.ada, (s) => s.set('visits', 1));
    const seen = await fixture.run(socket, (s) => s.update('visits', (n = 0) => n + 1));
    const back = await fixture.http.ask(fixture.ada, (s) => s.get('visits'));
    expect({ seen, back, current: await socket.ask('current') }).toEqual({
      seen: done(2),
      back: 2,
      current: done('ada'),
    });
  });

  it('S1: loads the session once for a message that uses it, and never for another', async () => {
    await fixture.start();
    await fixture.logIn();
    const socket = await fixture.connect(fixture.ada);
    await socket.ask('current');
    fixture.store.take();
    await socket.ask('nothing');
    const unused = fixture.store.take();
    await socket.ask('guarded');
    const read = fixture.store.take();
    await fixture.run(socket, (s) => s.set('visits', 1));
    expect({ unused, read, written: fixture.store.take() }).toEqual({
      unused: [],
      read: ['find'],
      written: ['find', 'update'],
    });
  });

  it('S1: loses nothing of parallel messages', async () => {
    await fixture.start();
    await fixture.logIn();
    const sockets = await Promise.all(Array.from({ length: 20 }, () => fixture.connect(fixture.ada)));
    await Promise.all(sockets.map((each) => fixture.run(each, (s) => s.update('visits', (n = 0) => n + 1))));
    expect(await fixture.http.ask(fixture.ada, (s) => s.get('visits'))).toBe(20);
  });

  it('S1: has a scope for each message, also when several are under way on one socket', async () => {
    await fixture.start();
    await fixture.logIn();
    const socket = await fixture.connect(fixture.ada);
    const [arrived, goOn] = [door(), door()];
    const slow = fixture.run(socket, async (s) => {
      s.set('theme', 'dark');
      arrived.open();
      await goOn.opened;
    });
    await arrived.opened;
    const before = await fixture.http.ask(fixture.ada, (s) => s.get('theme') ?? null);
    goOn.open();
    await slow;
    expect({ before, after: await fixture.http.ask(fixture.ada, (s) => s.get('theme')) }).toEqual({
      before: null,
      after: 'dark',
    });
  });

  it('S1: saves what a handler has changed also when a filter of its exception throws', async () => {
    const failures: string[] = [];
    await fixture.start({}, (adapter) => {
      const bind = adapter.bindMessageHandlers.bind(adapter);
      // Nest's own adapters let the process end.
      adapter.bindMessageHandlers = (client: never, handlers: MessageHandler[], process: never) => {
        const caught = handlers.map(({ callback, ...rest }) => ({
          ...rest,
          callback: (...all: unknown[]) =>
            (callback(...all) as Promise<unknown>).catch(({ message }: Error) => {
              failures.push(message);
              return { event: 'done', data: 'failed' };
            }) as Promise<never>,
        }));
        bind(client, caught, process);
      };
    });
    await fixture.logIn();
    const answer = await (await fixture.connect(fixture.ada)).ask('failing');
    expect({ answer, failures, visits: await fixture.http.ask(fixture.ada, (s) => s.get('visits')) }).toEqual(
      {
        answer: done('failed'),
        failures: ['of the filter'],
        visits: 7,
      },
    );
  });

  it('S1: has the session when a socket connects, and saves what changes there', async () => {
    await fixture.start();
    await fixture.logIn();
    const connected: (string | null)[] = [];
    fixture.whenConnected = (s) => {
      connected.push(s.principal?.id ?? null);
      if (s.principal !== null) s.set('visits', 1);
    };
    const socket = await fixture.connect(fixture.ada);
    const nobody = await fixture.open();
    await Promise.all([socket, nobody].map((each) => each.ask('current')));
    expect({ connected, visits: await fixture.run(socket, (s) => s.get('visits')) }).toEqual({
      connected: ['ada', null],
      visits: done(1),
    });
  });

  it('S1: commits before the first of several answers, and what was set before an error', async () => {
    await fixture.start();
    await fixture.logIn();
    const socket = await fixture.connect(fixture.ada);
    await socket.ask('several');
    const theme = await fixture.http.ask(fixture.ada, (s) => s.get('theme'));
    const failed = await fixture.run(socket, (s) => {
      s.set('cart', ['pear']);
      throw new WsException({ status: 'error', code: 'MINE', message: 'no' });
    });
    expect({ theme, failed, cart: await fixture.http.ask(fixture.ada, (s) => s.get('cart')) }).toEqual({
      theme: 'dark',
      failed: refused('MINE'),
      cart: ['pear'],
    });
  });

  it('S1: has its session behind an interceptor, and commits before the answer', async () => {
    await fixture.start();
    await fixture.logIn();
    const socket = await fixture.connect(fixture.ada);
    const written = await fixture.run(socket, (s) => void s.set('visits', 7), 'intercepted');
    const visits = await fixture.http.ask(fixture.ada, (s) => s.get('visits'));
    const refusedLogin = await fixture.run(socket, (s) => s.login({ id: 'eve' }), 'intercepted');
    const left = await fixture.run(socket, (s) => s.logout(), 'intercepted');
    expect({
      written,
      visits,
      refusedLogin,
      left,
      user: await fixture.http.ask(fixture.ada, (s) => s.principal),
    }).toEqual({
      written: done(null),
      visits: 7,
      refusedLogin: refused('SESSION_TOKEN_UNDELIVERABLE'),
      left: done(null),
      user: null,
    });
  });

  it('S1: saves what a lazy answer changes before it, and what changes after the answer', async () => {
    await fixture.start();
    await fixture.logIn();
    const socket = await fixture.connect(fixture.ada);
    await socket.ask('lazy');
    const lazy = await fixture.http.ask(fixture.ada, (s) => s.get('visits'));
    await fixture.http.run(fixture.ada, (s) => s.set('visits', 0));
    fixture.going = door();
    await socket.ask('later');
    fixture.going.open();
    await until(
      async () => (await fixture.http.ask(fixture.ada, (s) => s.get('visits'))) === 7,
      'the late change is saved',
    );
    expect(lazy).toBe(7);
  });

  it('S3: tells no token to a message', async () => {
    await fixture.start({ transport: composite(cookie(), bearer()) });
    await fixture.logIn();
    const answer = await (await fixture.connect(fixture.ada)).ask('token');
    expect({
      event: answer.event,
      isTold: JSON.stringify(answer).includes((await fixture.ada.token())!),
    }).toEqual({
      event: 'exception',
      isTold: false,
    });
  });

  it('S1: has the stored session of a visitor, who may write to it', async () => {
    await fixture.start();
    await fixture.http.run(fixture.ada, (s) => s.set('visits', 1));
    const socket = await fixture.connect(fixture.ada);
    await fixture.run(socket, (s) => s.set('visits', 7));
    expect(await fixture.http.ask(fixture.ada, (s) => s.get('visits'))).toBe(7);
  });

  it('S3: reads a sealed session as it was at the handshake, refuses to write it, and is closed by its end', async () => {
    const revocations = new MemorySessionStore();
    await fixture.start({ store: new SealedSessions({ keys: [KEY], revocations }) });
    await fixture.http.run(fixture.ada, (s) => {
      s.login({ id: 'ada' });
      s.set('theme', 'dark');
    });
    const socket = await fixture.connect(fixture.ada);
    const [read, written] = [
      await fixture.run(socket, (s) => s.get('theme')),
      await fixture.run(socket, (s) => s.set('theme', 'light')),
    ];
    await fixture.http.run(fixture.ada, (s) => s.logout());
    expect({ read, written, ending: await socket.closed }).toEqual({
      read: done('dark'),
      written: refused('SESSION_TOKEN_UNDELIVERABLE'),
      ending: kind.ending,
    });
  });

  it('is refused by guards with their code', async () => {
    await fixture.start();
    const nobody = await fixture.open();
    await fixture.logIn(['user']);
    const member = await fixture.connect(fixture.ada);
    expect({
      nobody: await nobody.ask('guarded'),
      member: await member.ask('guarded'),
      role: await member.ask('admin'),
    }).toEqual({
      nobody: refused('LOGIN_REQUIRED'),
      member: done('ada'),
      role: refused('ROLE_REQUIRED'),
    });
  });

  it.each<{ what: string; work: Work; loggedIn: boolean }>([
    { what: 'a login', work: (s) => s.login({ id: 'eve' }), loggedIn: false },
    { what: 'another login', work: (s) => s.login({ id: 'eve' }), loggedIn: true },
    { what: 'a renewal', work: (s) => s.renewToken(), loggedIn: true },
    { what: 'an elevation', work: (s) => s.elevate({ level: 2 }), loggedIn: true },
    { what: 'the first write of a visitor', work: (s) => s.set('visits', 1), loggedIn: false },
  ])('S3: refuses $what, and stores nothing', async ({ work, loggedIn }) => {
    await fixture.start();
    if (loggedIn) await fixture.logIn();
    const socket = await fixture.connect(fixture.ada);
    await socket.ask('current');
    fixture.store.take();
    const log = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    const answer = await fixture.run(socket, work);
    const logged = log.mock.calls.length;
    log.mockRestore();
    const writes = fixture.store.take().filter((call) => call !== 'find');
    const after = await socket.ask('current');
    expect({ answer, writes, logged, after }).toEqual({
      answer: refused('SESSION_TOKEN_UNDELIVERABLE'),
      writes: [],
      // A client could fill the log.
      logged: 0,
      after: done(loggedIn ? 'ada' : null),
    });
  });
});
