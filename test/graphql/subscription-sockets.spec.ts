import {
  isObjectType,
  type GraphQLFieldResolver,
  type GraphQLResolveInfo,
  type GraphQLSchema,
} from 'graphql';
import { MemorySessionStore, header, type SessionModuleOptions } from 'nestjs-tessera';
import { SealedSessions } from 'nestjs-tessera/sealed';
import type { ManualClock } from 'nestjs-tessera/testing';
import { KEY } from '../sealed/sealed';
import type { App } from '../support/app';
import { Visitor } from '../support/visitor';
import type { WatchedStore } from '../support/watched-store';
import { publish, working } from './news';
import { ENDED, SocketApp, WHO, who } from './socket-app';
import { apollo, codeOf, servers } from './subscriber';

type Resolve = GraphQLFieldResolver<unknown, unknown>;

const MINUTE = 60_000;

describe.each(servers)('a socket of $server on $platform', ({ platform, graphql }) => {
  const fixture = new SocketApp(platform, graphql);
  const { http, events } = fixture;
  let app: App;
  let ada: Visitor;
  let store: WatchedStore;
  let clock: ManualClock;

  async function start(options: SessionModuleOptions = {}): Promise<void> {
    await fixture.start(options);
    ({ app, ada, store, clock } = fixture);
  }
  afterEach(() => fixture.close());

  it('S5: refuses the next operation after a logout of which the store has not told', async () => {
    await start();
    Object.assign(store, { watchEnds: undefined });
    await fixture.logIn();
    const socket = await fixture.connect();
    await socket.ask(WHO);
    await http.run(ada, (s) => s.logout());
    const refused = await socket.ask('subscription { news { text } }');
    expect({ code: codeOf(refused), closed: await socket.closed }).toEqual({
      code: 'LOGIN_REQUIRED',
      closed: ENDED,
    });
  });

  it('S2: stays open over rotations, long after its token is dead', async () => {
    await start({ rotateEvery: '5m' });
    await fixture.logIn();
    const socket = await fixture.connect();
    await socket.ask(WHO);
    for (let i = 0; i < 6; i++) {
      clock.advance(6 * MINUTE);
      await http.run(ada, (s) => s.set('visits', i));
    }
    expect({ seen: await socket.ask(working((s) => s.get('visits'))), events }).toEqual({
      seen: { data: { work: '5' } },
      events: expect.not.arrayContaining(['stolen null']),
    });
  });

  it('R16: takes it for no theft when its session is used late, and its token was rotated', async () => {
    await start({ rotateEvery: '5m' });
    await fixture.logIn();
    const socket = await fixture.connect();
    for (let i = 0; i < 2; i++) {
      clock.advance(6 * MINUTE);
      await http.run(ada, (s) => s.set('visits', i));
    }
    const refused = await socket.ask('subscription { news { text } }');
    const again = await (await fixture.connect()).ask(WHO);
    expect({ code: codeOf(refused), closed: await socket.closed, again, events }).toEqual({
      code: 'LOGIN_REQUIRED',
      // Its client connects again, with the newer token.
      closed: ENDED,
      again: who('ada'),
      events: expect.not.arrayContaining(['stolen null']),
    });
  });

  it('R16: ends the session when it was opened with a copied token', async () => {
    await start({ rotateEvery: '5m' });
    await fixture.logIn();
    const thief = await ada.twin();
    for (let i = 0; i < 2; i++) {
      clock.advance(6 * MINUTE);
      await http.run(ada, (s) => s.set('visits', i));
    }
    const socket = await fixture.connect({}, thief);
    expect({ seen: await socket.ask(WHO), user: await http.ask(ada, (s) => s.principal), events }).toEqual({
      seen: who(undefined),
      user: null,
      events: expect.arrayContaining(['stolen null']),
    });
  });

  it('S2: is closed by a logout in another process', async () => {
    await start();
    const { inner } = store;
    const here = app;
    await fixture.logIn();
    const socket = await fixture.connect();
    await socket.ask(WHO);
    const { jar } = ada;
    await start({ store: inner });
    await http.run(new Visitor(await app.getUrl(), jar), (s) => s.logout());
    expect({ isOther: here !== app, closed: await socket.closed }).toEqual({
      isOther: true,
      closed: ENDED,
    });
  });

  it('C18: has the session of a token that is a parameter by the name of its header', async () => {
    await start({ transport: header({ name: 'X-Token' }) });
    const { headers } = await http.run(ada, (s) => s.login({ id: 'ada' }));
    const connectionParams = { 'X-Token': headers.get('X-Token')! };
    expect(await (await fixture.open({ connectionParams })).ask(WHO)).toEqual(who('ada'));
  });

  it('R16: takes it for no theft when its token was good as it was opened', async () => {
    await start({ rotateEvery: '5m' });
    await fixture.logIn();
    const page = await ada.twin();
    clock.advance(6 * MINUTE);
    for (let i = 0; i < 2; i++) await http.run(ada, (s) => s.set('visits', i));
    clock.advance(9000);
    const socket = await fixture.connect({}, page);
    clock.advance(5000);
    expect(await socket.ask(WHO)).toEqual(who('ada'));
  });

  it('S3: reads a sealed session as it was when it was opened', async () => {
    const revocations = new MemorySessionStore();
    await start({ store: new SealedSessions({ keys: [KEY], revocations }) });
    await http.run(ada, (s) => {
      s.login({ id: 'ada' });
      s.set('theme', 'dark');
    });
    const socket = await fixture.connect();
    const read = await socket.ask(working((s) => s.get('theme')));
    clock.advance(20 * MINUTE);
    const later = await socket.ask(WHO);
    await http.run(ada, (s) => s.logout());
    expect({ read, later, closed: await socket.closed }).toEqual({
      read: { data: { work: '"dark"' } },
      later: who('ada'),
      closed: ENDED,
    });
  });
});

describe('a socket of an application with a context of its own', () => {
  const start = async (
    context: (connection: { extra: { request: object } }) => object,
  ): Promise<SocketApp> => {
    const fixture = new SocketApp('express', () => apollo({ context }));
    await fixture.start();
    Object.assign(fixture.store, { watchEnds: undefined });
    await fixture.logIn();
    return fixture;
  };
  let fixture: SocketApp;
  afterEach(() => fixture.close());

  it('S5: has a session for each operation also when the context is one for all', async () => {
    fixture = await start((connection) => connection);
    const socket = await fixture.connect();
    const before = await socket.ask(WHO);
    await fixture.http.run(fixture.ada, (s) => s.logout());
    const refused = await socket.ask('subscription { news { text } }');
    expect({ before, code: codeOf(refused) }).toEqual({ before: who('ada'), code: 'LOGIN_REQUIRED' });
  });

  it('S5: is found by the request that opened it, and cut off when its login ends', async () => {
    fixture = await start(({ extra }) => ({ req: extra.request }));
    const socket = await fixture.connect();
    const before = await socket.ask(WHO);
    await fixture.http.run(fixture.ada, (s) => s.logout());
    expect({ before, closed: await socket.closed }).toEqual({ before: who('ada'), closed: '1006 ' });
  });
});

/** Lets all events of a subscription have one object of variables, as graphql 17 does. */
function sharingVariables(schema: GraphQLSchema): GraphQLSchema {
  const shared = new WeakMap<object, object>();
  const withShared = (info: GraphQLResolveInfo): GraphQLResolveInfo => {
    const { operation } = info;
    const variableValues = shared.get(operation) ?? info.variableValues;
    shared.set(operation, variableValues);
    return { ...info, variableValues: variableValues as GraphQLResolveInfo['variableValues'] };
  };
  const wrapped = (resolve: Resolve | undefined): Resolve | undefined =>
    resolve && ((source, args, context, info) => resolve(source, args, context, withShared(info)));
  for (const type of Object.values(schema.getTypeMap()))
    if (isObjectType(type))
      for (const field of Object.values(type.getFields()))
        Object.assign(field, { resolve: wrapped(field.resolve), subscribe: wrapped(field.subscribe) });
  return schema;
}

describe('a socket of an application whose events have their variables in common', () => {
  const fixture = new SocketApp('express', () => apollo({}, { transformSchema: sharingVariables }));
  afterEach(() => fixture.close());

  it('S1: has a session for each event all the same', async () => {
    await fixture.start();
    await fixture.logIn();
    const socket = await fixture.connect();
    const news = socket.results('subscription { news { visits } }');
    const first = news.next();
    await publish('one');
    await first;
    await fixture.http.run(fixture.ada, (s) => s.set('visits', 7));
    await publish('two');
    expect((await news.next()).value).toEqual({ data: { news: { visits: 7 } } });
  });
});
