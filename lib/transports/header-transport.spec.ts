import { SessionError } from '../core/session.errors';
import type { SessionToken } from '../core/session-token';
import { bearer, composite, cookie, header } from '../transport.options';
import type { RequestHeaders, ResponseHeaders, SessionTransport, TokenAnswer } from './session-transport';

const token = `${'i'.repeat(22)}.${'s'.repeat(43)}` as SessionToken;
const other = `${'j'.repeat(22)}.${'t'.repeat(43)}`;
const NOW = 1_700_000_000_000;

/** The reading, with the channel of the transport that made it. */
function read(transport: SessionTransport, headers: RequestHeaders): object {
  const reading = transport.read(headers);
  return 'transport' in reading ? { ...reading, transport: reading.transport.channel } : reading;
}

/** All headers after an answer, with names in lower case, on top of those that are there. */
function write(
  transport: SessionTransport,
  answer: TokenAnswer,
  before: Record<string, string[]> = {},
): object {
  const lines = new Map(Object.entries(before));
  const headers: ResponseHeaders = {
    get: (name) => lines.get(name.toLowerCase()) ?? [],
    set: (name, values) => void lines.set(name.toLowerCase(), values),
  };
  transport.write(headers, answer, NOW);
  return Object.fromEntries(lines);
}

const issue: TokenAnswer = { kind: 'issue', token, keepUntil: null };

/** The messages of what an option is refused for. */
function refusal(make: () => SessionTransport): string {
  try {
    make();
    return '';
  } catch (error) {
    expect(error).toMatchObject({ code: 'SESSION_OPTIONS_INVALID' } satisfies Partial<SessionError>);
    return (error as Error).message;
  }
}

describe('a token in the header Authorization', () => {
  const found = { kind: 'token', value: token, transport: 'header Authorization' };
  const none = { kind: 'none' };

  it.each<{ what: string; value: string | undefined; reading: object }>([
    { what: 'a bearer token', value: `Bearer ${token}`, reading: found },
    { what: 'the scheme in other letters', value: `bEARER ${token}`, reading: found },
    { what: 'several blanks', value: `Bearer   ${token} `, reading: found },
    { what: 'no header', value: undefined, reading: none },
    { what: 'another scheme', value: 'Basic YTpi', reading: none },
    { what: 'a scheme that begins alike', value: `Bearers ${token}`, reading: none },
    { what: 'no token', value: 'Bearer ', reading: none },
    { what: 'the token without a scheme', value: token, reading: none },
    {
      what: 'what is no token',
      value: 'Bearer a, Bearer b',
      reading: { ...found, value: 'a, Bearer b' },
    },
  ])('C17: $what', ({ value, reading }) => {
    expect(read(bearer(), { authorization: value })).toEqual(reading);
  });

  it('C17: is answered in X-Session-Token, or in the header of choice', () => {
    expect({
      issued: write(bearer(), issue),
      forgotten: write(bearer(), { kind: 'forget' }),
      elsewhere: write(bearer({ answerIn: 'X-Token' }), issue),
    }).toEqual({
      issued: { 'x-session-token': [token] },
      forgotten: { 'x-session-token': [''] },
      elsewhere: { 'x-token': [token] },
    });
  });
});

describe('a token in a header of its own', () => {
  const found = { kind: 'token', value: token, transport: 'header X-Session-Token' };

  it.each<{ what: string; value: string | readonly string[] | undefined; reading: object }>([
    { what: 'a token', value: token, reading: found },
    { what: 'no header', value: undefined, reading: { kind: 'none' } },
    { what: 'an empty header', value: '', reading: { kind: 'none' } },
    { what: 'the same token twice', value: `${token}, ${token}`, reading: found },
    { what: 'the same token on two lines', value: [token, token], reading: found },
    { what: 'two tokens', value: `${token}, ${other}`, reading: { kind: 'ambiguous' } },
    { what: 'two tokens on two lines', value: [token, other], reading: { kind: 'ambiguous' } },
  ])('C17: $what', ({ value, reading }) => {
    expect(read(header(), { 'x-session-token': value })).toEqual(reading);
  });

  it('C17: has the name of choice', () => {
    const transport = header({ name: 'X-Auth' });
    expect({
      reading: read(transport, { 'x-auth': token }),
      answer: write(transport, issue),
      vary: transport.vary,
    }).toEqual({
      reading: { ...found, transport: 'header X-Auth' },
      answer: { 'x-auth': [token] },
      vary: ['X-Auth'],
    });
  });

  it.each<{ what: string; exposed: string[]; expected: string[] }>([
    { what: 'no header', exposed: [], expected: ['X-Session-Token'] },
    { what: 'other names', exposed: ['ETag, X-Total'], expected: ['ETag, X-Total, X-Session-Token'] },
    { what: 'the name', exposed: ['ETag,x-session-token'], expected: ['ETag,x-session-token'] },
    { what: 'an asterisk', exposed: ['*'], expected: ['*, X-Session-Token'] },
  ])('C17: is exposed to scripts of other origins beside $what', ({ exposed, expected }) => {
    const before = {
      'access-control-allow-origin': ['https://app.example'],
      ...(exposed.length > 0 && { 'access-control-expose-headers': exposed }),
    };
    expect(write(header(), issue, before)).toEqual({
      ...before,
      'access-control-expose-headers': expected,
      'x-session-token': [token],
    });
  });

  it('C17: is issued over plain HTTP to this machine only, unless it came that way', () => {
    const plain = { secure: false, host: 'api.example' };
    const transport = header();
    expect({
      plain: transport.obstacle(plain, false) !== null,
      presented: transport.obstacle(plain, true),
      encrypted: transport.obstacle({ ...plain, secure: true }, false),
      local: transport.obstacle({ ...plain, host: 'localhost:3000' }, false),
      allowed: header({ secure: false }).obstacle(plain, false),
    }).toEqual({ plain: true, presented: null, encrypted: null, local: null, allowed: null });
  });
});

describe('a token that comes in one of two ways', () => {
  const transport = composite(cookie(), bearer());
  const inCookie = `__Host-session=${token}`;
  const inHeader = `Bearer ${token}`;

  it.each<{ what: string; headers: RequestHeaders; reading: object }>([
    {
      what: 'in the first',
      headers: { cookie: inCookie },
      reading: { kind: 'token', value: token, transport: 'cookie __Host-session' },
    },
    {
      what: 'in the second',
      headers: { authorization: inHeader },
      reading: { kind: 'token', value: token, transport: 'header Authorization' },
    },
    {
      what: 'in both',
      headers: { cookie: inCookie, authorization: inHeader },
      reading: { kind: 'token', value: token, transport: 'cookie __Host-session' },
    },
    { what: 'in neither', headers: { authorization: 'Basic YTpi' }, reading: { kind: 'none' } },
    {
      what: 'another in each',
      headers: { cookie: inCookie, authorization: `Bearer ${other}` },
      reading: { kind: 'ambiguous' },
    },
    {
      what: 'two in the first, and one of these in the second',
      headers: { cookie: `${inCookie}; __Host-session=${other}`, authorization: inHeader },
      reading: { kind: 'ambiguous' },
    },
  ])('C18: $what', ({ headers, reading }) => {
    expect(read(transport, headers)).toEqual(reading);
  });

  it('C18: says which part read cookies of an earlier release', () => {
    const replacing = composite(bearer(), cookie({ name: 's', replaces: [{ path: '/app' }] }));
    expect(read(replacing, { cookie: `s=${token}; s=${other}` })).toEqual({
      kind: 'ambiguous',
      values: [token, other],
      transport: 'cookie s',
    });
  });

  it('has everything of its parts, and those of one in it', () => {
    const three = composite(transport, header());
    expect({
      channel: three.channel,
      vary: three.vary,
      parts: three.parts!.map(({ channel }) => channel),
      persistent: [three, composite(bearer(), cookie({ persistent: true }))].map((each) => each.persistent),
    }).toEqual({
      channel: 'cookie __Host-session or header Authorization or header X-Session-Token',
      vary: ['Cookie', 'Authorization', 'X-Session-Token'],
      parts: ['cookie __Host-session', 'header Authorization', 'header X-Session-Token'],
      persistent: [false, true],
    });
  });
});

describe('options of transports', () => {
  it.each<{ what: string; make: () => SessionTransport; words: RegExp }>([
    { what: 'a cookie', make: () => cookie({ path: '/app' }), words: /cookie\(\).*cookie\.path/s },
    { what: 'a name', make: () => header({ name: 'a b' }), words: /header\(\).*name must be.*"a b"/s },
    {
      what: 'the header of answers',
      make: () => bearer({ answerIn: '' }),
      words: /bearer\(\).*answerIn must/s,
    },
    {
      what: 'secure',
      make: () => bearer({ secure: 1 as never }),
      words: /secure must be true or false, got 1/,
    },
    { what: 'one part', make: () => composite(bearer()), words: /two transports or more/ },
    {
      what: 'the same part twice',
      make: () => composite(cookie(), composite(bearer(), cookie())),
      words: /the cookie __Host-session twice/,
    },
    {
      what: 'the same header in another case',
      make: () => composite(header(), header({ name: 'x-session-token' })),
      words: /the header x-session-token twice/,
    },
    { what: 'a function', make: () => composite(bearer as never, cookie()), words: /transport is a/ },
    { what: 'nothing', make: () => composite(undefined as never, cookie()), words: /no method read/ },
  ])('W36: refuses $what, in words', ({ make, words }) => {
    expect(refusal(make)).toMatch(words);
  });
});
