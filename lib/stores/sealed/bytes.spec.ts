import { randomBytes } from 'node:crypto';
import { bytesOf, fromBase64url } from './bytes';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const STRANGERS = ['+', '/', '=', '==', ' ', '\n', '\0', '.', '%2D', 'é', 'Ł', '\u{1f600}', ''];

/** The plain way to say it: what is written back is what was read. */
const isExact = (text: string): boolean =>
  text !== '' && Buffer.from(text, 'base64url').toString('base64url') === text;

describe('base64url', () => {
  it.each([1, 2, 3, 4, 12, 16, 355, 3000, 12_288, 12_289, 20_000])('reads %i bytes', (length) => {
    const bytes = randomBytes(length);
    expect(fromBase64url(bytes.toString('base64url'))).toEqual(bytes);
  });

  it('is read in its one true form only, however it is bent', () => {
    const pick = <T>(from: ArrayLike<T>): T => from[Math.floor(Math.random() * from.length)]!;
    let refused = 0;
    const misread: string[] = [];
    for (let i = 0; i < 50_000; i++) {
      const text = Array.from({ length: Math.floor(Math.random() * 30) }, () => pick(ALPHABET));
      for (let bends = Math.floor(Math.random() * 3); bends > 0; bends--)
        text.splice(Math.floor(Math.random() * (text.length + 1)), pick([0, 1]), pick(STRANGERS));
      const bent = text.join('');
      const bytes = fromBase64url(bent);
      if ((bytes !== null) !== isExact(bent)) misread.push(bent);
      if (bytes === null) refused++;
    }
    expect(misread).toEqual([]);
    expect(refused).toBeGreaterThan(10_000);
  });
});

it.each(['', 'plain', 'é\u{1f600}\n', 'x'.repeat(30_000), 'é'.repeat(5461), 'é'.repeat(5462)])(
  'a text becomes UTF-8, whatever its length',
  (text) => expect(Buffer.from(bytesOf(text))).toEqual(Buffer.from(text)),
);
