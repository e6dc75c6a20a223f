import { Logger } from '@nestjs/common';
import { SessionEvents, type SessionEvent, type SessionModuleOptions } from 'nestjs-tessera';
import { manualClock, type ManualClock } from 'nestjs-tessera/testing';
import { DAY, HOUR, MINUTE } from '../support/core';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { scripted, type Scripted } from '../support/scripted';
import '../support/session-data';
import { describeLocalStores, type StoreUnderTest } from '../support/stores';
import { visitor, type Visitor } from '../support/visitor';
import { WatchedStore } from '../support/watched-store';

describe.each(platforms)('time on %s', (platform) => {
  describeLocalStores('with', ({ create }) => {
    let under: StoreUnderTest;
    let store: WatchedStore;
    let clock: ManualClock;
    let session: Scripted;
    let app: App;
    let ada: Visitor;
    let events: SessionEvent[];

    const start = async (options: SessionModuleOptions = {}): Promise<void> => {
      session = scripted();
      app = await startApp({
        platform,
        options: { store, clock, ...options },
        controllers: [session.controller],
      });
      ada = await visitor(app);
      events = [];
      app.get(SessionEvents).subscribe((event) => events.push(event));
    };
    beforeEach(async () => {
      under = await create();
      store = new WatchedStore(under.store);
      clock = manualClock();
      await start();
    });
    afterEach(async () => {
      await closeApps();
      await under.close();
    });

    const visits = (): Promise<number | null> => session.ask(ada, (s) => s.get('visits') ?? null);
    const begin = async (): Promise<void> => {
      await session.run(ada, (s) => s.set('visits', 1));
      store.take();
      events.length = 0;
    };

    it('E1: a session lives until its idle timeout, whatever the cookie says, and not a millisecond longer', async () => {
      await begin();
      const token = (await ada.token())!;
      clock.advance(30 * MINUTE - 1);
      expect(await visits()).toBe(1);
      clock.advance(30 * MINUTE);
      const answer = await session.run(ada, (s) => s.get('visits') ?? null);
      expect(answer.json()).toEqual({ result: null });
      expect(answer.cookies).toEqual([]);
      expect(events).toMatchObject([{ type: 'expired', id: token.slice(0, 22), reason: 'idle-timeout' }]);
      const headers = { cookie: `__Host-session=${token}` };
      expect((await session.run(ada, (s) => s.get('visits') ?? null, { headers })).json()).toEqual({
        result: null,
      });
    });

    it('E2: a session ends with its lifetime however busy it is', async () => {
      await begin();
      for (let at = 20; at < 24 * 60; at += 20) {
        clock.advance(20 * MINUTE);
        await session.run(ada, (s) => s.set('visits', at));
      }
      clock.advance(20 * MINUTE - 1);
      expect(await visits()).toBe(24 * 60 - 20);
      clock.advance(1);
      expect(await visits()).toBeNull();
      expect(events.at(-1)).toMatchObject({ type: 'expired', reason: 'lifetime' });
    });

    it('E3: readers extend a session once a tenth of its idle timeout, so that it lives no shorter than that', async () => {
      await begin();
      for (let minute = 1; minute <= 8; minute++) {
        clock.advance(MINUTE);
        await visits();
      }
      expect(store.take().filter((operation) => operation !== 'find')).toEqual(['extend', 'extend']);
      // The last extension was at the eighth minute; a reader at the eleventh does not extend, and loses three minutes.
      clock.advance(3 * MINUTE);
      await visits();
      clock.advance(27 * MINUTE - 1);
      expect(await visits()).toBe(1);
    });

    it('E4: neither writing, renewing nor a restart moves the absolute end; a login does', async () => {
      await begin();
      const end = await session.ask(ada, (s) => s.deadline);
      clock.advance(20 * MINUTE);
      await session.run(ada, (s) => s.set('visits', 2));
      await session.run(ada, (s) => s.renewToken());
      const { jar } = ada;
      await start();
      for (const cookie of (await jar.serialize()).cookies)
        await ada.jar.setCookie(
          `${cookie.key}=${cookie.value}; Path=/; Secure; HttpOnly`,
          (await app.getUrl()).replace('http:', 'https:'),
        );
      expect(await session.ask(ada, (s) => ({ visits: s.get('visits'), end: s.deadline }))).toEqual({
        visits: 2,
        end,
      });
      await session.run(ada, (s) => s.login({ id: 7 }));
      expect(await session.ask(ada, (s) => s.deadline)).toBe(clock() + DAY);
    });

    it('E5: a clock that stepped back revives nothing that a request has seen dead', async () => {
      await begin();
      clock.advance(30 * MINUTE);
      const token = (await ada.token())!;
      await visits();
      clock.advance(-HOUR);
      const headers = { cookie: `__Host-session=${token}` };
      expect((await session.run(ada, (s) => s.get('visits') ?? null, { headers })).json()).toEqual({
        result: null,
      });
    });

    it('E5: a deadline in the past ends the session and is stored nowhere', async () => {
      await begin();
      const answer = await session.run(ada, (s) => void (s.deadline = clock() - 1));
      expect(answer.cookies).toEqual([expect.stringContaining('Max-Age=0')]);
      expect(await visits()).toBeNull();
      const fresh = await visitor(app);
      store.take();
      const never = await session.run(fresh, (s) => {
        s.set('visits', 1);
        s.deadline = -8.64e15;
      });
      expect({ cookies: never.cookies, calls: store.calls }).toEqual({ cookies: [], calls: [] });
    });

    it.each([0, -1, -8.64e15])('E5: a record that ends at %d is dead on arrival', async (at) => {
      await begin();
      const call = { signal: new AbortController().signal };
      const id = (await ada.token())!.slice(0, 22) as never;
      const record = await under.store.find(id, call);
      expect(await under.store.extend(id, record!.version, at, call)).toBe(true);
      expect(await visits()).toBeNull();
    });

    it('W9: a persistent cookie has the deadline of each session, and follows it', async () => {
      await closeApps();
      await start({ cookie: { persistent: true } });
      const begun = await session.run(ada, (s) => s.set('visits', 1));
      const changed = await session.run(ada, (s) => s.set('visits', 2));
      const shortened = await session.run(ada, (s) => (s.deadline = clock() + HOUR));
      const remembered = await session.ask(ada, (s) => s.remembered);
      expect({
        begun: begun.cookies,
        changed: changed.cookies,
        shortened: shortened.cookies,
        remembered,
      }).toEqual({
        begun: [expect.stringContaining(`Max-Age=${DAY / 1000};`)],
        changed: [],
        shortened: [expect.stringContaining(`Max-Age=${HOUR / 1000};`)],
        remembered: false,
      });
    });

    it('E1: a remembered session may rest for its lifetime, and its cookie says so', async () => {
      const answer = await session.run(ada, (s) => s.login({ id: 7 }, { rememberMe: true }));
      expect(answer.cookies).toEqual([expect.stringContaining(`Max-Age=${(30 * DAY) / 1000};`)]);
      clock.advance(30 * DAY - 1);
      expect(await session.ask(ada, (s) => s.principal?.id)).toBe('7');
      clock.advance(1);
      expect(await session.ask(ada, (s) => s.principal)).toBeNull();
    });
  });

  describeLocalStores('sweeping', ({ create }) => {
    it('E6: removes what has expired in batches, leaves what was extended, and stops with the application', async () => {
      const under = await create();
      const clock = manualClock();
      const call = { signal: new AbortController().signal };
      const batches: number[] = [];
      const sweepable = under.store as typeof under.store & {
        sweep(now: number, limit: number, of: object): Promise<number>;
      };
      const sweep = sweepable.sweep.bind(sweepable);
      let swept = (): void => {};
      sweepable.sweep = async (...given) => {
        const removed = await sweep(...given);
        batches.push(removed);
        if (removed < given[1]) swept();
        return removed;
      };
      const record = (n: number) => ({
        id: String(n).padStart(22, '0') as never,
        version: 1,
        secretHash: 'x'.repeat(43) as never,
        principal: null,
        expiresAt: clock() + MINUTE,
        body: 'of nobody',
      });
      for (let n = 0; n < 1200; n++) await under.store.insert(record(n), call);
      const { id } = record(600);
      await under.store.extend(id, 1, clock() + HOUR, call);
      clock.advance(MINUTE);

      const done = new Promise<void>((resolve) => (swept = resolve));
      const app = await startApp({ platform, options: { store: under.store, clock, sweepEvery: 20 } });
      await done;
      expect(batches.reduce((sum, each) => sum + each, 0)).toBe(1199);
      expect(Math.max(...batches)).toBe(200);
      expect(await under.store.find(id, call)).not.toBeNull();
      await app.close();
      const { length } = batches;
      await new Promise((resolve) => setTimeout(resolve, 60));
      expect(batches).toHaveLength(length);
      await closeApps();
      await under.close();
    });
  });
});

describe('an application that only waits', () => {
  it('E6: is told about a store in memory once, in production', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation();
    const { NODE_ENV } = process.env;
    process.env['NODE_ENV'] = 'production';
    try {
      await startApp({ platform: 'express' });
      expect(warn.mock.calls.filter(([text]) => String(text).includes('kept in memory'))).toHaveLength(1);
    } finally {
      process.env['NODE_ENV'] = NODE_ENV;
      warn.mockRestore();
      await closeApps();
    }
  });
});
