import { isLocalPath } from './local-path';

describe('a path of this site', () => {
  it.each([
    '/',
    '/cart',
    '/cart?sort=name&next=https://x.example//y',
    '/a/../b',
    '/%5C%2F',
    `/${'a'.repeat(2047)}`,
  ])('is %.40s', (path) => expect(isLocalPath(path)).toBe(true));

  it.each([
    ['another host', '//x.example'],
    ['another host, after its dots', '/.//x.example'],
    ['another host, after its dots', '/..//x.example/y'],
    ['another host, to a browser', '/\\x.example'],
    ['another host, to a browser, later on', '/a?b=\\x'],
    ['another host, without its tab', '/\t/x.example'],
    ['a URL', 'https://x.example/'],
    ['a scheme', 'javascript:alert(1)'],
    ['a relative path', 'cart'],
    ['a second header', '/cart\r\nset-cookie: a=b'],
    ['a space', '/a b'],
    ['a NUL', '/a\0'],
    ['a delete character', '/a\x7f'],
    ['a letter that is not encoded', '/é'],
    ['nothing', ''],
    ['no text', 5],
    ['nothing at all', undefined],
    ['a path of 2,049 characters', `/${'a'.repeat(2048)}`],
  ])('is not %s: %.30j', (_what, path) => expect(isLocalPath(path)).toBe(false));
});
