import { doubtfulDurations } from './durations';
import * as v from 'valibot';
import { z } from 'zod';
import { jsonCodec } from './core/session-codec';
import { SessionError } from './core/session.errors';
import { resolveOptions, type SessionModuleOptions } from './session.options';
import { MemorySessionStore } from './stores/memory/memory-session-store';
import { CookieTransport } from './transports/cookie-transport';
import type { SessionTransport } from './transports/session-transport';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

function refusal(options: unknown, name = 'default'): string {
  try {
    resolveOptions(options as SessionModuleOptions, name);
    return '';
  } catch (error) {
    expect(error).toBeInstanceOf(SessionError);
    expect((error as SessionError).code).toBe('SESSION_OPTIONS_INVALID');
    return (error as Error).message;
  }
}

const transport: SessionTransport = {
  channel: 'header X-Session',
  sealedFor: 'header X-Session',
  vary: ['X-Session'],
  read: () => ({ kind: 'none' }),
  capacity: () => 4096,
  obstacle: () => null,
  write: () => {},
};

describe('the options', () => {
  it.each([
    [{ schema: [] }, 'schema must be an object with a schema for each key, got []'],
    [
      { schema: z.object({}) },
      'schema must be an object with a schema for each key, got one schema: name its keys',
    ],
    [
      { schema: { cart: Array } },
      'schema.cart must be a schema of zod, valibot, arktype or another library of Standard Schema, got [Function: Array]',
    ],
    [
      { schema: { cart: { '~standard': { version: 2, validate: () => ({ value: 1 }) } } } },
      'schema.cart must implement version 1 of Standard Schema, got version 2',
    ],
    [
      { schema: { cart: { '~standard': { version: 1 } } } },
      'schema.cart must implement version 1 of Standard Schema, got version 1 without validate()',
    ],
    [
      {
        schema: {
          cart: v.pipeAsync(
            v.string(),
            v.checkAsync(() => Promise.resolve(true)),
          ),
        },
      },
      'schema.cart must return a result for any value, since the store may have one of an older release: for undefined it returned a promise; leave out what is asynchronous, and with zod also what throws',
    ],
    [
      {
        schema: {
          cart: v.pipe(
            v.any(),
            v.check((value) => (value as string[]).length > 0),
          ),
        },
      },
      'schema.cart must return a result for any value, since the store may have one of an older release: for undefined it threw TypeError',
    ],
    [{ schema: {}, onMismatch: true }, 'onMismatch must be a function, got true'],
    [{ onMismatch: () => undefined }, 'onMismatch needs the option schema'],
  ])('refuse schemas that cannot work: %#', (options, problem) => {
    expect(refusal(options)).toBe(`The options of SessionModule are invalid:\n  - ${problem}`);
  });

  it('W35: that look like seconds are doubtful: numbers below a minute', () => {
    const options = {
      lifetime: 3600,
      idleTimeout: 60_000,
      rememberMe: { lifetime: '30d', idleTimeout: 59_999 },
    };
    expect(doubtfulDurations(options)).toEqual([
      "lifetime is 3600 milliseconds. For seconds write '3600s'.",
      "rememberMe.idleTimeout is 59999 milliseconds. For seconds write '59999s'.",
    ]);
    expect(doubtfulDurations({ idleTimeout: false })).toEqual([]);
  });

  it('have defaults that are safe', () => {
    const { store, clock, codec, transport, policy, ...rest } = resolveOptions({}, 'default');
    expect(store).toBeInstanceOf(MemorySessionStore);
    expect(codec).toBe(jsonCodec);
    expect(Math.abs(clock() - Date.now())).toBeLessThan(DAY);
    expect(transport.channel).toBe('cookie __Host-session');
    expect(policy.tokenIn).toBe('cookie __Host-session');
    expect(rest).toEqual({
      timeouts: { lifetime: DAY, idleTimeout: 30 * MINUTE },
      rememberedTimeouts: { lifetime: 30 * DAY, idleTimeout: null },
      csrf: { trustedOrigins: new Set(), strict: false, token: false },
      maxBytes: 65_536,
      storeTimeout: 3000,
      rotateEvery: null,
      persistent: false,
      logins: { pendingLifetime: 10 * MINUTE, locksWhenIdle: false, limit: null },
      describe: null,
      authorize: null,
      sweepEvery: MINUTE,
      asyncContext: true,
      closeStreamsOnEnd: false,
    });
  });

  it('never share a default store', () => {
    expect(resolveOptions({}, 'a').store).not.toBe(resolveOptions({}, 'b').store);
  });

  it('take lengths of time in words and in milliseconds, and none where that makes sense', () => {
    const { timeouts, rememberedTimeouts, storeTimeout, sweepEvery } = resolveOptions(
      {
        lifetime: '8h',
        idleTimeout: false,
        rememberMe: { lifetime: '2 weeks', idleTimeout: 1.5 },
        storeTimeout: 250,
        sweepEvery: false,
      },
      'default',
    );
    expect(timeouts).toEqual({ lifetime: DAY / 3, idleTimeout: null });
    expect(rememberedTimeouts).toEqual({ lifetime: 14 * DAY, idleTimeout: 1 });
    expect({ storeTimeout, sweepEvery }).toEqual({ storeTimeout: 250, sweepEvery: null });
  });

  const noDuration = [0, -1, NaN, Infinity, 0.5, '', 'soon', '-5m', '0s', true, {}, [], 1n, '1000000 years'];
  describe.each(['lifetime', 'idleTimeout', 'storeTimeout', 'sweepEvery'])('for %s', (option) => {
    it.each(noDuration)('refuse what is not a duration: %p', (value) => {
      expect(refusal({ [option]: value })).toContain(`  - ${option} `);
    });
  });

  describe.each(['lifetime', 'idleTimeout'])('for rememberMe.%s', (option) => {
    it.each(noDuration)('refuse what is not a duration: %p', (value) => {
      expect(refusal({ rememberMe: { [option]: value } })).toContain(`  - rememberMe.${option} `);
    });
  });

  it.each(['lifetime', 'idleTimeout', 'storeTimeout', 'sweepEvery'])(
    'W35: for %s refuse a number without its unit',
    (option) => {
      expect(refusal({ [option]: '3600' })).toContain(
        `  - ${option} must say its unit, got "3600": write '3600s' for seconds, or the number 3600 for milliseconds`,
      );
    },
  );

  it.each([
    { what: 'a promise', store: Promise.resolve(new MemorySessionStore()), wayOut: 'await it' },
    {
      what: 'an express-session store',
      store: { get() {}, set() {}, destroy() {} },
      wayOut: 'fromExpressStore(store)',
    },
  ])('W36: for store refuse $what, and name the way out', ({ store, wayOut }) => {
    expect(refusal({ store })).toContain(wayOut);
  });

  it('W36: accept a store that has methods of an express-session store besides', () => {
    const store = Object.assign(new MemorySessionStore(), { get() {}, destroy() {} });
    expect(resolveOptions({ store }, 'default').store).toBe(store);
  });

  it('refuse to have no lifetime, or to wait for a store forever', () => {
    expect(refusal({ lifetime: false })).toContain('lifetime must be a duration');
    expect(refusal({ storeTimeout: false })).toContain('storeTimeout must be a duration');
    expect(refusal({ storeTimeout: 2 ** 31 })).toContain('at most 2147483647 ms');
  });

  it.each<[string, unknown, string]>([
    ['maxBytes', { maxBytes: 10 }, 'maxBytes must be a whole number from 256 up, got 10'],
    ['maxBytes in words', { maxBytes: '64kb' }, 'maxBytes must be a whole number from 256 up, got "64kb"'],
    [
      'an infinite maxBytes',
      { maxBytes: Infinity },
      'maxBytes must be a whole number from 256 up, got Infinity',
    ],
    ['asyncContext', { asyncContext: 'yes' }, 'asyncContext must be true or false, got "yes"'],
    ['closeStreamsOnEnd', { closeStreamsOnEnd: 1 }, 'closeStreamsOnEnd must be true or false, got 1'],
    ['a clock that stands still', { clock: 5 }, 'clock must be a function'],
    ['codec', { codec: { encode: () => '' } }, 'codec must have encode() and decode()'],
    ['a codec that is null', { codec: null }, 'codec must have encode() and decode()'],
    ['store', { store: {} }, 'store has no method find(); pass a SessionStore'],
    [
      'a store that is a class',
      { store: MemorySessionStore },
      'store is a class; pass an instance: new MemorySessionStore(…)',
    ],
    ['rememberMe', { rememberMe: true }, 'rememberMe must be an object, got true'],
    ['a rememberMe that is null', { rememberMe: null }, 'rememberMe must be an object, got null'],
    [
      'rememberMe with a stranger',
      { rememberMe: { maxAge: 1 } },
      'rememberMe.maxAge is not an option; known are lifetime',
    ],
    ['csrf', { csrf: true }, 'csrf must be an object, got true'],
    [
      'a csrf option by its own words',
      { csrf: { strict: 1 } },
      '  - csrf.strict must be true or false, got 1',
    ],
    ['a cookie that is a name', { cookie: 'sid' }, 'cookie must be an object, got "sid"'],
    [
      'a transport beside a cookie',
      { transport, cookie: { name: 's' } },
      'transport and cookie cannot be combined',
    ],
    [
      'a transport that is a class',
      { transport: CookieTransport },
      'transport is a class; pass an instance: new CookieTransport(…)',
    ],
    ['a transport that is none', { transport: 'header' }, 'transport has no method read(); pass'],
    [
      'a transport without a method',
      { transport: { ...transport, write: 1 } },
      'has no method write(); pass',
    ],
    [
      'a transport without a name',
      { transport: { ...transport, channel: '' } },
      'transport.channel must be a non-empty string',
    ],
    [
      'a transport for no purpose',
      { transport: { ...transport, sealedFor: undefined } },
      'transport.sealedFor must be a non-empty string',
    ],
    [
      'a transport with one name to vary by',
      { transport: { ...transport, vary: 'Cookie' } },
      'transport.vary must be an array of names of request headers, got "Cookie"',
    ],
    [
      'a transport that varies by no name',
      { transport: { ...transport, vary: ['Cookie, Origin'] } },
      'must be an array of names of request headers',
    ],
    ['a stranger', { secret: 'x' }, 'secret is not an option; known are store, lifetime'],
    ['a stranger that every object knows', { constructor: 1 }, 'constructor is not an option'],
    ['options that are none', 'fast', 'the options must be an object, got "fast"'],
    ['a list of options', [], 'the options must be an object, got []'],
  ])('refuse %s in words', (_what, options, words) => {
    expect(refusal(options)).toContain(words);
  });

  it('take any function for a clock', () => {
    expect(refusal({ clock: Date })).toBe('');
  });

  it('are refused all at once, by the name of their instance', () => {
    const words = refusal(
      { lifetime: 'x', idleTimeout: -1, store: null, cookie: { sameSite: 'no' }, maxBytes: 1, hello: 1 },
      'admin',
    );
    expect(words).toMatch(/^The options of SessionModule 'admin' are invalid:\n/);
    expect(words.split('\n')).toHaveLength(6);
  });
});
