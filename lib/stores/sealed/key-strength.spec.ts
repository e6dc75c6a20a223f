import { randomBytes } from 'node:crypto';
import { entropyBoundOf } from './key-strength';

const bitsOf = (text: string): number => entropyBoundOf(Buffer.from(text));

describe('the bits a key shows', () => {
  const random: [string, () => Uint8Array][] = [
    ['32 random bytes', () => randomBytes(32)],
    ['them in base64url', () => Buffer.from(randomBytes(32).toString('base64url'))],
    ['them in base64', () => Buffer.from(randomBytes(32).toString('base64'))],
    ['them in hexadecimal', () => Buffer.from(randomBytes(32).toString('hex'))],
    ['them in small base32', () => randomBytes(52).map((byte) => ALPHABET.charCodeAt(byte & 31))],
    ['64 random bytes', () => randomBytes(64)],
  ];

  it.each(random)('are enough for %s, every time', (_title, make) => {
    let least = Infinity;
    for (let i = 0; i < 2000; i++) least = Math.min(least, entropyBoundOf(make()));
    expect(least).toBeGreaterThan(128);
  });

  it.each([
    ['one byte over and over', '0'.repeat(64)],
    ['a word over and over', 'changeme'.repeat(8)],
    ['a word over and over, broken off', 'your-256-bit-secret-your-256-bit-secret'],
    ['an alphabet', 'abcdefghijklmnopqrstuvwxyz0123456789'],
    ['digits in order', '12345678901234567890123456789012'],
    ['pairs in order', '00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff'],
    ['two characters', '01100101001011010010110100101101001011100101100101'],
    ['words', 'a-very-long-secret-that-nobody-will-guess'],
    ['a sentence', 'correct horse battery staple, said the man'],
    ['16 bytes in hexadecimal', '9f86d081884c7d659a2feaa0c55ad015'],
  ])('are too few for %s', (_title, key) => expect(bitsOf(key)).toBeLessThan(128));

  it('are none for nothing', () => expect(bitsOf('')).toBe(0));
});

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
