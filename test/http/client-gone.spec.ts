import { request } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { Controller, Get, Inject, Param, Req, StreamableFile } from '@nestjs/common';
import { MemorySessionStore, SessionEvents, SessionService, type Session } from 'nestjs-tessera';
import { NEVER } from 'rxjs';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { visitor } from '../support/visitor';
import { door, WatchedStore } from '../support/watched-store';

declare module 'nestjs-tessera' {
  interface SessionData {
    parting: string;
  }
}

/** Answers of which no byte comes by, so that nothing but the client's leaving is an occasion to commit. */
const bodies: Record<string, () => unknown> = {
  'streamable file': () => new StreamableFile(new Readable({ read() {} })),
  generator: async function* () {
    yield await new Promise(() => {});
  },
  'web response': () => new Response(new ReadableStream()),
  observable: () => NEVER,
};

const changes: Record<string, (session: Session) => void> = {
  logout: (session) => session.logout(),
  destroy: (session) => session.destroy(),
  write: (session) => session.set('parting', 'said'),
};

/** What needs a token that the client would never learn. */
const undeliverable: Record<string, (session: Session) => void> = {
  'login as another': (session) => void session.set('parting', 'said').login({ id: 'bob' }),
  'login once more': (session) => void session.set('parting', 'said').login({ id: 'ada' }),
  renewal: (session) => void session.set('parting', 'said').renewToken(),
  elevation: (session) => void session.set('parting', 'said').elevate({ roles: ['admin'] }),
};
/** What the client finds when it comes back with the cookie it had. */
const afterwards: Record<string, string> = {
  write: 'ada said',
  'login as another': 'ada said',
  'login once more': 'ada said',
  renewal: 'ada said',
  elevation: 'ada said',
};

const moments = ['before it left', 'after it left', 'after it left, to a session not touched before'];

let arrived = door();
let left = door();

@Controller()
class PartingController {
  constructor(@Inject(SessionService) private readonly sessions: SessionService) {}

  @Get('in') async in(): Promise<string> {
    (await this.sessions.current()).login({ id: 'ada' });
    return 'in';
  }

  @Get('who') async who(): Promise<string> {
    const session = await this.sessions.current();
    return `${session.principal?.id} ${session.get('parting')}`;
  }

  @Get(':moment/:change/:body') async change(
    @Req() incoming: { readonly socket: Socket },
    @Param() { moment, change, body }: Record<string, string>,
  ): Promise<unknown> {
    incoming.socket.once('close', left.open);
    if (moment === moments[2]) await this.#left();
    const session = await this.sessions.of(incoming);
    if (moment === moments[1]) await this.#left();
    ({ ...changes, ...undeliverable })[change!]!(session);
    setImmediate(arrived.open);
    return bodies[body!]?.() ?? 'done';
  }

  async #left(): Promise<void> {
    arrived.open();
    await left.opened;
  }
}

describe.each(platforms)('when the client has gone before an answer began on %s', (platform) => {
  const store = new WatchedStore(new MemorySessionStore());
  let app: App;

  beforeEach(async () => {
    [arrived, left] = [door(), door()];
    Object.assign(store, { before: () => {}, after: () => {} });
    app = await startApp({ platform, options: { store }, controllers: [PartingController] });
  });
  afterEach(closeApps);

  /** Asks, and leaves as soon as somebody works on it. */
  async function leave(path: string, cookie: string): Promise<void> {
    const leaving = request(`${await app.getUrl()}${encodeURI(path)}`, { headers: { cookie }, agent: false });
    leaving.on('error', () => {});
    leaving.end();
    await arrived.opened;
    leaving.destroy();
    await left.opened;
  }

  describe.each(moments)('H5: a change %s is committed:', (moment) => {
    it.each(Object.keys(changes).flatMap((change) => Object.keys(bodies).map((body) => [change, body])))(
      '%s, answered by a stream (%s)',
      async (change, body) => {
        const ada = await visitor(app);
        await ada.get('/in');
        store.take();
        const written = door();
        store.after = (operation) => (operation === 'find' ? undefined : written.open());
        await leave(`/${moment}/${change}/${body}`, `__Host-session=${await ada.token()}`);
        await written.opened;
        expect((await ada.get('/who')).text).toBe(afterwards[change] ?? 'undefined undefined');
      },
    );
  });

  describe.each(moments)(
    'R17, W43: what needs a new token %s does not happen, and the data is saved:',
    (moment) => {
      it.each(Object.keys(undeliverable))('%s', async (change) => {
        const ada = await visitor(app);
        await ada.get('/in');
        const withheld = door();
        app.get(SessionEvents).subscribe(({ reason }) => reason === 'undeliverable' && withheld.open());
        await leave(`/${moment}/${change}/streamable file`, `__Host-session=${await ada.token()}`);
        await withheld.opened;
        expect((await ada.get('/who')).text).toBe(afterwards[change]);
      });
    },
  );

  it('F6: a shutdown waits for what a handler does after its client', async () => {
    const ada = await visitor(app);
    await ada.get('/in');
    const slow = door();
    const began = door();
    let isGone = false;
    store.before = async (operation) => {
      if (operation !== 'delete') return;
      began.open();
      await slow.opened;
    };
    store.after = (operation) => void (isGone ||= operation === 'delete');
    await leave(`/${moments[1]}/logout/text`, `__Host-session=${await ada.token()}`);
    await began.opened;
    const closed = closeApps().then(() => isGone);
    for (let turns = 0; turns < 50; turns++) await new Promise((resolve) => setImmediate(resolve));
    slow.open();
    expect(await closed).toBe(true);
  });
});
