import { Controller, Get, UseGuards } from '@nestjs/common';
import { type } from 'arktype';
import {
  AuthGuard,
  MemorySessionStore,
  Principal,
  SessionEvents,
  SessionManager,
  SessionValueError,
  type Session,
  type SessionEvent,
  type SessionModuleOptions,
} from 'nestjs-tessera';
import { SealedSessions } from 'nestjs-tessera/sealed';
import * as v from 'valibot';
import { z } from 'zod';
import { closeApps, platforms, startApp, type App } from '../support/app';
import { scripted, type Scripted } from '../support/scripted';
import '../support/session-data';
import { visitor, Visitor } from '../support/visitor';
import { WatchedStore } from '../support/watched-store';
import { KEY } from '../sealed/sealed';

type Schema = NonNullable<SessionModuleOptions['schema']>;

// `as never`: the tests have keys such as toString, which every object has with another type.
/** One schema, as three libraries say it: `theme` has its spaces removed, `other` gets what it lacks, `value` has no schema. */
const libraries: { library: string; schema: Schema }[] = [
  {
    library: 'zod',
    schema: {
      cart: z.array(z.string()),
      theme: z.string().trim(),
      other: z.object({ size: z.string().default('M') }),
    } as never,
  },
  {
    library: 'valibot',
    schema: {
      cart: v.array(v.string()),
      theme: v.pipe(v.string(), v.trim()),
      other: v.object({ size: v.optional(v.string(), 'M') }),
    } as never,
  },
  {
    library: 'arktype',
    schema: {
      cart: type('string[]'),
      theme: type('string.trim'),
      other: type({ size: 'string = "M"' }),
    } as never,
  },
];

@Controller('me')
class MeController {
  @UseGuards(AuthGuard) @Get() me(@Principal() who: Principal) {
    return who.id;
  }
}

/** What a call throws. */
function refusalOf(act: () => unknown): { code: unknown; message: unknown } | null {
  try {
    act();
    return null;
  } catch (error) {
    const { code, message } = error as SessionValueError;
    return { code, message };
  }
}

describe.each(platforms)('schemas on %s', (platform) => {
  afterEach(closeApps);

  const { controller, run, ask }: Scripted = scripted();
  const start = (options: SessionModuleOptions): Promise<App> =>
    startApp({ platform, options, controllers: [controller, MeController] });
  const eventsOf = (app: App): SessionEvent[] => {
    const events: SessionEvent[] = [];
    app.get(SessionEvents).subscribe((event) => events.push(event));
    return events;
  };
  /** The same browser at another release of the application, on the same store. */
  const at = async (app: App, who: Visitor): Promise<Visitor> => new Visitor(await app.getUrl(), who.jar);

  describe.each(libraries)('of $library', ({ schema }) => {
    it('refuse a value that does not match, whether it is set or updated, and leave the former one', async () => {
      const ada = await visitor(await start({ schema }));
      await ask(ada, (s) => void s.set('cart', ['pear']));
      const refusals = await ask(ada, (s) => [
        refusalOf(() => s.set('cart', ['fig', 5] as never)),
        refusalOf(() => s.update('cart', () => 5 as never)),
      ]);
      const why = 'the property issues of this error tells why.';
      expect(refusals).toEqual([
        {
          code: 'SESSION_VALUE_INVALID',
          message: `The session cannot store 'cart'[1]: its schema refuses a number; ${why}`,
        },
        {
          code: 'SESSION_VALUE_INVALID',
          message: `The session cannot store 'cart': its schema refuses a number; ${why}`,
        },
      ]);
      expect(await ask(ada, (s) => s.entries())).toEqual([['cart', ['pear']]]);
    });

    it('refuse a change in place at the commit, and let a valid one through', async () => {
      const ada = await visitor(await start({ schema }));
      await ask(ada, (s) => void s.set('cart', ['pear']));
      const invalid = await run(ada, (s) => void (s.get('cart') as unknown[]).push(5));
      const after = await ask(ada, (s) => s.get('cart'));
      const valid = await run(ada, (s) => void s.get('cart')!.push('fig'));
      expect({ invalid: invalid.status, after, valid: valid.status }).toEqual({
        invalid: 500,
        after: ['pear'],
        valid: 201,
      });
      expect(await ask(ada, (s) => s.get('cart'))).toEqual(['pear', 'fig']);
    });

    it('store their output', async () => {
      const ada = await visitor(await start({ schema }));
      const set = await ask(ada, (s) =>
        s
          .set('theme', '  dark ' as never)
          .set('other', {})
          .entries(),
      );
      const found = await ask(ada, (s) => s.entries());
      expect({ set, found }).toEqual({
        set: found,
        found: [
          ['other', { size: 'M' }],
          ['theme', 'dark'],
        ],
      });
    });

    it('do not check a key that has none', async () => {
      const ada = await visitor(await start({ schema }));
      await ask(ada, (s) => void s.set('value', 5).set('visits', 1));
      expect(await ask(ada, (s) => s.entries())).toEqual([
        ['value', 5],
        ['visits', 1],
      ]);
    });

    it('drop what an older release left and does not match, and keep the rest and the login', async () => {
      const store = new MemorySessionStore();
      const ada = await visitor(await start({ store }));
      await ask(ada, (s) => {
        s.login({ id: 7 });
        s.set('cart', { pear: 1 } as never)
          .set('other', {})
          .set('value', 'old');
      });
      const newer = await start({ store, schema });
      const events = eventsOf(newer);
      const her = await at(newer, ada);
      const found = await ask(her, (s) => ({
        ...{ cart: s.get('cart') ?? null, has: s.has('cart'), status: s.status },
        ...{ entries: s.entries(), principal: s.principal!.id },
      }));
      expect(found).toEqual({
        ...{ cart: null, has: false, status: 'unchanged' },
        ...{
          entries: [
            ['other', { size: 'M' }],
            ['value', 'old'],
          ],
          principal: '7',
        },
      });
      expect(events).toMatchObject([{ type: 'rejected', reason: 'schema', principal: 'default:7' }]);
      expect(events[0]!.id).toBe((await her.token())!.slice(0, 22));
    });
  });

  const { schema } = libraries[0]!;

  it('write nothing when a value is dropped, and leave it out of the next write', async () => {
    const store = new WatchedStore(new MemorySessionStore());
    const old = await start({ store });
    const ada = await visitor(old);
    await ask(ada, (s) => void s.set('cart', 'old' as never));
    const her = await at(await start({ store, schema }), ada);
    store.take();
    await ask(her, (s) => s.keys());
    const calls = store.take();
    const still = await ask(ada, (s) => s.keys());
    await ask(her, (s) => void s.set('visits', 1));
    const after = await ask(ada, (s) => s.keys());
    expect({ calls, still, after }).toEqual({ calls: ['find'], still: ['cart'], after: ['visits'] });
  });

  it('ask onMismatch for the value in its present form, and check that too', async () => {
    const store = new MemorySessionStore();
    const ada = await visitor(await start({ store }));
    await ask(
      ada,
      (s) =>
        void s
          .set('cart', 'pear,fig' as never)
          .set('theme', 5 as never)
          .set('other', 5),
    );
    const asked: unknown[] = [];
    const onMismatch: SessionModuleOptions['onMismatch'] = (key, value, issues) => {
      asked.push({ key, value, hasIssues: issues.length > 0 });
      return key === 'cart' ? (value as string).split(',') : key === 'other' ? 'no object' : undefined;
    };
    const newer = await start({ store, schema, onMismatch });
    const events = eventsOf(newer);
    const her = await at(newer, ada);
    expect(await ask(her, (s) => s.update('cart', (cart = []) => [...cart, 'plum']))).toEqual([
      'pear',
      'fig',
      'plum',
    ]);
    expect(asked).toEqual([
      { key: 'cart', value: 'pear,fig', hasIssues: true },
      { key: 'theme', value: 5, hasIssues: true },
      { key: 'other', value: 5, hasIssues: true },
    ]);
    expect(events.map(({ reason }) => reason)).toEqual(['schema', 'schema']);
    expect(await ask(ada, (s) => s.entries())).toEqual([['cart', ['pear', 'fig', 'plum']]]);
  });

  it('fail a request whose onMismatch throws, and let nothing unchecked through', async () => {
    const store = new MemorySessionStore();
    const ada = await visitor(await start({ store }));
    await ask(ada, (s) => void s.set('cart', 'old' as never));
    const onMismatch = (): never => {
      throw new Error('migration failed');
    };
    const her = await at(await start({ store, schema, onMismatch }), ada);
    expect((await run(her, (s) => s.get('cart'))).status).toBe(500);
    expect(await ask(ada, (s) => s.get('cart'))).toBe('old');
  });

  it('cost nothing for a request that asks only who is logged in', async () => {
    const store = new MemorySessionStore();
    let checks = 0;
    const counting = z.array(z.string()).refine(() => ++checks > 0);
    const ada = await visitor(await start({ store, schema: { cart: counting } as never }));
    await ask(ada, (s) => {
      s.login({ id: 7 });
      s.set('cart', ['pear']);
    });
    checks = 0;
    expect((await ada.get('/me')).text).toBe('7');
    expect(checks).toBe(0);
  });

  it('check sealed sessions: what is set, changed in place, and read', async () => {
    const store = new SealedSessions({ keys: [KEY], revocations: new MemorySessionStore() });
    const ada = await visitor(await start({ store }));
    await ask(ada, (s) => void s.set('cart', 'old' as never).set('value', 1));
    const her = await at(await start({ store, schema }), ada);
    const found = await ask(her, (s) => s.keys());
    const set = await ask(her, (s) => refusalOf(() => s.set('cart', 5 as never))?.code);
    await ask(her, (s) => void s.set('cart', ['pear']));
    const inPlace = await run(her, (s) => void (s.get('cart') as unknown[]).push(5));
    const after = await ask(her, (s) => s.get('cart'));
    expect({ found, set, inPlace: inPlace.status, after }).toEqual({
      ...{ found: ['value'], set: 'SESSION_VALUE_INVALID', inPlace: 500, after: ['pear'] },
    });
  });
});

describe('the error of a value that a schema refuses', () => {
  const secret = 'hunter2';
  it.each(libraries)(
    'has the words of $library apart from its message, because they may quote the value',
    async ({ schema }) => {
      const app = await startApp({ platform: 'express', options: { schema }, controllers: [] });
      const session: Session = await app.get(SessionManager).open(null);
      let error: unknown;
      try {
        session.set('cart', [secret, { [secret]: secret }] as never);
      } catch (thrown) {
        error = thrown;
      }
      await closeApps();
      expect(error).toBeInstanceOf(SessionValueError);
      const { code, message, issues, key } = error as SessionValueError;
      expect({
        code,
        key,
        quotes: message.includes(secret),
        enumerable: Object.keys(error as object),
      }).toEqual({
        ...{ code: 'SESSION_VALUE_INVALID', key: "'cart'[1]", quotes: false },
        enumerable: expect.not.arrayContaining(['issues']) as unknown,
      });
      expect(issues[0]!.message).toMatch(/string/);
    },
  );
});
