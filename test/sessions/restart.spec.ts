import { MemorySessionStore, type SessionStore } from 'nestjs-tessera';
import { TieredSessionStore } from 'nestjs-tessera/tiered';
import { closeApps, startApp } from '../support/app';
import { scripted } from '../support/scripted';
import '../support/session-data';
import { describeLocalStores, describeStores, type StoreKind, type StoreUnderTest } from '../support/stores';
import { Visitor } from '../support/visitor';

/** A tier in front of a store, which writes behind. */
const behind = ({ create }: StoreKind): Pick<StoreKind, 'create'> => ({
  async create() {
    const under = await create();
    const fast = new MemorySessionStore();
    const store = new TieredSessionStore({ fast, durable: under.store, writeBehind: true, lease: 50 });
    return { ...under, store };
  },
});

const startsAgain = ({ create }: Pick<StoreKind, 'create'>): void => {
  let under: StoreUnderTest;
  beforeEach(async () => {
    under = await create();
  });
  afterEach(async () => {
    await closeApps();
    await under.close();
  });

  const session = scripted();
  const start = async (store: SessionStore): Promise<Visitor> => {
    const app = await startApp({
      platform: 'fastify',
      options: { store },
      controllers: [session.controller],
    });
    return new Visitor(await app.getUrl());
  };

  it('W37: a second application has the sessions of the first, and its own', async () => {
    const first = await start(under.store);
    await session.run(first, (s) => s.login({ id: 7 }));
    await closeApps();

    const second = await start(under.store);
    const headers = { cookie: await first.jar.getCookieString('https://127.0.0.1') };
    const seen = await session.run(second, (s) => s.principal?.id, { headers });
    const written = await session.run(second, (s) => s.set('visits', 1));
    expect({ seen: seen.json(), status: written.status, cookies: written.cookies.length }).toEqual({
      seen: { result: '7' },
      status: 201,
      cookies: 1,
    });
  });
};

describeStores('a store of two applications, one after the other:', startsAgain);
describeLocalStores('a tier that writes behind to', (kind) => startsAgain(behind(kind)));
