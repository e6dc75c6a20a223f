import { Controller, Get, Post } from '@nestjs/common';
import { MemorySessionStore, Session, SessionService } from 'nestjs-tessera';
import { newSessionId } from '../../lib/core/session-token';
import { manualClock, type ManualClock } from '../../lib/testing/manual-clock';
import { HOUR } from '../support/core';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { visitor, type Answer, type Visitor } from '../support/visitor';
import { door } from '../support/watched-store';

declare module 'nestjs-tessera' {
  interface SessionData {
    guesses: number;
  }
}

const COOKIE = '__Host-session';

let arrived = door();
let released = door();

@Controller()
class GuessesController {
  @Post('login') login(@Session() session: Session): void {
    session.login({ id: 'ada' });
  }

  @Get('read') read(@Session() session: Session): string {
    return session.principal?.id ?? `nobody, ${session.endedBecause}`;
  }

  @Post('write') write(@Session() session: Session): number {
    return session.update('guesses', (n = 0) => n + 1);
  }

  @Post('logout') logout(@Session() session: Session): void {
    session.logout();
  }

  @Post('slow') async slow(@Session() session: Session): Promise<void> {
    session.set('guesses', 100);
    arrived.open();
    await released.opened;
  }
}

/** What has become of the session whose id the guesser knows. */
type Fate = (
  ada: Visitor,
  clock: ManualClock,
  sessions: SessionService,
  store: MemorySessionStore,
) => unknown;
const fates: Record<string, Fate> = {
  'in use': async (ada) => {
    void ada.post('/slow');
    await arrived.opened;
  },
  idle: () => {},
  expired: (_, clock) => clock.advance(HOUR),
  gone: (ada) => ada.post('/logout'),
  revoked: (_ada, _clock, sessions) => sessions.endAll({ id: 'ada' }, { reason: 'password-changed' }),
  'of a newer release': (_ada, _clock, _sessions, store) => rewrite(store, '999\n[]\n[]'),
  unreadable: (_ada, _clock, _sessions, store) => rewrite(store, 'nonsense'),
};

async function rewrite(store: MemorySessionStore, body: string): Promise<void> {
  for (const record of await store.findByPrincipal('default:ada'))
    await store.update({ ...record, version: record.version + 1, body }, record.version);
}

const guesses: Record<string, string> = {
  'another secret': 'A'.repeat(43),
  'half a secret': 'A'.repeat(20),
  'a secret and more': 'A'.repeat(44),
  'what is no base64url': '*'.repeat(43),
};

describe.each(platforms)('a guessed secret on %s', (platform) => {
  let clock: ManualClock;
  let store: MemorySessionStore;
  let app: App;
  let ada: Visitor;

  beforeEach(async () => {
    [arrived, released] = [door(), door()];
    clock = manualClock();
    store = new MemorySessionStore();
    app = await startApp({ platform, options: { store, clock }, controllers: [GuessesController] });
    ada = await visitor(app);
    await ada.post('/login');
  });
  afterEach(() => {
    released.open();
    return closeApps();
  });

  const guess = async (id: string, secret: string) => {
    const headers = { cookie: `${COOKIE}=${id}.${secret}` };
    const stranger = await visitor(app);
    return {
      read: shown(await stranger.get('/read', { headers })),
      write: shown(await stranger.post('/write', {}, { headers })),
      logout: shown(await stranger.post('/logout', {}, { headers })),
      login: shown(await stranger.post('/login', {}, { headers })),
    };
  };

  describe.each(Object.entries(fates))('for a session that is %s', (_, befall) => {
    it.each(Object.entries(guesses))(
      'C13, W24: is answered as for one that never was: %s',
      async (_name, secret) => {
        const [id] = (await ada.token())!.split('.') as [string];
        await befall(ada, clock, app.get(SessionService), store);
        expect(await guess(id, secret)).toEqual(await guess(newSessionId(), secret));
      },
    );
  });

  it('C13: does nothing to the session', async () => {
    const [id] = (await ada.token())!.split('.') as [string];
    for (const secret of Object.values(guesses)) await guess(id, secret);
    const { status, text } = await ada.get('/read');
    expect({ status, text }).toEqual({ status: 200, text: 'ada' });
  });
});

/** Everything that a client sees of an answer, but for the time and for the token of a new session. */
function shown({ status, text, headers }: Answer) {
  const rest = [...headers].filter(([name]) => name !== 'date');
  return {
    status,
    text,
    headers: rest.map(([name, value]) => [name, value.replace(/=[\w-]{22}\.[\w-]{43}/, '=<token>')]),
  };
}
