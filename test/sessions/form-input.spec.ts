import { MemorySessionStore, type Session } from 'nestjs-tessera';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { scripted, type Scripted } from '../support/scripted';
import '../support/session-data';
import { visitor } from '../support/visitor';
import { door, WatchedStore } from '../support/watched-store';

describe.each(platforms)('on %s', (platform) => {
  afterEach(closeApps);

  const { controller, run, ask }: Scripted = scripted();
  const start = (store = new WatchedStore(new MemorySessionStore())): Promise<App> =>
    startApp({ platform, options: { store }, controllers: [controller] });

  describe('form input', () => {
    it('is there for the next request, and after it no more', async () => {
      const ada = await visitor(await start());
      await ask(ada, (s) => void s.flashInput({ name: 'Ada', tags: ['a', 'b'] }));
      const next = await ask(ada, (s) => ({
        ...{ name: s.oldInput('name'), tags: s.oldInput('tags'), none: s.oldInput('none') ?? null },
        ...{ inherited: s.oldInput('constructor') ?? null, all: s.oldInput() },
      }));
      expect(next).toEqual({
        ...{ name: 'Ada', tags: ['a', 'b'], none: null, inherited: null },
        all: { name: 'Ada', tags: ['a', 'b'] },
      });
      expect(await ask(ada, (s) => s.oldInput())).toEqual({});
    });

    it('stays until a request reads it', async () => {
      const ada = await visitor(await start());
      await ask(ada, (s) => void s.flashInput({ name: 'Ada' }));
      await ask(ada, (s) => s.keys());
      expect(await ask(ada, (s) => s.oldInput('name'))).toBe('Ada');
    });

    it('leaves out passwords, tokens and other secrets, what is excepted, and what is no text', async () => {
      const ada = await visitor(await start());
      const kept = {
        email: 'ada@example.com',
        pinboard: 'x',
        footprint: 'y',
        passage2: 'z',
        tokenless: undefined,
        note: '',
      };
      const secrets = {
        ...{ password: 's', newPassword: 's', 'confirm-pass-word': 's', PASSWD: 's', passphrase: 's' },
        ...{
          pwd: 's',
          user_pw: 's',
          token: 's',
          access_token: 's',
          _csrf: 's',
          xsrf: 's',
          clientSecret: 's',
        },
        ...{
          otp: 's',
          loginOTP: 's',
          totpCode: 's',
          pin: 's',
          card_cvc: 's',
          cardNumber: 's',
          'api-key': 's',
        },
        ...{ pass: 's', pass1: 's', userPass: 's', 'user[pass]': 's', pwd2: 's' },
        ...{ iban: 's', creditCard: 's', recovery_code: 's', backupCode2: 's', securityAnswer1: 's' },
      };
      const others = {
        age: 5,
        file: { name: 'x' },
        list: ['a', 1],
        empty: null,
        upload: [{}],
        city: 'excepted',
      };
      await ask(ada, (s) => void s.flashInput({ ...kept, ...secrets, ...others }, { except: ['city'] }));
      expect(await ask(ada, (s) => s.oldInput())).toEqual({
        ...{ email: 'ada@example.com', pinboard: 'x', footprint: 'y', passage2: 'z', note: '' },
      });
    });

    it('counts each value of a list, so that a list of empty ones does not fill the session', async () => {
      const ada = await visitor(await start());
      await ask(ada, (s) => void s.flashInput({ a: 'x', list: Array(20_000).fill(''), z: 'z' }));
      expect(await ask(ada, (s) => s.oldInput())).toEqual({ a: 'x', z: 'z' });
    });

    it('has at most 16,384 characters, and other fields than the longest', async () => {
      const ada = await visitor(await start());
      await ask(ada, (s) => void s.flashInput({ a: 'x', long: 'x'.repeat(16_384), z: 'z' }));
      expect(await ask(ada, (s) => s.oldInput())).toEqual({ a: 'x', z: 'z' });
    });

    it.each([null, undefined, 'text', ['a'], {}])('is forgotten when %j is kept instead', async (body) => {
      const ada = await visitor(await start());
      await ask(ada, (s) => void s.flashInput({ name: 'Ada' }));
      await ask(ada, (s) => void s.flashInput(body));
      expect(await ask(ada, (s) => s.oldInput())).toEqual({});
    });

    it('fits into the session whatever a client sends', async () => {
      const ada = await visitor(await start());
      const many = Array.from({ length: 30_000 }, () => '');
      await ask(ada, (s) => void s.flashInput({ a: 'x', many, control: '\u0001'.repeat(16_000), b: ['y'] }));
      expect(await ask(ada, (s) => s.oldInput())).toEqual({ a: 'x', b: ['y'] });
    });

    it('has names that every object has', async () => {
      const ada = await visitor(await start());
      await ask(ada, (s) => void s.flashInput(JSON.parse('{"__proto__":"x","constructor":"y"}')));
      expect(await ask(ada, (s) => [s.oldInput('__proto__'), s.oldInput('constructor')])).toEqual(['x', 'y']);
    });

    it('of a later form is not removed by the request that reads the earlier one', async () => {
      const store = new WatchedStore(new MemorySessionStore());
      const ada = await visitor(await start(store));
      await ask(ada, (s) => void s.flashInput({ name: 'first' }));
      const reading = door();
      const goOn = door();
      const slow = run(ada, async (s) => {
        s.oldInput();
        reading.open();
        await goOn.opened;
      });
      await reading.opened;
      await ask(ada, (s) => void s.flashInput({ name: 'second' }));
      goOn.open();
      await slow;
      expect(await ask(ada, (s) => s.oldInput('name'))).toBe('second');
    });

    it('is kept by a login, dropped by one that keeps no data, and by each logout', async () => {
      const ada = await visitor(await start());
      const outcomes: unknown[] = [];
      for (const work of [
        (s: Session) => s.login({ id: 7 }),
        (s: Session) => s.login({ id: 7 }, { keepData: false }),
        (s: Session) => s.logout({ keepData: true }),
      ]) {
        await ask(ada, (s) => void s.flashInput({ name: 'Ada' }));
        await ask(ada, work);
        outcomes.push(await ask(ada, (s) => s.oldInput('name') ?? null));
      }
      expect(outcomes).toEqual(['Ada', null, null]);
    });
  });

  describe('reflash', () => {
    it('keeps what this request has read for one more, in its order, and nothing else', async () => {
      const ada = await visitor(await start());
      await ask(ada, (s) => void s.flashInput({ name: 'Ada' }));
      await ask(ada, (s) => s.flash('notice', 'one'));
      await ask(ada, (s) => s.flash('notice', 'two'));
      await ask(ada, (s) => s.flash('other', 'unread'));
      await ask(ada, (s) => {
        s.messages('notice');
        s.oldInput('name');
        s.flash('notice', 'new');
        s.reflash();
        s.reflash();
        // A template goes on reading.
        s.oldInput('name');
      });
      const next = await ask(ada, (s) => ({ messages: s.messages(), name: s.oldInput('name') }));
      expect(next).toEqual({
        messages: [
          { kind: 'notice', message: 'one' },
          { kind: 'notice', message: 'two' },
          { kind: 'other', message: 'unread' },
          { kind: 'notice', message: 'new' },
        ],
        name: 'Ada',
      });
      expect(await ask(ada, (s) => ({ messages: s.messages(), input: s.oldInput() }))).toEqual({
        messages: [],
        input: {},
      });
    });

    it('brings nothing back after a logout, or a rollback', async () => {
      const ada = await visitor(await start());
      const remaining: unknown[] = [];
      for (const undo of ['logout', 'keepData', 'rollback'] as const) {
        await ask(ada, (s) => void s.login({ id: 7 }));
        await ask(ada, (s) => s.flashInput({ name: 'Ada' }).flash('notice', 'mine'));
        await ask(ada, (s) => {
          s.messages();
          s.oldInput();
          if (undo === 'rollback') s.rollback();
          else s.logout({ keepData: undo === 'keepData' });
          s.reflash();
        });
        remaining.push(await ask(ada, (s) => ({ messages: s.messages().length, input: s.oldInput() })));
      }
      expect(remaining).toEqual([
        { messages: 0, input: {} },
        { messages: 0, input: {} },
        { messages: 1, input: { name: 'Ada' } },
      ]);
    });

    it('writes nothing when nothing was read', async () => {
      const store = new WatchedStore(new MemorySessionStore());
      const ada = await visitor(await start(store));
      await ask(ada, (s) => void s.set('visits', 1));
      store.take();
      await ask(ada, (s) => s.reflash());
      expect(store.take()).toEqual(['find']);
    });
  });
});
