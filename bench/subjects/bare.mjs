import { createApp, defineController } from './define.mjs';

/** Nest and nothing else: the same routes and answers, with nowhere to keep anything. */
class BareController {
  #visits = 0;

  untouched() {
    return { hello: 'world' };
  }

  anonymous() {
    return { theme: null };
  }

  read() {
    return { theme: 'dark' };
  }

  write() {
    return { visits: ++this.#visits };
  }

  login() {
    return { user: 'ada' };
  }

  guarded() {
    return { user: 'ada' };
  }

  firstWrite() {
    return { visits: 1 };
  }
}

/** What Nest takes for a guard is no session's. */
class Open {
  canActivate() {
    return true;
  }
}

export const keepsSessions = false;

export function start(platform) {
  return createApp(platform, { controllers: [defineController(BareController, { guard: Open })] });
}
