import { Catch, Controller, Post, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { AbstractHttpAdapter, HttpAdapterHost } from '@nestjs/core';
import {
  isEnumerable,
  isSweepable,
  Session,
  SessionError,
  SessionEvents,
  type EnumerableStore,
  type SessionEvent,
  type SweepableStore,
} from 'nestjs-tessera';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { scripted, type Scripted } from '../support/scripted';
import '../support/session-data';
import { describeLocalStores, type StoreUnderTest } from '../support/stores';
import { visitor, type Visitor } from '../support/visitor';
import { door, WatchedStore } from '../support/watched-store';

const call = { signal: new AbortController().signal };

@Catch(SessionError)
class SessionErrorFilter implements ExceptionFilter {
  constructor(private readonly adapter: AbstractHttpAdapter) {}

  catch(error: SessionError, host: ArgumentsHost): void {
    const body = { code: error.code, message: error.message };
    this.adapter.reply(host.switchToHttp().getResponse(), body, 422);
  }
}

@Controller('slow')
class SlowController {
  static inside = door();
  static goOn = door();

  @Post() async slow(@Session() session: Session) {
    session.flash('notice', 'slow');
    SlowController.inside.open();
    await SlowController.goOn.opened;
  }
}

describe.each(platforms)('data on %s', (platform) => {
  describeLocalStores('with', ({ create }) => {
    let under: StoreUnderTest;
    let store: WatchedStore;
    let session: Scripted;
    let app: App;
    let ada: Visitor;
    let events: SessionEvent[];
    const stray: unknown[] = [];
    const note = (error: unknown): void => void stray.push(error);

    beforeEach(async () => {
      under = await create();
      store = new WatchedStore(under.store);
      session = scripted();
      app = await startApp({
        platform,
        options: { store },
        controllers: [session.controller, SlowController],
      });
      ada = await visitor(app);
      events = [];
      app.get(SessionEvents).subscribe((event) => events.push(event));
      process.on('uncaughtException', note).on('unhandledRejection', note);
    });
    afterEach(async () => {
      await closeApps();
      await under.close();
      process.off('uncaughtException', note).off('unhandledRejection', note);
      expect(stray.splice(0)).toEqual([]);
    });

    const idOf = async (who: Visitor): Promise<never> => (await who.token())!.slice(0, 22) as never;

    it('D1: every kind of value comes back in a later request', async () => {
      const make = (): Record<string, unknown> => ({
        date: new Date(-1),
        map: new Map<unknown, unknown>([[{ a: 1n }, new Set(['x'])]]),
        bytes: new Uint8Array([0, 255]),
        buffer: Buffer.from('tessera'),
        text: 'emoji 🏺, NUL \0, lone \ud800 and \udfff, line\u2028',
        'key \0 \ud800 🏺': [NaN, -0, Infinity, undefined, null, -(2n ** 100n)],
        tagged: ['$date', 1],
        deep: JSON.parse('[[[[[{"__proto__":{"constructor":1}}]]]]]') as unknown,
      });
      await session.run(ada, (s) => s.set('value', make()));
      let found: unknown;
      await session.run(ada, (s) => void (found = s.get('value')));
      expect(found).toStrictEqual(make());
    });

    it('D2: keys that every object has are keys', async () => {
      const keys = ['__proto__', 'constructor', 'then', 'toString', 'hasOwnProperty'] as const;
      await session.run(ada, (s) => {
        for (const key of keys) s.set(key, { [key]: key });
      });
      await session.run(ada, (s) => s.update('__proto__', (before) => [before]));
      const found = await session.ask(ada, (s) =>
        s.entries().map(([key, value]) => [key, JSON.stringify(value)]),
      );
      expect(found).toEqual([
        ['__proto__', '[{"__proto__":"__proto__"}]'],
        ['constructor', '{"constructor":"constructor"}'],
        ['hasOwnProperty', '{"hasOwnProperty":"hasOwnProperty"}'],
        ['then', '{"then":"then"}'],
        ['toString', '{"toString":"toString"}'],
      ]);
    });

    it('D1: a value that cannot be kept is a 500 that changes nothing, whether it is set or changed in place', async () => {
      await session.run(ada, (s) => s.set('cart', ['a']));
      const set = await session.run(ada, (s) => s.set('value', () => 1));
      const inPlace = await session.run(ada, (s) => (s.get('cart') as unknown[]).push(() => 1));
      expect({ set: set.status, inPlace: inPlace.status }).toEqual({ set: 500, inPlace: 500 });
      expect(inPlace.json()).toEqual({ statusCode: 500, message: 'Internal server error' });
      expect(await session.ask(ada, (s) => s.entries())).toEqual([['cart', ['a']]]);
    });

    it('D1: a visitor whose first value went bad gets a 500 and no session', async () => {
      const list: unknown[] = [];
      const { status, cookies } = await session.run(ada, (s) => {
        s.set('value', list);
        list.push(() => 1);
      });
      expect({ status, cookies, calls: store.calls }).toEqual({ status: 500, cookies: [], calls: [] });
    });

    it('D3: a session over its limit is an error that names the key, before the store is called', async () => {
      await session.run(ada, (s) => s.set('visits', 1));
      store.take();
      const answer = await session.run(ada, (s) => s.set('value', 'x'.repeat(70_000)));
      expect(answer.status).toBe(500);
      expect(store.take()).toEqual(['find']);
      expect(await session.ask(ada, (s) => s.keys())).toEqual(['visits']);
    });

    it('D3: that error reaches the exception filters', async () => {
      const filtered = scripted();
      const other = await startApp({
        platform,
        options: { store },
        controllers: [filtered.controller],
        configure: (it) =>
          void it.useGlobalFilters(new SessionErrorFilter(it.get(HttpAdapterHost).httpAdapter as never)),
      });
      const person = await visitor(other);
      const answer = await filtered.run(person, (s) => s.set('value', 'x'.repeat(70_000)));
      expect({ status: answer.status, body: answer.json() }).toEqual({
        status: 422,
        body: { code: 'SESSION_TOO_LARGE', message: expect.stringContaining("the largest part is 'value'") },
      });
    });

    const bodies: [string, (body: string) => string, string][] = [
      ['corrupt', () => 'not ours at all', 'corrupt'],
      ['empty', () => '', 'corrupt'],
      ['truncated', (body) => body.slice(0, -3), 'corrupt'],
      ['of an older format', (body) => body.replace(/^1\n/, '0\n'), 'corrupt'],
      ['of the wrong shape', () => '1\n[0,0,9e15,null,0,0,["7"]]\n[{}]', 'corrupt'],
      ['of a newer format', (body) => body.replace(/^1\n/, '3\n'), 'newer-format'],
    ];
    it.each(bodies)('D4: a body that is %s makes a visitor, and one event', async (_what, spoil, reason) => {
      await session.run(ada, (s) => s.login({ id: 7 }));
      const bea = await visitor(app);
      await session.run(bea, (s) => s.set('visits', 1));
      const id = await idOf(ada);
      const record = (await under.store.find(id, call))!;
      const spoilt = { ...record, version: 2, body: spoil(record.body) };
      await under.store.update(spoilt, 1, call);
      events.length = 0;

      const answer = await session.run(ada, ({ principal, isNew }) => ({ principal, isNew }));
      expect({ status: answer.status, body: answer.json() }).toEqual({
        status: 201,
        body: { result: { principal: null, isNew: true } },
      });
      expect(events).toMatchObject([{ type: 'rejected', id, reason }]);
      const isLeft = reason === 'newer-format';
      expect(await under.store.find(id, call)).toEqual(isLeft ? spoilt : null);
      expect(answer.cookies).toEqual([]);
      expect(await session.ask(bea, (s) => s.get('visits'))).toBe(1);
    });

    it('D4: sweeping and listing go on past a body that is corrupt', async () => {
      for (let n = 0; n < 3; n++) await session.run(await visitor(app), (s) => s.set('visits', n));
      await session.run(ada, (s) => s.set('visits', 9));
      const record = (await under.store.find(await idOf(ada), call))!;
      await under.store.update({ ...record, version: 2, body: 'rubbish' }, 1, call);
      if (!isEnumerable(under.store) || !isSweepable(under.store))
        throw new Error('expected both capabilities');
      const ids: string[] = [];
      for await (const { id } of (under.store as EnumerableStore).records(call)) ids.push(id);
      expect(ids).toHaveLength(4);
      expect(await (under.store as SweepableStore).sweep(8.64e15, 500, call)).toBe(4);
    });

    it('flash messages survive until they are read, and not longer', async () => {
      await session.run(ada, (s) => {
        s.flash('error', 'wrong password');
        s.flash('notice', 'one');
        s.flash('notice', 'two');
      });
      await session.run(ada, (s) => s.get('cart'));
      expect(await session.ask(ada, (s) => s.messages('notice'))).toEqual(['one', 'two']);
      expect(await session.ask(ada, (s) => s.messages('notice'))).toEqual([]);
      expect(await session.ask(ada, (s) => s.messages())).toEqual([
        { kind: 'error', message: 'wrong password' },
      ]);
      expect(await session.ask(ada, (s) => s.messages())).toEqual([]);
    });

    it('R1: requests that flash at once lose no message', async () => {
      await session.run(ada, (s) => s.flash('notice', 'first'));
      SlowController.inside = door();
      SlowController.goOn = door();
      const slow = ada.post('/slow');
      await SlowController.inside.opened;
      expect(await session.ask(ada, (s) => s.messages('notice'))).toEqual(['first']);
      await Promise.all(
        Array.from({ length: 10 }, (_, n) => session.run(ada, (s) => s.flash('notice', `n${n}`))),
      );
      SlowController.goOn.open();
      expect((await slow).status).toBe(201);
      const messages = await session.ask(ada, (s) => s.messages('notice'));
      expect([...messages].sort()).toEqual([...Array.from({ length: 10 }, (_, n) => `n${n}`), 'slow']);
    });

    it('a merge moves the data of another session here, and ends that one', async () => {
      const bea = await visitor(app);
      await session.run(bea, (s) => s.set('cart', ['b']).set('theme', 'dark'));
      await session.run(ada, (s) => s.set('cart', ['a']).set('visits', 1));
      const token = (await bea.token())!;
      await session.run(ada, (s) => s.merge(token));
      expect(await session.ask(ada, (s) => s.entries())).toEqual([
        ['cart', ['b']],
        ['theme', 'dark'],
        ['visits', 1],
      ]);
      expect(await session.ask(bea, (s) => s.keys())).toEqual([]);
      expect(await under.store.find(token.slice(0, 22) as never, call)).toBeNull();
    });

    it('constants stay fixed for the life of a login, and end with it', async () => {
      await session.run(ada, (s) =>
        s.login({ id: 7 }, { constants: { tenant: 'acme', limits: { uploads: 3 } } }),
      );
      await session.run(ada, (s) => {
        s.constant('limits')!.uploads = 99;
        s.clear();
      });
      const constants = await session.ask(ada, (s) => ({
        tenant: s.constant('tenant'),
        limits: s.constant('limits'),
      }));
      expect(constants).toEqual({ tenant: 'acme', limits: { uploads: 3 } });
      const refused = await session.run(ada, (s) => s.login({ id: 7 }, { constants: { tenant: 'evil' } }));
      expect(refused.status).toBe(500);
      expect(await session.ask(ada, (s) => s.constant('tenant'))).toBe('acme');
      await session.run(ada, (s) => s.logout());
      expect(await session.ask(ada, (s) => s.constant('tenant') ?? null)).toBeNull();
    });

    it('F5: a listener that throws, rejects or hangs changes nothing for anybody', async () => {
      app.get(SessionEvents).subscribe(() => {
        throw new Error('bad listener');
      });
      app.get(SessionEvents).subscribe((): never => Promise.reject(new Error('worse listener')) as never);
      app.get(SessionEvents).subscribe(() => new Promise(() => {}) as never);
      expect((await session.run(ada, (s) => s.login({ id: 7 }))).status).toBe(201);
      expect(await session.ask(ada, (s) => s.principal?.id)).toBe('7');
      expect((await session.run(ada, (s) => s.destroy())).status).toBe(201);
      expect(events.map(({ type }) => type)).toEqual(['created', 'loggedIn', 'destroyed']);
    });
  });
});
