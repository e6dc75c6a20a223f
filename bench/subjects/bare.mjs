import { Controller, Get } from '@nestjs/common';
import { createApp, decorate } from './define.mjs';

/** Nest and nothing else: the same routes and answers, with nowhere to keep anything. */
class BareController {
  #visits = 0;

  untouched() {
    return { hello: 'world' };
  }

  read() {
    return { theme: 'dark' };
  }

  write() {
    return { visits: ++this.#visits };
  }

  firstWrite() {
    return { visits: 1 };
  }
}

Controller()(BareController);
decorate(BareController, {
  untouched: [Get('untouched')],
  read: [Get('read')],
  write: [Get('write')],
  firstWrite: [Get('first-write')],
});

export const keepsSessions = false;

export function start(platform) {
  return createApp(platform, { controllers: [BareController] });
}
