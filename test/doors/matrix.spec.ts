import { MemorySessionStore, SessionManager, SessionRegistry } from 'nestjs-tessera';
import { closeApps, startApp, type App } from '../support/app';
import { nestMajor } from '../support/nest';
import { describeUnless } from '../support/not-run';
import { WatchedStore } from '../support/watched-store';
import type { Caller, Door } from './door';
import { graphqlDoors } from './graphql-doors';
import { httpDoors } from './http-doors';
import { middlewareDoors } from './middleware-doors';
import { socketDoors } from './socket-doors';

const doors: readonly Door[] = [...httpDoors, ...middlewareDoors, ...graphqlDoors, ...socketDoors];

/** The same sessions through every door, on each platform. `npm run test:versions` repeats it on Nest 11. */
describe.each(doors.map((door) => ({ ...door, door })))('$name on $platform', ({ door }) => {
  describeUnless(door.missing, `with Nest ${nestMajor}`, () => behaviors(door));
});

function behaviors({ platform, setUp, cannot, ending, enter }: Door): void {
  const store = new WatchedStore(new MemorySessionStore());
  const callers: Caller[] = [];
  let app: App;

  beforeAll(async () => {
    app = await startApp({ platform, ...setUp, options: { ...setUp.options, store } });
  });
  afterEach(() => {
    store.before = () => {};
    for (const caller of callers.splice(0)) caller.close();
  });
  afterAll(closeApps);

  /** Returns a client with a stored session that has counted three visits. */
  async function client(id: string | null): Promise<{ caller: Caller; token: string }> {
    const manager = app.get(SessionManager);
    const session = await manager.open(null);
    session.set('visits', 3);
    if (id !== null) session.login({ id });
    const outcome = await manager.commit(session);
    const token = outcome.kind === 'issue' ? outcome.token : '';
    const caller = await enter(app, token);
    callers.push(caller);
    return { caller, token };
  }
  const stored = async (token: string | undefined) => {
    const session = await app.get(SessionManager).open(token ?? '');
    return { id: session.principal?.id ?? null, visits: session.get('visits') ?? null };
  };

  it('reads a session, with one read of the store', async () => {
    const { caller } = await client(null);
    await caller.ask('read');
    store.take();
    const reply = await caller.ask('read');
    expect({ reply, calls: store.take() }).toEqual({ reply: { value: 3 }, calls: ['find'] });
  });

  it('writes a session, with one write to the store', async () => {
    const { caller, token } = await client(null);
    await caller.ask('read');
    store.take();
    const reply = await caller.ask('write');
    const calls = store.take();
    const after = await stored(token);
    expect({ reply, calls, after }).toEqual(
      cannot.write === undefined
        ? { reply: { value: 4 }, calls: ['find', 'update'], after: { id: null, visits: 4 } }
        : { reply: { code: cannot.write }, calls: ['find'], after: { id: null, visits: 3 } },
    );
  });

  it('logs in with a new token, or refuses and stores nothing', async () => {
    const { caller, token } = await client(null);
    const reply = await caller.ask('login');
    const given = await caller.token();
    const after = { reply, isRenewed: given !== token, given: await stored(given), old: await stored(token) };
    const visitor = { id: null, visits: 3 };
    expect(after).toEqual(
      cannot.login === undefined
        ? {
            reply: { value: 'ada' },
            isRenewed: true,
            given: { id: 'ada', visits: 3 },
            old: { id: null, visits: null },
          }
        : { reply: { code: cannot.login }, isRenewed: false, given: visitor, old: visitor },
    );
  });

  it('logs out for good', async () => {
    const { caller, token } = await client('ada');
    const reply = await caller.ask('logout');
    expect({ reply, after: await stored(token) }).toEqual(
      cannot.logout === undefined
        ? { reply: { value: 'bye' }, after: { id: null, visits: null } }
        : { reply: { code: cannot.logout }, after: { id: 'ada', visits: 3 } },
    );
  });

  it('lets in who is logged in, and refuses a visitor', async () => {
    const [ada, visitor] = [await client('ada'), await client(null)];
    expect({ ada: await ada.caller.ask('guarded'), visitor: await visitor.caller.ask('guarded') }).toEqual({
      ada: { value: 'ada' },
      visitor: { code: 'LOGIN_REQUIRED' },
    });
  });

  it('F1: says that the store is down, and takes no user for a visitor', async () => {
    const { caller } = await client('ada');
    await caller.ask('read');
    store.before = () => Promise.reject(new Error('connection refused'));
    const replies = { read: await caller.ask('read'), guarded: await caller.ask('guarded') };
    const down = { code: 'SESSION_STORE_UNAVAILABLE' };
    expect(replies).toEqual({ read: down, guarded: down });
  });

  it('F1: says that a change was not saved', async () => {
    const { caller, token } = await client('ada');
    await caller.ask('read');
    store.before = (call) => {
      if (call !== 'find') throw new Error('connection refused');
    };
    const reply = await caller.ask('write');
    store.before = () => {};
    expect({ reply, after: await stored(token) }).toEqual({
      reply: { code: cannot.write ?? 'SESSION_STORE_UNAVAILABLE' },
      after: { id: 'ada', visits: 3 },
    });
  });

  it('S2: lets out who was logged out elsewhere', async () => {
    const { caller } = await client('ada');
    await caller.ask('guarded');
    await app.get(SessionRegistry).endAll({ id: 'ada' });
    const after = await (caller.closed ?? caller.ask('guarded'));
    expect(after).toEqual(ending ?? { code: 'LOGIN_REQUIRED' });
  });
}
