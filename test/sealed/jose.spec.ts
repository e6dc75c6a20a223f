import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { CompactEncrypt, CompactSign, compactDecrypt, compactVerify, decodeProtectedHeader } from 'jose';
import '../support/session-data';
import { KEY, OLD_KEY, sealedCore, type Sealed } from './sealed';

/** As docs/sealed-sessions.md describes it. */
function derive(key: string, use: 'seal' | 'sign' | 'kid', bytes: number): Buffer {
  const info = JSON.stringify(['nestjs-tessera/sealed', 1, use, 'default', 'cookie __Host-session']);
  return Buffer.from(hkdfSync('sha256', key, '', info, bytes));
}
const kidOf = (key: string): string => derive(key, 'kid', 6).toString('base64url');
const keyOf = (key: string, use: 'seal' | 'sign'): KeyObject => createSecretKey(derive(key, use, 32));

const inCommon = { typ: 'tessera', aud: 'cookie __Host-session' };

/** One serialization, spoken by jose. */
interface Dialect {
  readonly readableByClient: boolean;
  header(key: string): Record<string, string>;
  open(value: string, key: string): Promise<string>;
  seal(text: string, key: string, header: Record<string, string>): Promise<string>;
}

const dialects: [string, Dialect][] = [
  [
    'JWE (dir, A256GCM)',
    {
      readableByClient: false,
      header: (key) => ({ alg: 'dir', enc: 'A256GCM', kid: kidOf(key), ...inCommon }),
      open: async (value, key) => text((await compactDecrypt(value, keyOf(key, 'seal'))).plaintext),
      seal: (content, key, header) =>
        new CompactEncrypt(Buffer.from(content))
          .setProtectedHeader(header as never)
          .encrypt(keyOf(key, 'seal')),
    },
  ],
  [
    'JWS (HS256)',
    {
      readableByClient: true,
      header: (key) => ({ alg: 'HS256', kid: kidOf(key), ...inCommon }),
      open: async (value, key) => text((await compactVerify(value, keyOf(key, 'sign'))).payload),
      seal: (content, key, header) =>
        new CompactSign(Buffer.from(content)).setProtectedHeader(header as never).sign(keyOf(key, 'sign')),
    },
  ],
];
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

describe.each(dialects)('a sealed session as %s', (_name, dialect) => {
  let app: Sealed;
  let value: string;
  beforeEach(async () => {
    app = sealedCore({ keys: [KEY, OLD_KEY], readableByClient: dialect.readableByClient });
    value = await app.issued(null, (s) => {
      s.login({ id: 7 });
      s.set('theme', 'dark');
    });
  });

  it('has the header that is documented, and no other', () => {
    expect(decodeProtectedHeader(value)).toEqual(dialect.header(KEY));
    expect(Buffer.from(value.split('.')[0]!, 'base64url').toString()).toBe(
      JSON.stringify(dialect.header(KEY)),
    );
  });

  it('is opened by jose, and holds what is documented', async () => {
    const [facts, format, own, data] = (await dialect.open(value, KEY)).split('\n');
    const { id } = await app.manager.open(value);
    const now = app.clock();
    expect(facts).toMatch(new RegExp(`^${id} [\\w-]{43} 1 ${now} ${now + 1_800_000}$`));
    expect({ format, own: JSON.parse(own!) as unknown, data: JSON.parse(data!) as unknown }).toEqual({
      format: '1',
      own: expect.any(Array),
      data: [{ theme: 'dark' }],
    });
  });

  it.each([
    ['the current', KEY],
    ['a previous', OLD_KEY],
  ])('is opened here when jose has sealed it with %s key', async (_which, key) => {
    const content = (await dialect.open(value, KEY)).replace('dark', 'light');
    const theirs = await dialect.seal(content, key, dialect.header(key));
    expect(await app.look(theirs, (s) => ({ theme: s.get('theme'), who: s.principal?.id }))).toEqual({
      theme: 'light',
      who: '7',
    });
  });

  it('is refused by jose with any other key', async () => {
    await expect(dialect.open(value, OLD_KEY)).rejects.toThrow();
  });

  it.each([
    ['in another order', (header: object) => Object.fromEntries(Object.entries(header).toReversed())],
    ['with one parameter more', (header: object) => ({ ...header, x: '1' })],
    ['for another cookie', (header: object) => ({ ...header, aud: 'cookie session' })],
    ['for another purpose', (header: object) => ({ ...header, typ: 'JWT' })],
    ['with the id of another key', (header: object) => ({ ...header, kid: kidOf(OLD_KEY) })],
  ])('is not opened when its header is %s, though the key is right', async (_how, change) => {
    const content = await dialect.open(value, KEY);
    const header = change(dialect.header(KEY)) as Record<string, string>;
    const theirs = await dialect.seal(content, KEY, header);
    expect(await app.look(theirs, (s) => s.isNew)).toBe(true);
  });

  const reseal = (content: string): Promise<string> => dialect.seal(content, KEY, dialect.header(KEY));

  it.each<[string, (content: string) => string]>([
    ['rubbish', () => 'rubbish'],
    ['a blank', () => ' '],
    ['its first line alone', (content) => content.split('\n')[0]!],
    ['a format that is no number', (content) => content.replace('\n1\n', '\nx\n')],
    ['an id with one character more', (content) => `x${content}`],
  ])('D4: is dropped when it holds something else: %s', async (_what, change) => {
    const other = await reseal(change(await dialect.open(value, KEY)));
    app.told();
    expect(await app.request(other)).toEqual({ kind: 'keep' });
    expect(app.told()).toEqual(['rejected: corrupt']);
  });

  it('D4: is left alone when a newer release made it', async () => {
    const newer = await reseal((await dialect.open(value, KEY)).replace('\n1\n', '\n3\n'));
    app.told();
    expect(await app.request(newer)).toEqual({ kind: 'keep' });
    expect(app.told()).toEqual(['rejected: newer-format']);
    expect(await app.request(null, (s) => s.merge(newer))).toEqual({ kind: 'keep' });
    expect(app.told()).toEqual(['rejected: newer-format']);
    expect(await app.look(value, (s) => s.isNew)).toBe(false);
  });
});
