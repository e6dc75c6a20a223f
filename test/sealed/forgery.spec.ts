import { randomBytes } from 'node:crypto';
import '../support/session-data';
import { changed, KEY, OLD_KEY, sealedCore, type Sealed } from './sealed';

const kinds: [string, boolean][] = [
  ['encrypted', false],
  ['signed', true],
];

describe.each(kinds)('a cookie that is %s', (_how, readableByClient) => {
  let app: Sealed;
  let value: string;
  beforeEach(async () => {
    app = sealedCore({ keys: [KEY, OLD_KEY], readableByClient });
    value = await app.issued(null, (s) => s.login({ id: 7, roles: ['admin'] }));
    app.list.take();
    app.told();
  });

  const opens = (text: string): Promise<boolean> => app.look(text, (s) => !s.isNew);
  /** Those that open something. */
  const opening = async (texts: string[]): Promise<string[]> => {
    const found: string[] = [];
    for (const text of texts) if (await opens(text)) found.push(text);
    return found;
  };

  it('opens as it is', async () => expect(await opens(value)).toBe(true));

  it('opens nothing when any one character is another', async () => {
    expect(await opening(Array.from(value, (_, at) => changed(value, at)))).toEqual([]);
    expect(app.list.take()).toEqual([]);
  });

  it('opens nothing when any one character is missing, doubled, or followed by another', async () => {
    const texts = Array.from(value, (_, at) => {
      const [before, after] = [value.slice(0, at), value.slice(at)];
      return [before + after.slice(1), before + after[0] + after, `${before}A${after}`, before];
    });
    expect(await opening(texts.flat())).toEqual([]);
  });

  it('opens nothing in any other spelling of the same bytes', async () => {
    // Both characters that other alphabets spell differently, in every part that is random.
    const isRich = (text: string): boolean =>
      text
        .split('.')
        .slice(readableByClient ? 2 : 1)
        .every((segment) => segment === '' || /[-_]/.test(segment));
    while (!isRich(value)) value = await app.issued(null, (s) => s.login({ id: 7 }));
    const spellings = value.split('.').flatMap((segment, at) => {
      if (segment === '') return [];
      const respell = (other: string): string => value.split('.').with(at, other).join('.');
      // What the last character has beyond whole bytes means nothing to a decoder that does not mind.
      const last = segment.at(-1)!;
      const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
      const twins = [...alphabet]
        .map((each) => segment.slice(0, -1) + each)
        .filter((twin) => Buffer.from(twin, 'base64url').equals(Buffer.from(segment, 'base64url')));
      const others = [
        `${segment}=`,
        `${segment}==`,
        ` ${segment}`,
        `${segment} `,
        `${segment}\n`,
        `${segment}\0`,
        `${segment.slice(0, -1)}é`,
        `${segment.slice(0, -1)}${String.fromCharCode(segment.charCodeAt(segment.length - 1) + 256)}`,
      ];
      const alphabets = segment.replaceAll('-', '+').replaceAll('_', '/');
      return [...twins.filter((twin) => !twin.endsWith(last)), ...others, alphabets]
        .filter((other) => other !== segment)
        .map(respell);
    });
    expect(spellings.length).toBeGreaterThan(20);
    expect(await opening(spellings)).toEqual([]);
  });

  it('opens nothing in quotes, escaped, with a dot more, or in capitals', async () => {
    const quoted = [`"${value}"`, encodeURIComponent(`${value};`)];
    expect(await opening([...quoted, `${value}.`, `.${value}`, value.toUpperCase()])).toEqual([]);
  });

  it('opens nothing with a segment of another value, however genuine', async () => {
    const others = [
      await app.issued(null, (s) => s.login({ id: 8 })),
      await sealedCore({ keys: [OLD_KEY], readableByClient }).issued(null, (s) => s.login({ id: 8 })),
      await sealedCore({ keys: [KEY], readableByClient: !readableByClient }).issued(null, (s) =>
        s.login({ id: 8 }),
      ),
    ];
    const own = value.split('.');
    const mixed = others.flatMap((each) => {
      const other = each.split('.');
      return own.map((_, at) => own.with(at, other[at] ?? '').join('.')).filter((text) => text !== value);
    });
    expect(await opening(mixed)).toEqual([]);
  });

  it('opens nothing with a shorter tag or signature', async () => {
    const [last, ...rest] = value.split('.').toReversed();
    const bytes = Buffer.from(last!, 'base64url');
    const texts = Array.from(bytes, (_, length) =>
      [...rest.toReversed(), bytes.subarray(0, length).toString('base64url')].join('.'),
    );
    expect(await opening(texts)).toEqual([]);
  });

  it.each(['none', 'None', 'HS256', 'HS512', 'dir', 'A256KW', 'PBES2-HS256+A128KW', 'RSA-OAEP'])(
    'opens nothing when a header asks for another algorithm, or for none: %s',
    async (alg) => {
      const [header, ...rest] = value.split('.');
      const known = JSON.parse(Buffer.from(header!, 'base64url').toString()) as object;
      const content = rest.at(readableByClient ? 0 : 2)!;
      const other = Buffer.from(JSON.stringify({ ...known, alg, p2c: 1e9 })).toString('base64url');
      const texts = [
        [other, ...rest],
        [other, content, ''],
        [other, content],
        [other, '', '', '', ''],
      ];
      expect(await opening(texts.map((text) => text.join('.')))).toEqual([]);
    },
  );

  it('T5: leaves a value alone that only pretends to be ours, without a store call', async () => {
    const forged = changed(value, value.length - 5);
    expect(await app.request(forged)).toEqual({ kind: 'keep' });
    expect({ calls: app.list.take(), told: app.told() }).toEqual({ calls: [], told: ['rejected: unknown'] });
  });

  it('T4: is not looked for in rubbish', async () => {
    const header = value.split('.')[0]!;
    const rubbish = [
      ...['', 'x', '.', '..', '....', '../../etc/passwd', '\0', '*', '{}', 'é', '\n', '[object Object]'],
      ...['a'.repeat(10_000), `${'a'.repeat(22)}.${'b'.repeat(43)}`, header, `x${header}..`],
      `${header}..${randomBytes(12_000).toString('base64url')}`,
    ];
    const decisions = await Promise.all(
      rubbish.map(async (text) => [text, await app.request(text)] as const),
    );
    expect(new Map(decisions)).toEqual(new Map(rubbish.map((text) => [text, { kind: 'keep' }])));
    expect({ calls: app.list.take(), told: app.told() }).toEqual({ calls: [], told: [] });
  });

  it('C12: takes no time to refuse 16 KB of anything', async () => {
    const header = value.split('.')[0]!;
    const long = 'A'.repeat(16_384);
    const hostile = [
      ...[
        long,
        '.'.repeat(16_384),
        `${header}.${long}`,
        `${header}..${long}`,
        `${header}${'.A'.repeat(8000)}`,
      ],
      ...[
        `${header}..${'A'.repeat(16)}.${long}.${'A'.repeat(22)}`,
        '\u00a0'.repeat(16_384),
        '%2e'.repeat(5461),
      ],
    ];
    for (const text of hostile) {
      const best = await fastest(5, () => opens(text));
      const form = await fastest(5, () =>
        Promise.resolve(app.manager.open(null)).then((s) => tryMerge(s, text)),
      );
      const begins = text.slice(0, 20);
      expect({ begins, isOpenedAtOnce: best < 5, isMergedAtOnce: form < 5 }).toEqual({
        begins,
        isOpenedAtOnce: true,
        isMergedAtOnce: true,
      });
    }
  });
});

function tryMerge(session: { merge(token: string): void }, text: string): void {
  try {
    session.merge(text);
  } catch {
    // Refused, as it should be.
  }
}

/** In milliseconds: what else the machine does must not count. */
async function fastest(times: number, work: () => Promise<unknown>): Promise<number> {
  let best = Infinity;
  for (let i = 0; i < times; i++) {
    const begin = performance.now();
    await work();
    best = Math.min(best, performance.now() - begin);
  }
  return best;
}
