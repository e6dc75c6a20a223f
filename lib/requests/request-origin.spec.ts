import { resolveCookie } from '../transports/cookie-options';
import { CookieTransport } from '../transports/cookie-transport';
import type { RequestHeaders, SessionTransport } from '../transports/session-transport';
import { resolveCsrf, type CsrfOptions } from './csrf-options';
import { isTrustedOrigin, originVary } from './request-origin';

const cookie = new CookieTransport(resolveCookie({}, 'default').cookie);
const bearer: SessionTransport = {
  channel: 'bearer',
  sealedFor: 'bearer',
  vary: ['Authorization'],
  read: ({ authorization }) =>
    typeof authorization === 'string'
      ? { kind: 'token', value: authorization, transport: bearer }
      : { kind: 'none' },
  capacity: () => 4096,
  obstacle: () => null,
  write: () => {},
};
/** The token of either, as a transport that is composed of both reads it. */
const both: SessionTransport = {
  ...bearer,
  vary: ['Cookie', 'Authorization'],
  read: (headers) => {
    const readings = [cookie.read(headers), bearer.read(headers)].filter(({ kind }) => kind !== 'none');
    return readings.length > 1 ? { kind: 'ambiguous' } : (readings[0] ?? { kind: 'none' });
  },
};

const trusts = (headers: RequestHeaders, csrf: CsrfOptions = {}, transport = both): boolean =>
  isTrustedOrigin(headers, { csrf: resolveCsrf(csrf).csrf, transport });

describe('the origin of a request', () => {
  it.each([
    { origin: 'https://shop.example', host: 'shop.example', own: true },
    { origin: 'https://shop.example', host: 'SHOP.example', own: true },
    { origin: 'https://shop.example', host: 'shop.example:443', own: true },
    { origin: 'https://shop.example', host: 'shop.example:80', own: false },
    { origin: 'http://shop.example', host: 'shop.example:80', own: true },
    { origin: 'http://shop.example', host: 'shop.example:443', own: false },
    { origin: 'https://shop.example:8443', host: 'shop.example:8443', own: true },
    { origin: 'https://shop.example:8443', host: 'shop.example', own: false },
    { origin: 'https://[::1]', host: '[::1]:443', own: true },
    { origin: 'capacitor://shop.example', host: 'shop.example:undefined', own: false },
    { origin: 'data:,', host: '', own: false },
    { origin: 'file://', host: '', own: false },
    { origin: 'null', host: 'null', own: false },
    { origin: 'shop.example', host: 'shop.example', own: false },
  ])('$origin is that of the host $host: $own', ({ origin, host, own }) => {
    expect(trusts({ origin, host })).toBe(own);
  });

  it('is compared with :authority before Host, over HTTP/2', () => {
    const origin = 'https://shop.example';
    expect({
      authority: trusts({ origin, ':authority': 'shop.example', host: 'inner' }),
      host: trusts({ origin, ':authority': 'inner', host: 'shop.example' }),
      none: trusts({ origin }),
    }).toEqual({ authority: true, host: false, none: false });
  });

  it('is none of ours when a header is repeated with another value', () => {
    const host = 'shop.example';
    expect({
      site: trusts({ 'sec-fetch-site': ['same-origin', 'cross-site'], host }),
      origin: trusts({ origin: ['https://shop.example', 'https://attacker.example'], host }),
    }).toEqual({ site: false, origin: false });
  });
});

describe('a request that tells no origin, in strict mode', () => {
  const session = '__Host-session=AAAA';

  it.each<{ what: string; headers: RequestHeaders; allowed: boolean }>([
    { what: 'no token', headers: {}, allowed: true },
    { what: 'another cookie', headers: { cookie: 'theme=dark' }, allowed: true },
    { what: 'a cookie of ours', headers: { cookie: session }, allowed: false },
    { what: 'two cookies of ours', headers: { cookie: `${session}; ${session}` }, allowed: false },
    {
      what: 'a token that no browser adds by itself',
      headers: { authorization: 'Bearer AAAA' },
      allowed: true,
    },
    { what: 'both', headers: { cookie: session, authorization: 'Bearer AAAA' }, allowed: false },
  ])('is allowed with $what: $allowed', ({ headers, allowed }) => {
    expect(trusts(headers, { strict: true })).toBe(allowed);
  });

  it('varies with the headers that have the token', () => {
    const varyOf = (csrf: CsrfOptions): readonly string[] =>
      originVary({ csrf: resolveCsrf(csrf).csrf, transport: both });
    expect({ lax: varyOf({}), strict: varyOf({ strict: true }) }).toEqual({
      lax: ['Sec-Fetch-Site', 'Origin'],
      strict: ['Sec-Fetch-Site', 'Origin', 'Cookie', 'Authorization'],
    });
  });
});
