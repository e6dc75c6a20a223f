import { AuthGuard, Principal, Session, SessionModule } from 'nestjs-tessera';
import { data } from './data.mjs';
import { createApp, defineController } from './define.mjs';

class SessionController {
  untouched() {
    return { hello: 'world' };
  }

  anonymous(session) {
    return { theme: session.get('theme') ?? null };
  }

  begin(session) {
    for (const [key, value] of Object.entries(data)) session.set(key, value);
    return { begun: true };
  }

  read(theme) {
    return { theme };
  }

  write(session) {
    return { visits: session.update('visits', (visits = 0) => visits + 1) };
  }

  /** Renews the token, and keeps what was there before. */
  login(session) {
    session.login({ id: 'ada' });
    return { user: 'ada' };
  }

  user(session) {
    return { user: session.principal?.id ?? null };
  }

  guarded(principal) {
    return { user: principal.id };
  }

  firstWrite(session) {
    session.set('visits', 1);
    return { visits: 1 };
  }
}

export const keepsSessions = true;

/** nestjs-tessera as `forRoot()` leaves it: memory store, cookie, async context on. */
export function start(platform, options = {}) {
  return createApp(platform, {
    imports: [SessionModule.forRoot(options)],
    controllers: [
      defineController(SessionController, {
        parameters: [Session()],
        read: [Session('theme')],
        guarded: [Principal()],
        guard: AuthGuard,
      }),
    ],
  });
}
