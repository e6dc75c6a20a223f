import { resolveCookie, type CookieOptions } from './cookie-options';

const problemsOf = (options: object, instance = 'default'): string[] =>
  resolveCookie(options, instance).problems;

describe('options of the session cookie', () => {
  it('C1: are safe when none are given', () => {
    expect(resolveCookie({}, 'default')).toEqual({
      cookie: {
        name: '__Host-session',
        secure: true,
        sameSite: 'lax',
        path: '/',
        domain: undefined,
        partitioned: false,
        persistent: false,
        replaces: [],
      },
      problems: [],
    });
  });

  it('give a named instance a cookie of its own', () => {
    expect(resolveCookie({}, 'admin').cookie.name).toBe('__Host-session-admin');
  });

  it.each<[string, object, RegExp]>([
    ['__Host- with a Domain', { domain: 'example.com' }, /__Host-session.*allows no cookie\.domain/],
    ['__Host- with another Path', { path: '/app' }, /needs cookie\.path '\/', got "\/app"/],
    ['__Host- without Secure', { secure: false }, /needs cookie\.secure/],
    ['__host- in another case', { name: '__hOsT-s', path: '/app' }, /needs cookie\.path/],
    ['__Secure- without Secure', { name: '__Secure-s', secure: false }, /needs cookie\.secure/],
    [
      'SameSite=None without Secure',
      { name: 's', sameSite: 'none', secure: false },
      /'none' needs cookie\.secure/,
    ],
    ['Partitioned without Secure', { name: 's', partitioned: true, secure: false }, /partitioned needs/],
    ['Partitioned without SameSite=None', { partitioned: true }, /partitioned needs cookie\.sameSite 'none'/],
    ['a domain that begins with a dot', { name: 's', domain: '.example.com' }, /drop the dot/],
    [
      'replaced cookies that are no list',
      { name: 's', replaces: { path: '/app' } },
      /replaces must be an array/,
    ],
    ['a replaced cookie that is the cookie itself', { name: 's', replaces: [{}] }, /of the cookie itself/],
    [
      'a replaced domain with a dot',
      { name: 's', replaces: [{ domain: '.a.de' }] },
      /without a dot in front/,
    ],
    [
      'a replaced path without a slash',
      { name: 's', replaces: [{ path: 'app' }] },
      /path must begin with '\/'/,
    ],
    [
      'replaced cookies of a __Host- name',
      { replaces: [{ domain: 'a.de' }] },
      /has had no other domain or path/,
    ],
    ['a SameSite that is none', { sameSite: 'Lax' }, /must be 'strict', 'lax' or 'none', got "Lax"/],
    ['a SameSite that is true', { sameSite: true }, /must be 'strict', 'lax' or 'none'/],
    ['HttpOnly off', { httpOnly: false }, /always HttpOnly/],
    ['HttpOnly off in other letters', { HttpOnly: false }, /always HttpOnly/],
    ['an option that is none', { maxAge: 5 }, /cookie\.maxAge is not an option/],
    ['an empty name', { name: '' }, /cookie\.name must be letters.*got ""/],
    ['a name with =', { name: 'a=b' }, /characters/],
    ['a name with ;', { name: 'a;b' }, /characters/],
    ['a name with a blank', { name: 'a b' }, /characters/],
    ['a name with a line break', { name: 'a\r\nSet-Cookie: b' }, /characters/],
    ['a name beyond ASCII', { name: 'sitzung\u00a0' }, /characters/],
    ['a name that is no text', { name: 7 }, /characters/],
    ['a path with ;', { name: 's', path: '/;Domain=evil.example' }, /cookie\.path/],
    ['a path with a line break', { name: 's', path: '/\r\nX: 1' }, /cookie\.path/],
    ['a path that does not begin with /', { name: 's', path: 'app' }, /cookie\.path/],
    ['a domain with ;', { name: 's', domain: 'a.example;Path=/x' }, /cookie\.domain/],
    ['a domain with a port', { name: 's', domain: 'a.example:80' }, /cookie\.domain/],
    ['an empty domain', { name: 's', domain: '' }, /cookie\.domain/],
    ['a secure that is no boolean', { name: 's', secure: 'yes' }, /must be true or false/],
  ])('C2, W36: refuse %s, in words', (_title, options, words) => {
    expect(problemsOf(options)).toContainEqual(expect.stringMatching(words));
  });

  it('C2: say everything that is wrong at once', () => {
    expect(problemsOf({ path: '/a', domain: 'example.com', secure: false, sameSite: 'none' })).toHaveLength(
      4,
    );
  });

  it('C10: refuse a name that leaves the token no room in 4096 bytes', () => {
    expect(problemsOf({ name: 'n'.repeat(4096 - 66) })).toEqual([]);
    expect(problemsOf({ name: 'n'.repeat(4096 - 65) })).toEqual([expect.stringContaining('4096 bytes')]);
  });

  it.each<[string, CookieOptions]>([
    ['a shared domain', { name: '__Secure-s', domain: 'example.com', path: '/app' }],
    ['development over plain HTTP', { name: 's', secure: false }],
    ['an embedded site', { sameSite: 'none', partitioned: true }],
    ['a single label', { name: 's', domain: 'localhost' }],
  ])('allow %s', (_title, options) => {
    expect(problemsOf(options)).toEqual([]);
  });
});
