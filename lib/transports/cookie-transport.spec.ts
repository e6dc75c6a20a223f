import { stringifySetCookie, type SetCookie } from 'cookie';
import { Cookie, CookieJar } from 'tough-cookie';
import type { CommitOutcome } from '../core/commit-outcome';
import type { SessionToken } from '../core/session-token';
import { resolveCookie, type CookieOptions } from './cookie-options';
import { CookieTransport } from './cookie-transport';
import type { ResponseHeaders } from './session-transport';

const NOW = 1_700_000_000_000;
const DAY = 86_400_000;
const token = `${'i'.repeat(22)}.${'s'.repeat(43)}` as SessionToken;

const transportOf = (options: CookieOptions = {}): CookieTransport =>
  new CookieTransport(resolveCookie(options, 'default').cookie);

/** The `Set-Cookie` lines after a decision, on top of those that are there. */
function linesOf(
  transport: CookieTransport,
  decision: Exclude<CommitOutcome, { kind: 'keep' }>,
  before: string[] = [],
): string[] {
  let lines = before;
  const headers: ResponseHeaders = { get: () => lines, set: (_name, values) => void (lines = values) };
  transport.write(headers, decision, NOW);
  return lines;
}

const issue = (keepUntil: number | null = null): Exclude<CommitOutcome, { kind: 'keep' }> => ({
  kind: 'issue',
  token,
  keepUntil,
});

describe('the session cookie on its way out', () => {
  it('C1: has every safe attribute and no Domain', () => {
    expect(linesOf(transportOf(), issue())).toEqual([
      `__Host-session=${token}; Path=/; HttpOnly; Secure; SameSite=Lax`,
    ]);
  });

  it.each(['strict', 'lax', 'none'] as const)('C1: always says SameSite: %s', (sameSite) => {
    const cookie = Cookie.parse(linesOf(transportOf({ sameSite }), issue())[0]!)!;
    expect(cookie.sameSite).toBe(sameSite);
  });

  it('C7: ends with the browser when the session is not remembered', () => {
    expect(linesOf(transportOf(), issue())[0]).not.toMatch(/Max-Age|Expires/i);
  });

  it.each([
    ['whole seconds', NOW + 90_999, 90],
    ['400 days at most', NOW + 1000 * DAY, 400 * 24 * 60 * 60],
    ['never below zero', NOW - 5000, 0],
  ])('C7: Max-Age is %s', (_title, keepUntil, seconds) => {
    expect(linesOf(transportOf(), issue(keepUntil))[0]).toContain(`; Max-Age=${seconds};`);
  });

  it('C3: takes the place of one that is there already, and leaves those of others', () => {
    const before = [
      'a=1',
      '__Host-session=planted; Path=/',
      '__Host-session =spaced',
      '__Host-session2=x',
      'b=2',
    ];
    expect(linesOf(transportOf(), issue(), before)).toEqual([
      'a=1',
      '__Host-session2=x',
      'b=2',
      expect.stringContaining(token),
    ]);
  });

  it.each<[string, CookieOptions]>([
    ['by default', {}],
    ['with a Domain and a Path', { name: 's', domain: 'example.com', path: '/app' }],
    ['with a __Secure- name', { name: '__Secure-s', domain: 'example.com' }],
    ['without Secure', { name: 's', secure: false, sameSite: 'strict' }],
  ])('C6: clearing one makes a jar drop it: %s', async (_title, options) => {
    const transport = transportOf(options);
    const jar = new CookieJar(undefined, { prefixSecurity: 'strict' });
    const site = 'https://example.com/app/page';
    await jar.setCookie(linesOf(transport, issue())[0]!, site);
    expect(await jar.getCookies(site)).toHaveLength(1);
    await jar.setCookie(linesOf(transport, { kind: 'forget' })[0]!, site);
    expect(await jar.getCookies(site)).toHaveLength(0);
  });

  it('C6: clearing repeats everything that tells cookies apart', () => {
    const transport = transportOf({ name: 's', domain: 'example.com', path: '/app', partitioned: true });
    expect(linesOf(transport, { kind: 'forget' })).toEqual([
      's=; Max-Age=0; Domain=example.com; Path=/app; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; Partitioned; SameSite=Lax',
    ]);
  });
});

describe('the text of the session cookie', () => {
  const every: CookieOptions[] = [];
  for (const sameSite of ['strict', 'lax', 'none'] as const)
    for (const secure of [true, false])
      for (const partitioned of [true, false])
        for (const domain of [undefined, 'example.com'])
          for (const path of ['/', '/app'])
            every.push({ name: 's', secure, sameSite, path, partitioned, ...(domain && { domain }) });

  it.each<
    [string, Exclude<CommitOutcome, { kind: 'keep' }>, Pick<SetCookie, 'value' | 'maxAge' | 'expires'>]
  >([
    ['a token', issue(), { value: token }],
    ['a remembered token', issue(NOW + DAY), { value: token, maxAge: 86_400 }],
    ['a token at its end', issue(NOW), { value: token, maxAge: 0 }],
    ['a cookie to forget', { kind: 'forget' }, { value: '', maxAge: 0, expires: new Date(0) }],
  ])(
    'equals that of the cookie package for %s, with all combinations of options',
    (_title, answer, expected) => {
      const lines = every.map((options) => linesOf(transportOf(options), answer)[0]);
      expect(lines).toEqual(
        every.map((options) => stringifySetCookie({ name: 's', ...options, ...expected, httpOnly: true })),
      );
    },
  );
});

describe('the session cookie on its way in', () => {
  const read = (cookie?: string, options: CookieOptions = {}): unknown =>
    transportOf(options).read(cookie === undefined ? {} : { cookie });
  const found = { kind: 'token', value: token, transport: expect.any(CookieTransport) };
  const none = { kind: 'none' };

  it.each([
    ['alone', `__Host-session=${token}`],
    ['among others', `a=1; __Host-session=${token}; b=2`],
    ['without blanks', `a=1;__Host-session=${token};b=2`],
    ['with blanks and tabs around it', `a=1;\t __Host-session \t=\t ${token} \t;b=2`],
    ['after empty ones', `;;; ;__Host-session=${token};`],
    ['beside one whose value has its name', `a=__Host-session; __Host-session=${token}`],
    ['beside one whose value looks like it', `a=__Host-session=x; __Host-session=${token}`],
    ['beside longer names', `x__Host-session=1; __Host-sessions=2; __Host-session=${token}`],
  ])('is found %s', (_title, header) => {
    expect(read(header)).toEqual(found);
  });

  it.each([
    ['without a header', undefined],
    ['in an empty header', ''],
    ['in another case', `__host-session=${token}`],
    ['behind a no-break space', `\u00a0__Host-session=${token}`],
    ['before a no-break space', `__Host-session\u00a0=${token}`],
    ['behind a space of UTF-8 read as Latin-1', `\u00c2\u00a0__Host-session=${token}`],
    ['behind an ideographic space', `\u3000__Host-session=${token}`],
    ['behind a byte order mark', `\ufeff__Host-session=${token}`],
    ['behind a vertical tab', `\v__Host-session=${token}`],
    ['behind a form feed', `\f__Host-session=${token}`],
    ['behind a line break', `\n__Host-session=${token}`],
    ['behind a leading =', `=__Host-session=${token}`],
    ['as a value without a name', `=__Host-session`],
    ['without =', `__Host-session`],
    ['in quotes', `"__Host-session"=${token}`],
    ['inside a quoted value', `a="x=1`],
    ['in percent-encoding', `__Host%2Dsession=${token}`],
    ['with PHP\u2019s spelling', `..Host-session=${token}`],
    ['with brackets', `__Host-session[]=${token}`],
    ['behind a comma', `a=1, __Host-session=${token}`],
    ['as a prototype', `__proto__=${token}; constructor=${token}`],
  ])('C5: is not found %s', (_title, header) => {
    expect(read(header)).toEqual(none);
  });

  it.each([
    ['quotes', `"${token}"`],
    ['percent-encoding', token.replace('.', '%2E')],
    ['a no-break space', `${token}\u00a0`],
    ['dots', `../${token}`],
    ['a second =', `${token}=`],
  ])('C5: a value keeps its %s, so that it is no token', (_title, value) => {
    expect(read(`__Host-session=${value}`)).toEqual({ ...found, value });
  });

  it('C5: a quoted value does not hide the next cookie, nor make one', () => {
    expect(read(`a="x; __Host-session=${token}; y"`)).toEqual(found);
  });

  it.each([
    ['different', `__Host-session=${token}; __Host-session=planted`],
    ['equal', `__Host-session=${token}; __Host-session=${token}`],
    ['of which one is empty', `__Host-session=; __Host-session=${token}`],
    ['far apart', `__Host-session=planted;${'a=1;'.repeat(100)} __Host-session=${token}`],
  ])('C4: two of our name, %s, are believed neither', (_title, header) => {
    expect(read(header)).toEqual({ kind: 'ambiguous' });
  });

  it.each(['toString', '__proto__', 'constructor', 'hasOwnProperty'])('a cookie may be named %s', (name) => {
    expect(read(`a=1`, { name })).toEqual(none);
    expect(read(`${name}=${token}`, { name })).toEqual(found);
  });

  it.each([
    ['separators', ';'.repeat(16_384)],
    ['pairs', 'a=b;'.repeat(4096)],
    ['equal signs', '='.repeat(16_384)],
    ['blanks', ' '.repeat(16_384)],
    ['our name without a value', '__Host-session'.repeat(1170)],
    ['our name in other names', '__Host-session;'.repeat(1092)],
    ['our name in values', 'a=__Host-session;'.repeat(963)],
    ['our name, with blanks to be trimmed', `__Host-session${' '.repeat(16_000)}=x`],
    ['our name behind blanks', `${' '.repeat(8_000)}__Host-session${'\t'.repeat(8_000)}`],
  ])('C12: 16 KB of %s are read in under 5 ms', (_title, header) => {
    const times = Array.from({ length: 15 }, () => {
      const start = process.hrtime.bigint();
      read(header);
      return Number(process.hrtime.bigint() - start) / 1e6;
    });
    expect(times.sort((a, b) => a - b)[7]).toBeLessThan(5);
  });
});

describe('C8: what keeps a secure cookie from its client', () => {
  const obstacle = (host: string | undefined, secure = false, options: CookieOptions = {}): string | null =>
    transportOf(options).obstacle({ secure, host }, false);

  it.each(['example.com', 'localhost.example.com', '127.0.0.1.example.com', '128.0.0.1', '[::2]', undefined])(
    'is plain HTTP to %s',
    (host) => expect(obstacle(host)).toMatch(/Secure but the request came over plain HTTP.*trust proxy/),
  );

  it.each([
    'localhost',
    'localhost:3000',
    'a.localhost',
    'LOCALHOST',
    '127.0.0.1:80',
    '127.9.9.9',
    '[::1]:3000',
  ])('is not plain HTTP to %s, which browsers trust', (host) => expect(obstacle(host)).toBeNull());

  it('is nothing over HTTPS, or when the cookie is not Secure', () => {
    expect(obstacle('example.com', true)).toBeNull();
    expect(obstacle('example.com', false, { name: 's', secure: false })).toBeNull();
  });

  it('is nothing for a browser that has sent the cookie', () =>
    expect(transportOf().obstacle({ secure: false, host: 'example.com' }, true)).toBeNull());
});
