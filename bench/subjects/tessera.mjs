import { Controller, Get } from '@nestjs/common';
import { Session, SessionModule } from 'nestjs-tessera';
import { createApp, decorate } from './define.mjs';

/** nestjs-tessera as `forRoot()` leaves it: memory store, cookie, async context on. */
class SessionController {
  untouched() {
    return { hello: 'world' };
  }

  /** Puts about 200 bytes into a new session, for `read` and `write` to find. */
  begin(session) {
    session
      .set('theme', 'dark')
      .set('visits', 0)
      .set('profile', { name: 'Ada Lovelace', note: '-'.repeat(130) });
    return { begun: true };
  }

  read(session) {
    return { theme: session.get('theme') };
  }

  write(session) {
    return { visits: session.update('visits', (visits = 0) => visits + 1) };
  }

  firstWrite(session) {
    session.set('visits', 1);
    return { visits: 1 };
  }
}

Controller()(SessionController);
decorate(
  SessionController,
  {
    untouched: [Get('untouched')],
    begin: [Get('begin')],
    read: [Get('read')],
    write: [Get('write')],
    firstWrite: [Get('first-write')],
  },
  {
    begin: [[0, Session()]],
    read: [[0, Session()]],
    write: [[0, Session()]],
    firstWrite: [[0, Session()]],
  },
);

export const keepsSessions = true;

export function start(platform, options = {}) {
  return createApp(platform, { imports: [SessionModule.forRoot(options)], controllers: [SessionController] });
}
