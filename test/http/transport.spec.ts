import { Logger } from '@nestjs/common';
import type {
  Connection,
  RequestHeaders,
  ResponseHeaders,
  Session,
  SessionModuleOptions,
  SessionTransport,
  TokenAnswer,
  TokenReading,
} from 'nestjs-tessera';
import { MemorySessionStore, SessionService } from 'nestjs-tessera';
import { SealedSessions } from 'nestjs-tessera/sealed';
import { actingAs } from 'nestjs-tessera/testing';
import { KEY } from '../sealed/sealed';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { scripted } from '../support/scripted';
import '../support/session-data';
import { Visitor } from '../support/visitor';
import { WatchedStore } from '../support/watched-store';

/** A token in a header of its own. */
class HeaderTransport implements SessionTransport {
  readonly channel: string;
  readonly sealedFor: string;
  readonly vary: readonly string[];
  /** What {@link obstacle} answers, and what it was asked. */
  answer: (presented: boolean) => string | null = () => null;
  readonly asked: (Connection & { readonly presented: boolean })[] = [];

  constructor(private readonly name: string) {
    this.channel = `header ${name}`;
    this.sealedFor = `header ${name}`;
    this.vary = [name];
  }

  read(headers: RequestHeaders): TokenReading {
    const value = headers[this.name.toLowerCase()];
    return typeof value === 'string' ? { kind: 'token', value, transport: this } : { kind: 'none' };
  }

  capacity(): number {
    return 1000;
  }

  obstacle(connection: Connection, presented: boolean): string | null {
    this.asked.push({ ...connection, presented });
    return this.answer(presented);
  }

  write(headers: ResponseHeaders, answer: TokenAnswer): void {
    headers.set(this.name, [answer.kind === 'issue' ? answer.token : 'none']);
  }
}

/** The first is asked first, and answers clients that bring nothing. */
class EitherTransport extends HeaderTransport {
  override readonly vary = ['X-First', 'X-Second'];

  constructor(
    readonly first = new HeaderTransport('X-First'),
    readonly second = new HeaderTransport('X-Second'),
  ) {
    super('X-First');
  }

  override read(headers: RequestHeaders): TokenReading {
    const [first, second] = [this.first.read(headers), this.second.read(headers)];
    if (first.kind === 'token' && second.kind === 'token') return { kind: 'ambiguous' };
    return first.kind === 'token' ? first : second;
  }
}

describe.each(platforms)('a transport of the application on %s', (platform) => {
  const store = new WatchedStore(new MemorySessionStore());
  const { controller, run } = scripted();
  let app: App;

  const start = async (transport: SessionTransport, options: SessionModuleOptions = {}): Promise<Visitor> => {
    app = await startApp({ platform, options: { store, transport, ...options }, controllers: [controller] });
    return new Visitor(await app.getUrl());
  };
  const send = async (
    client: Visitor,
    headers: Record<string, string>,
    work: (session: Session) => unknown,
  ) => {
    const answer = await run(client, work, { headers });
    return { ...answer, first: answer.headers.get('x-first'), second: answer.headers.get('x-second') };
  };

  beforeEach(() => void store.take());
  afterEach(closeApps);

  it('is named in Vary with every header it reads, whether or not it says anything', async () => {
    const client = await start(new EitherTransport());
    const answer = await send(client, {}, (session) => session.isNew);
    expect({ vary: answer.headers.get('vary'), cache: answer.headers.get('cache-control') }).toEqual({
      vary: 'X-First, X-Second',
      cache: null,
    });
  });

  it('keeps its answers out of shared caches, and sets no cookie', async () => {
    const client = await start(new EitherTransport());
    const { headers, cookies, first, second } = await send(client, {}, (session) => session.set('visits', 1));
    expect({ cookies, first, second, cache: headers.get('cache-control') }).toEqual({
      cookies: [],
      first: expect.stringMatching(/^[\w-]{22}\.[\w-]{43}$/),
      second: null,
      cache: 'no-store',
    });
  });

  it('answers where the client has spoken', async () => {
    const client = await start(new EitherTransport());
    const { first } = await send(client, {}, (session) => session.set('visits', 1));
    const renewed = await send(client, { 'x-second': first! }, (session) => session.renewToken());
    expect(renewed).toMatchObject({ first: null, second: expect.stringMatching(/^[\w-]{22}\./) });
    const ended = await send(client, { 'x-second': renewed.second! }, (session) => session.destroy());
    expect(ended).toMatchObject({ first: null, second: 'none' });
  });

  it('is not believed when it contradicts itself', async () => {
    const client = await start(new EitherTransport());
    const { first } = await send(client, {}, (session) => session.set('visits', 1));
    const answer = await send(client, { 'x-first': first!, 'x-second': 'x' }, (session) => session.isNew);
    expect(answer.json()).toEqual({ result: true });
  });

  it('begins no session whose token cannot reach the client, and says why once', async () => {
    const transport = new HeaderTransport('X-First');
    transport.answer = () => 'it is a test';
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    try {
      const client = await start(transport);
      for (let time = 0; time < 2; time++) {
        const answer = await send(client, {}, (session) => session.flash('notice', 'Hello.'));
        expect(answer).toMatchObject({ status: 201, first: null });
      }
      const login = await send(client, {}, (session) => session.login({ id: 'ada' }));
      expect({ login: login.status }).toEqual({ login: 500 });
      expect(store.take()).toEqual([]);
      expect(warn.mock.calls).toEqual([['A session could not be created: it is a test.']]);
      expect(transport.asked[0]).toEqual({
        secure: false,
        host: expect.stringMatching(/^127\.0\.0\.1:/),
        presented: false,
      });
    } finally {
      warn.mockRestore();
    }
  });

  it('replaces no token when the new one cannot reach the client', async () => {
    const transport = new HeaderTransport('X-First');
    const client = await start(transport);
    const first = (await send(client, {}, (session) => session.set('visits', 1))).first!;
    store.take();
    transport.answer = (presented) => (presented ? 'it is a test' : null);
    const refused = await send(client, { 'x-first': first }, (session) => session.login({ id: 'ada' }));
    expect({ status: refused.status, first: refused.first, calls: store.take() }).toEqual({
      status: 500,
      first: null,
      calls: ['find'],
    });
    const changed = await send(client, { 'x-first': first }, (session) => session.update('visits', () => 2));
    expect({ answer: changed.json(), calls: store.take() }).toEqual({
      answer: { result: 2 },
      calls: ['find', 'update'],
    });
    expect((await send(client, { 'x-first': first }, (session) => session.logout())).first).toBe('none');
  });

  it('says to a handler that commits by itself what cannot reach the client', async () => {
    const transport = new HeaderTransport('X-First');
    const client = await start(transport);
    const first = (await send(client, {}, (session) => session.set('visits', 1))).first!;
    transport.answer = () => 'it is a test';
    const answer = await send(client, { 'x-first': first }, async (session) => {
      session.renewToken();
      return app
        .get(SessionService)
        .commit()
        .catch(({ code, message }: { code: string; message: string }) => ({ code, message }));
    });
    expect(answer.json()).toEqual({
      result: {
        code: 'SESSION_TOKEN_UNDELIVERABLE',
        message: expect.stringContaining('it is a test'),
      },
    });
  });

  it('carries sealed sessions, up to its capacity', async () => {
    const transport = new HeaderTransport('X-First');
    const sealed = new SealedSessions({ keys: [KEY], revocations: store });
    const client = await start(transport, { store: sealed });
    const first = (await send(client, {}, (session) => session.set('visits', 1))).first!;
    const opened = await send(client, { 'x-first': first }, (session) => session.get('visits'));
    expect(opened.json()).toEqual({ result: 1 });
    const large = await send(client, { 'x-first': first }, (session) =>
      session.set('theme', 'x'.repeat(1000) as never),
    );
    expect({ status: large.status, first: large.first }).toEqual({ status: 500, first: null });
  });

  it('has clients for tests, unless only its own code can tell what they send', async () => {
    await start(new HeaderTransport('X-First'));
    const { headers, token } = await actingAs(app, { id: 7 });
    expect(headers).toEqual({ 'x-first': token });
    await app.close();
    class EncodedTransport extends HeaderTransport {
      override read(headers: RequestHeaders): TokenReading {
        const reading = super.read(headers);
        return reading.kind === 'token' ? { ...reading, value: reading.value.toLowerCase() } : reading;
      }
    }
    await start(new EncodedTransport('X-First'));
    await expect(actingAs(app, { id: 7 })).rejects.toThrow(
      'the transport reads it from the header X-First in a form of its own',
    );
  });
});
