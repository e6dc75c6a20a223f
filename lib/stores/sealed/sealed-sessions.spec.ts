import { createPublicKey, createSecretKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { Redis } from 'ioredis';
import { MemorySessionStore, type SessionStore } from 'nestjs-tessera';
import { RedisSessionStore } from 'nestjs-tessera/redis';
import { SealedSessions } from 'nestjs-tessera/sealed';
import { TieredSessionStore } from 'nestjs-tessera/tiered';
import { KEY, OLD_KEY, sealedCore } from '../../../test/sealed/sealed';

const revocations = new MemorySessionStore();
const client = new Redis({ lazyConnect: true });
const evicting = new RedisSessionStore(client, { prefix: 'sessions:', allowEviction: true });

/** What is said about options that cannot be. */
const refusalOf = (options: unknown): string => {
  try {
    new SealedSessions(options as never);
  } catch (error) {
    expect(error).toMatchObject({ code: 'SESSION_OPTIONS_INVALID' });
    return (error as Error).message;
  }
  return '';
};

describe('SealedSessions', () => {
  it('W19: take a Redis that does not evict, also behind one that does', () => {
    const durable = new RedisSessionStore(client, { prefix: 'sessions:' });
    const tiers = new TieredSessionStore({ fast: evicting, durable });
    const refusal = (store: SessionStore): string => refusalOf({ keys: [KEY], revocations: store });
    expect({ durable: refusal(durable), tiers: refusal(tiers) }).toEqual({ durable: '', tiers: '' });
  });

  it.each([
    ['text', KEY],
    ['bytes', randomBytes(32)],
    ['a Uint8Array', new Uint8Array(randomBytes(40))],
    ['a KeyObject', createSecretKey(randomBytes(32))],
  ])('take a key as %s', (_kind, key) => expect(refusalOf({ keys: [key], revocations })).toBe(''));

  it.each([
    ['bytes', Buffer.from(KEY)],
    ['a KeyObject', createSecretKey(Buffer.from(KEY))],
  ])('take text by its UTF-8 bytes, the same key as when it is given as %s', async (_kind, key) => {
    const text = sealedCore({ keys: [KEY] });
    const value = await text.issued(null, (s) => s.login({ id: 7 }));
    expect(await text.twin({ keys: [key] }).look(value, (s) => s.principal?.id)).toBe('7');
  });

  it.each<[string, unknown, RegExp]>([
    ['no keys', [], /keys is empty; make one with: npx nestjs-tessera keys/],
    ['no list of keys', KEY, /keys must be an array/],
    ['a short key', ['short-Key-0'], /keys\[0\] must have at least 32 bytes, got 11; make one with/],
    ['16 bytes', [randomBytes(16)], /keys\[0\] must have at least 32 bytes, got 16/],
    ['a key that repeats itself', ['s3cr3T-K'.repeat(8)], /keys\[0\] can be guessed: it repeats/],
    ['bytes of zero', [Buffer.alloc(64)], /keys\[0\] can be guessed/],
    ['words', ['please do not guess this secret of ours'], /keys\[0\] can be guessed/],
    ['a weak previous key', [KEY, 'changeme'.repeat(5)], /keys\[1\] can be guessed/],
    ['one key twice', [KEY, OLD_KEY, Buffer.from(KEY)], /keys\[2\] is the same as keys\[0\]/],
    ['a number', [42], /keys\[0\] must be a string, a Uint8Array or a secret KeyObject/],
    ['nothing', [undefined], /keys\[0\] is undefined; check that the environment variable/],
    [
      'a public key',
      [createPublicKey(generateKeyPairSync('ed25519').privateKey)],
      /keys\[0\] must be .* a secret KeyObject/,
    ],
  ])('refuse %s, in words that hold nothing of it', (_what, keys, words) => {
    const message = refusalOf({ keys, revocations });
    expect(message).toMatch(words);
    const texts = [keys].flat().filter((each) => typeof each === 'string');
    expect(texts.filter((key) => message.includes(key))).toEqual([]);
  });

  it.each<[string, object, RegExp]>([
    [
      'neither list nor danger',
      {},
      /revocations is missing: pass a store.*dangerouslyWithoutRevocation: true/,
    ],
    ['danger that is not meant', { dangerouslyWithoutRevocation: false }, /revocations is missing/],
    ['a list and danger', { revocations, dangerouslyWithoutRevocation: true }, /cannot be combined/],
    ['a class', { revocations: MemorySessionStore }, /revocations must be a SessionStore/],
    ['a store that evicts', { revocations: evicting }, /revocations may be evicted from this store/],
    [
      'tiers of which the durable one evicts',
      { revocations: new TieredSessionStore({ fast: new MemorySessionStore(), durable: evicting }) },
      /revocations may be evicted from this store/,
    ],
    ['what is no store', { revocations: {} }, /revocations has no method find\(\)/],
    [
      'themselves',
      { revocations: new SealedSessions({ keys: [KEY], revocations }) },
      /revocations must be a SessionStore/,
    ],
    [
      'a word for the cookie',
      { revocations, readableByClient: 'yes' },
      /readableByClient must be true or false/,
    ],
    ['an option that is none', { revocations, encrypt: true }, /encrypt is not an option; known are keys/],
  ])('refuse %s, in words', (_what, options, words) => {
    expect(refusalOf({ keys: [KEY], ...options })).toMatch(words);
  });

  it('refuse everything at once', () => {
    expect(refusalOf({ keys: ['x'], readable: true })).toMatch(
      /keys\[0\][^]*readable is not[^]*revocations is/,
    );
    expect(refusalOf(undefined)).toMatch(/the options must be an object/);
  });

  it('T3: show no key and no cookie, whoever looks', async () => {
    const app = sealedCore();
    const value = await app.issued(null, (s) => s.login({ id: 7 }));
    const session = await app.manager.open(value);
    const shown = [app.sealed, app.manager, session, app.events, app.list.inner].flatMap((each) => [
      inspect(each, { depth: 10, showHidden: true }),
      JSON.stringify(each),
      // eslint-disable-next-line @typescript-eslint/no-base-to-string -- whatever it prints
      String(each),
    ]);
    expect(shown.filter((text) => text.includes(KEY))).toEqual([]);
    expect(shown.filter((text) => text.includes(value.split('.').at(-1)!))).toEqual([]);
  });

  it('T1: never seal twice with one nonce', async () => {
    const app = sealedCore({ without: true });
    const session = await app.manager.open(null);
    const nonces = new Set<string>();
    const times = 20_000;
    for (let i = 0; i < times; i++) {
      session.set('visits', i);
      const { token } = (await app.manager.commit(session)) as { token: string };
      nonces.add(token.split('.')[2]!);
    }
    expect(nonces.size).toBe(times);
  });

  it('revoke nothing outside of an application, in words', async () => {
    const sealed = new SealedSessions({ keys: [KEY], revocations });
    const missing = { code: 'SESSION_MODULE_MISSING' };
    await expect(sealed.revoke('A'.repeat(22))).rejects.toMatchObject(missing);
    await expect(sealed.revokeAll({ id: 7 })).rejects.toMatchObject(missing);
    await expect(sealed.revokeAll({ id: '' })).rejects.toMatchObject({ code: 'PRINCIPAL_INVALID' });
  });

  it('forget an instance that has been closed', async () => {
    const app = sealedCore();
    app.manager.close();
    await expect(app.sealed.revokeAll({ id: 7 })).rejects.toMatchObject({ code: 'SESSION_MODULE_MISSING' });
  });
});
