import { setImmediate as turn } from 'node:timers/promises';
import { Controller, Get, Post } from '@nestjs/common';
import { Redis } from 'ioredis';
import { Session } from 'nestjs-tessera';
import { RedisSessionStore } from 'nestjs-tessera/redis';
import { closeApps, platforms, startApp } from '../support/app';
import { describeWith } from '../support/servers';
import { visitor } from '../support/visitor';

declare module 'nestjs-tessera' {
  interface SessionData {
    computed: string;
  }
}

/** In milliseconds. */
const STORE_TIMEOUT = 250;

@Controller()
class ComputationsController {
  @Post('write') write(@Session() session: Session): void {
    session.set('computed', 'before');
  }

  @Get('read') read(@Session('computed') computed?: string): string {
    return computed ?? 'nothing';
  }
}

/** Passes a call on, and keeps the process busy once the command is on its way. */
class BusyStore extends RedisSessionStore {
  isBusy = false;

  override async find(...given: Parameters<RedisSessionStore['find']>) {
    const finding = super.find(...given);
    if (!this.isBusy) return finding;
    await turn();
    const end = performance.now() + 2 * STORE_TIMEOUT;
    while (performance.now() < end);
    return finding;
  }
}

describeWith('redis', 'a process that computes for longer than storeTimeout', (redis) => {
  let client: Redis;
  beforeAll(() => {
    client = new Redis(redis().url);
  });
  afterAll(() => client.disconnect());
  afterEach(closeApps);

  it.each(platforms)('F9: takes the answer that came meanwhile for an answer, on %s', async (platform) => {
    const store = new BusyStore(client, { prefix: redis().prefix });
    const options = { store, storeTimeout: STORE_TIMEOUT };
    const app = await startApp({ platform, options, controllers: [ComputationsController] });
    const ada = await visitor(app);
    await ada.post('/write');
    store.isBusy = true;
    const { status, text } = await ada.get('/read');
    expect({ status, text }).toEqual({ status: 200, text: 'before' });
  });
});
