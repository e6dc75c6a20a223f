import { resolveCsrf, type CsrfOptions } from './csrf-options';

const problemsOf = (options: unknown): string[] => resolveCsrf(options as CsrfOptions).problems;

describe('the options of csrf', () => {
  it('trust no other origin by default', () => {
    expect(resolveCsrf({})).toEqual({
      csrf: { trustedOrigins: new Set(), strict: false, token: false },
      problems: [],
    });
  });

  it.each([
    ['https://example.com', 'https://example.com'],
    ['https://example.com:8080', 'https://example.com:8080'],
    ['http://example.com', 'http://example.com'],
    ['HTTPS://Example.COM:443', 'https://example.com'],
    ['http://localhost:80', 'http://localhost'],
    ['https://[::1]:8443', 'https://[::1]:8443'],
    ['https://bücher.example', 'https://xn--bcher-kva.example'],
    ['capacitor://localhost', 'capacitor://localhost'],
  ])('take %s as browsers send it', (given, origin) => {
    expect(resolveCsrf({ trustedOrigins: [given] })).toEqual({
      csrf: { trustedOrigins: new Set([origin]), strict: false, token: false },
      problems: [],
    });
  });

  it.each([
    'example.com',
    'https://',
    'https://example.com/',
    'https://example.com/path',
    'https://example.com?query=value',
    'https://example.com#fragment',
    'https://ex ample.com',
    'https://example.com:port',
    'https://ada@example.com',
    'https://*.example.com',
    String.raw`https://example.com\evil`,
    '*',
    '',
    7,
    null,
    /example/,
  ])('refuse %p as an origin, by its place', (given) => {
    expect(problemsOf({ trustedOrigins: ['https://example.com', given] })).toEqual([
      expect.stringMatching(
        /^csrf\.trustedOrigins\[1\] must be an origin such as 'https:\/\/admin\.example\.com' .*, got /,
      ),
    ]);
  });

  it("refuse 'null', which every site can send", () => {
    expect(problemsOf({ trustedOrigins: ['null'] })).toEqual([
      expect.stringContaining("csrf.trustedOrigins[0] cannot be 'null': sandboxed pages of every site"),
    ]);
  });

  it('are refused all at once', () => {
    expect(
      problemsOf({ trustedOrigins: 'https://example.com', strict: 'yes', token: null, exclude: ['/hook'] }),
    ).toEqual([
      expect.stringMatching(/^csrf\.exclude is not an option; known are trustedOrigins, strict, token$/),
      'csrf.strict must be true or false, got "yes"',
      'csrf.token must be true or false, got null',
      'csrf.trustedOrigins must be an array such as [\'https://admin.example.com\'], got "https://example.com"',
    ]);
  });
});
