import * as crypto from 'node:crypto';
import { newSessionId, newToken, parseToken, sameHash, type SecretHash, isSessionId } from './session-token';

jest.mock('node:crypto', () => {
  const actual = jest.requireActual<typeof crypto>('node:crypto');
  return {
    ...actual,
    randomFillSync: jest.fn(actual.randomFillSync),
    timingSafeEqual: jest.fn(actual.timingSafeEqual),
  };
});

describe('a token', () => {
  it('T1: has an id of 128 bits and a secret of 256, and only characters that need no quoting', () => {
    const { token, id } = newToken(newSessionId(), 'default');
    expect(token).toMatch(/^[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}$/);
    const [first, secret] = token.split('.') as [string, string];
    expect(first).toBe(id);
    expect(Buffer.from(first, 'base64url')).toHaveLength(16);
    expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
  });

  it('T1: never repeats an id or a secret in a million', () => {
    const seen = new Set<string>();
    for (let drawn = 0; drawn < 1_000_000; drawn++) {
      const { token } = newToken(newSessionId(), 'default');
      seen.add(token.slice(0, 22)).add(token.slice(23));
    }
    expect(seen.size).toBe(2_000_000);
  });

  it('T1: is not made while the random number generator fails, and never from bytes that were used', () => {
    const fill = jest.mocked(crypto.randomFillSync);
    fill.mockImplementation(() => {
      throw new Error('no entropy');
    });
    const drawn = new Set<string>();
    // What was drawn ahead may still be handed out.
    expect(() => {
      for (let n = 0; n < 300; n++) drawn.add(newSessionId());
    }).toThrow('no entropy');
    expect(() => newSessionId()).toThrow('no entropy');
    expect({ 'all zeros': [...drawn].filter((id) => /^A+$/.test(id)) }).toEqual({ 'all zeros': [] });
    fill.mockImplementation(jest.requireActual<typeof crypto>('node:crypto').randomFillSync);
    expect(drawn).not.toContain(newSessionId());
  });

  it('T2: is known to a store by the hash of its secret only', () => {
    const { token, secretHash } = newToken(newSessionId(), 'default');
    expect(secretHash).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(secretHash).not.toBe(token.slice(23));
  });

  it('reads what it has issued', () => {
    const issued = newToken(newSessionId(), 'default');
    expect(parseToken(issued.token, 'default')).toEqual(issued);
  });

  it('T4: is nothing but the exact form', () => {
    const { token } = newToken(newSessionId(), 'default');
    const [id, secret] = token.split('.') as [string, string];
    const rubbish = [
      '',
      '.',
      'abc',
      id,
      secret,
      `${id}${secret}`,
      `${id}..${secret}`,
      ` ${token}`,
      `${token} `,
      `${token}\n`,
      `${token}\0`,
      `${token}x`,
      token.slice(0, -1),
      `${token.slice(0, -1)}=`,
      `${token.slice(0, -1)}+`,
      `"${token}"`,
      `../${token.slice(3)}`,
      `*${token.slice(1)}`,
      `{}${token.slice(2)}`,
      `é${token.slice(1)}`,
      `\u{1d7d8}${token.slice(2)}`,
      token.replace('.', '%2e'),
      'a'.repeat(10_000),
      [token] as never,
    ];
    expect(rubbish.filter((value) => parseToken(value, 'default') !== null)).toEqual([]);
  });

  it('T6: is compared in constant time, over equal lengths', () => {
    const compare = jest.mocked(crypto.timingSafeEqual);
    compare.mockClear();
    const { secretHash } = newToken(newSessionId(), 'default');
    expect(sameHash(secretHash, secretHash)).toBe(true);
    expect(sameHash(secretHash, newToken(newSessionId(), 'default').secretHash)).toBe(false);
    expect(compare).toHaveBeenCalledTimes(2);
    const others = ['', secretHash.slice(1), `${secretHash}A`, 'é'.repeat(43)] as SecretHash[];
    expect(others.filter((other) => sameHash(secretHash, other))).toEqual([]);
  });

  it.each(['admin', '', 'default.', 'Default'])('T8: means something else to the instance %j', (name) => {
    const { token, secretHash } = newToken(newSessionId(), 'default');
    expect(parseToken(token, name)?.secretHash).not.toBe(secretHash);
  });

  it('L11: has an id that is known by its form', () => {
    const id = newSessionId();
    expect(isSessionId(id)).toBe(true);
    const others = [
      '',
      id.slice(1),
      `${id}A`,
      `${id}\n`,
      `${id.slice(1)}.`,
      `${id.slice(1)}é`,
      ' '.repeat(22),
      [id],
      { toString: () => id },
    ];
    expect(others.filter(isSessionId)).toEqual([]);
  });
});
