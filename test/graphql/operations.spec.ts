import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { GraphQLModule } from '@nestjs/graphql';
import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius';
import { MemorySessionStore, SessionRegistry, SessionService } from 'nestjs-tessera';
import { closeApps, startApp, type App, type Platform } from '../support/app';
import { visitor, type Answer, type Visit, type Visitor } from '../support/visitor';
import { WatchedStore } from '../support/watched-store';
import { AccountResolver } from './account';

interface Reply {
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors?: readonly GraphQLFailure[];
}

interface GraphQLFailure {
  readonly message: string;
  readonly extensions?: {
    readonly code?: string;
    readonly originalError?: { readonly code?: string };
  };
}

const apollo = () =>
  GraphQLModule.forRoot<ApolloDriverConfig>({
    driver: ApolloDriver,
    autoSchemaFile: true,
    fieldResolverEnhancers: ['guards'],
  });
const mercurius = (context?: object) =>
  GraphQLModule.forRoot<MercuriusDriverConfig>({
    ...(context && { context: context as never }),
    driver: MercuriusDriver,
    autoSchemaFile: true,
    fieldResolverEnhancers: ['guards'],
  });

describe('the session of an operation', () => {
  const upgrade = { headers: { upgrade: 'websocket' } };

  it.each<{ what: string; req: object }>([
    { what: 'what graphql-ws knows of it', req: { extra: { request: {} } } },
    { what: 'the request that opened it', req: upgrade },
    { what: 'that request of Fastify', req: { raw: upgrade } },
  ])(
    'S5: is missing when another server has opened its socket, and the context has $what',
    async ({ req }) => {
      const app = await startApp({ platform: 'express' });
      const context = {
        getType: () => 'graphql',
        getArgs: () => [null, {}, { req }, {}],
        switchToHttp: () => ({}),
      };
      await expect(app.get(SessionService).of(context)).rejects.toMatchObject({
        code: 'SESSION_REQUEST_MISSING',
      });
      await closeApps();
    },
  );
});

it('have no session when Mercurius shares a context, and so the request of the first one, among all', async () => {
  const app = await startApp({
    platform: 'fastify',
    imports: [mercurius({})],
    providers: [AccountResolver],
  });
  const [ada, eve] = [await visitor(app), await visitor(app)];
  await ada.post('/graphql', { query: 'mutation { login(id: "ada") }' });
  const answer = await eve.post('/graphql', { query: '{ account { id } }' });
  await closeApps();
  expect(answer.json<Reply>().errors?.map(({ extensions }) => extensions?.code)).toEqual([
    'SESSION_REQUEST_MISSING',
  ]);
});

describe.each<{ server: string; platform: Platform; graphql: typeof apollo }>([
  { server: 'Apollo', platform: 'express', graphql: apollo },
  { server: 'Apollo', platform: 'fastify', graphql: apollo },
  { server: 'Mercurius', platform: 'fastify', graphql: mercurius },
])('operations of $server on $platform', ({ platform, graphql }) => {
  const store = new WatchedStore(new MemorySessionStore());
  let app: App;
  let ada: Visitor;

  // One application for all tests: it takes a while to build the schema.
  beforeAll(async () => {
    const options = { store, csrf: { token: true } };
    app = await startApp({ platform, options, imports: [graphql()], providers: [AccountResolver] });
  });
  beforeEach(async () => {
    ada = await visitor(app);
    store.take();
  });
  afterEach(() => void (store.before = () => {}));
  afterAll(closeApps);

  const send = (who: Visitor, query: string, visit: Visit = {}): Promise<Answer> =>
    who.post('/graphql', { query }, visit);
  const ask = async (who: Visitor, query: string, visit?: Visit): Promise<Reply> =>
    (await send(who, query, visit)).json();
  /** The code of the only error: on Apollo that of the exception is in `originalError`. */
  const codeOf = ({ errors = [] }: Reply): string | undefined => {
    expect(errors).toHaveLength(1);
    const { extensions } = errors[0]!;
    return extensions?.originalError?.code ?? extensions?.code;
  };

  it('store nothing for a visitor who only asks, and load nothing for one who asks for no session', async () => {
    await ask(ada, '{ visits }');
    await ask(ada, 'mutation { login(id: "ada") }');
    store.take();
    const answer = await send(ada, '{ untouched }');
    expect({ answer: answer.json(), cookies: answer.cookies, calls: store.take() }).toEqual({
      answer: { data: { untouched: 0 } },
      cookies: [],
      calls: [],
    });
  });

  it('log in and out, with guards, parameters, fields and the async context', async () => {
    const refused = await ask(ada, '{ account { id } }');
    await ask(ada, 'mutation { add(item: "pear") }');
    const before = await ada.token();
    await ask(ada, 'mutation { login(id: "ada") }');
    const renewed = (await ada.token()) !== before;
    const read = await ask(ada, '{ account { id cart secret visited } }');
    const forbidden = await ask(ada, '{ administrator { id } }');
    await ask(ada, 'mutation { logout }');
    const after = await ask(ada, '{ account { id } }');
    expect({
      refused: [refused.data, codeOf(refused)],
      renewed,
      read,
      forbidden: codeOf(forbidden),
      after: codeOf(after),
      token: await ada.token(),
    }).toEqual({
      refused: [null, 'LOGIN_REQUIRED'],
      renewed: true,
      read: { data: { account: { id: 'ada', cart: ['pear'], secret: 'of ada', visited: 1 } } },
      forbidden: 'ROLE_REQUIRED',
      after: 'LOGIN_REQUIRED',
      token: undefined,
    });
  });

  it('load once and commit once, whatever their fields do', async () => {
    await ask(ada, 'mutation { login(id: "ada", roles: ["admin"]) }');
    store.take();
    const answer = await send(
      ada,
      '{ a: account { visited cart } b: account { visited secret } c: administrator { id visited } }',
    );
    expect({ data: answer.json<Reply>().data, calls: store.take() }).toEqual({
      data: {
        a: { visited: expect.any(Number), cart: [] },
        b: { visited: expect.any(Number), secret: 'of ada' },
        c: { id: 'ada', visited: expect.any(Number) },
      },
      calls: ['find', 'update'],
    });
    expect(await ask(ada, '{ visits }')).toEqual({ data: { visits: 3 } });
  });

  it('lose nothing of parallel operations', async () => {
    await ask(ada, 'mutation { login(id: "ada") }');
    const items = Array.from({ length: 20 }, (_, n) => `item ${n}`);
    await Promise.all(items.map((item) => ask(ada, `mutation { add(item: "${item}") }`)));
    const { data } = await ask(ada, '{ account { cart } }');
    expect([...(data!['account'] as { cart: string[] }).cart].sort()).toEqual([...items].sort());
  });

  it('have the session of a request that offers another version of HTTP', async () => {
    const { port } = new URL(await app.getUrl());
    const headers = {
      'content-type': 'application/json',
      ...{
        connection: 'Upgrade, HTTP2-Settings',
        upgrade: 'h2c',
        'http2-settings': 'AAMAAABkAARAAAAAAAIAAAAA',
      },
    };
    const asked = request({ port, host: '127.0.0.1', path: '/graphql', method: 'POST', headers });
    asked.end(JSON.stringify({ query: '{ visits }' }));
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    expect(await json(answer)).toEqual({ data: { visits: 0 } });
  });

  it('S5: have no session in a request that pretends to open a socket', async () => {
    await ask(ada, 'mutation { login(id: "ada") }');
    const { port } = new URL(await app.getUrl());
    const cookie = await ada.jar.getCookieString(`https://127.0.0.1:${port}`);
    const headers = { cookie, 'content-type': 'application/json', upgrade: 'websocket' };
    const asked = request({ port, host: '127.0.0.1', path: '/graphql', method: 'POST', headers });
    asked.end(JSON.stringify({ query: '{ account { id } }' }));
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    expect(codeOf((await json(answer)) as Reply)).toBe('SESSION_REQUEST_MISSING');
  });

  it('are refused after the session was ended elsewhere', async () => {
    await ask(ada, 'mutation { login(id: "ada") }');
    await app.get(SessionRegistry).endAll({ id: 'ada' });
    expect(codeOf(await ask(ada, '{ account { id } }'))).toBe('LOGIN_REQUIRED');
  });

  it('F1: answer with an error when the session cannot be loaded', async () => {
    await ask(ada, 'mutation { login(id: "ada") }');
    store.before = () => Promise.reject(new Error('the store is down'));
    const answer = await send(ada, '{ account { id } }');
    const reply = answer.json<Reply>();
    expect({ data: reply.data, code: codeOf(reply), says: answer.text.includes('is down') }).toEqual({
      data: null,
      code: 'SESSION_STORE_UNAVAILABLE',
      says: false,
    });
  });

  it.each([
    { type: 'application/json', status: 200, data: { data: null } },
    { type: 'application/graphql-response+json', status: 503, data: {} },
  ])('F1: answer $type with an error when the session cannot be saved', async ({ type, status, data }) => {
    await ask(ada, 'mutation { login(id: "ada") }');
    store.before = (operation) =>
      operation === 'find' ? undefined : Promise.reject(new Error('the store is down'));
    const query = 'mutation { add(item: "pear") }';
    const answer = await send(ada, query, { headers: { accept: type } });
    const answersType = answer.headers.get('content-type')!.startsWith('application/graphql-response');
    const isSpoken = type === 'application/json' || answersType;
    expect({
      status: answer.status,
      cache: answer.headers.get('cache-control'),
      reply: answer.json(),
    }).toEqual({
      status: isSpoken ? status : 200,
      cache: 'no-store',
      reply: {
        ...(isSpoken ? data : { data: null }),
        errors: [{ message: 'Service Unavailable', extensions: { code: 'SESSION_STORE_UNAVAILABLE' } }],
      },
    });
  });

  it('have the code of a mistake', async () => {
    expect(codeOf(await ask(ada, 'mutation { mistake }'))).toBe('SESSION_VALUE_UNSUPPORTED');
  });

  it('have the code of a mistake that only the commit finds', async () => {
    const { data, errors } = await ask(ada, `mutation { add(item: "${'pear'.repeat(20_000)}") }`);
    expect({ data, errors }).toEqual({
      data: null,
      errors: [{ message: 'Internal server error', extensions: { code: 'SESSION_TOO_LARGE' } }],
    });
  });

  it('C16: are refused by CsrfGuard from pages of other sites, and without the token of the session', async () => {
    await ask(ada, 'mutation { login(id: "ada") }');
    const mutation = 'mutation { guarded }';
    const foreign = await ask(ada, mutation, { headers: { origin: 'https://evil.example' } });
    const tokenless = await ask(ada, mutation);
    expect([foreign, tokenless].map(codeOf)).toEqual(['CSRF_REFUSED', 'CSRF_REFUSED']);
  });
});
