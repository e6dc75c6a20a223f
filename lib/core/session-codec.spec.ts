import { isDeepStrictEqual } from 'node:util';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { jsonCodec, plainJson, UnsupportedValue } from './session-codec';

const roundTrip = (value: unknown): unknown => jsonCodec.decode(jsonCodec.encode(value));

function refusal(value: unknown): { path: string; reason: string } | null {
  try {
    jsonCodec.encode(value);
    return null;
  } catch (error) {
    if (error instanceof UnsupportedValue) return { path: error.path, reason: error.reason };
    throw error;
  }
}

describe('the JSON codec', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    // Any UTF-16 units at all: lone surrogates, NUL, and what looks like a tag.
    fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
    fc.constantFrom(
      '$',
      '$date',
      '$array',
      '["$',
      '__proto__',
      'constructor',
      'toJSON',
      'then',
      '🏺',
      '\0',
      '\ud800',
    ),
  );
  const leaf = fc.oneof(
    text,
    fc.double(),
    fc.constantFrom(-0, NaN, Infinity, -Infinity, null, undefined, true, false),
    fc.bigInt(),
    fc.date({ noInvalidDate: true }),
    fc.uint8Array(),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  );
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(text, tie('value'), { maxKeys: 4, noNullPrototype: true }),
      fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 3 }).map((pairs) => new Map(pairs)),
      fc.array(tie('value'), { maxLength: 3 }).map((items) => new Set(items)),
    ),
  }));

  it('D1: brings every value back exactly, in text that any database keeps', () => {
    fc.assert(
      fc.property(value, (given) => {
        const encoded = jsonCodec.encode(given);
        expect(encoded).not.toMatch(/\p{Surrogate}|\0/u);
        const back = jsonCodec.decode(encoded);
        // isDeepStrictEqual is a witness that does not come from Jest: it tells -0 from 0 and a Buffer from its bytes.
        expect(isDeepStrictEqual(back, given)).toBe(true);
        expect(jsonCodec.encode(back)).toBe(encoded);
      }),
      { numRuns: 2000 },
    );
  });

  it('D1: brings anything back exactly, or says that it cannot', () => {
    const anything = fc.anything({
      withBigInt: true,
      withBoxedValues: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withSparseArray: true,
      withTypedArray: true,
      withObjectString: true,
    });
    fc.assert(
      fc.property(anything, (given) => {
        if (refusal(given) === null) expect(roundTrip(given)).toEqual(given);
      }),
      { numRuns: 2000 },
    );
  });

  it('D1: leaves plain JSON as it is', () => {
    const plain = { items: ['Amphora', 2, true, null], nested: { a: [1.5] } };
    expect(jsonCodec.encode(plain)).toBe(JSON.stringify(plain));
  });

  it('D1: tells a Buffer from its bytes', () => {
    expect(roundTrip(Buffer.from('tessera'))).toStrictEqual(Buffer.from('tessera'));
    expect(roundTrip(new Uint8Array([1, 2]))).toStrictEqual(new Uint8Array([1, 2]));
  });

  it('D1: takes data from another realm for what it is', () => {
    const foreign: unknown = runInNewContext(
      `({ list: [1, [2n]], date: new Date(7), map: new Map([[{ a: 1 }, new Set([undefined])]]), bytes: new Uint8Array([1]) })`,
    );
    const back = roundTrip(foreign) as Record<string, unknown>;
    expect(back).toStrictEqual({
      list: [1, [2n]],
      date: new Date(7),
      map: new Map([[{ a: 1 }, new Set([undefined])]]),
      bytes: new Uint8Array([1]),
    });
    expect(refusal(runInNewContext('new (class Cart {})()'))?.reason).toContain('Cart');
  });

  it.each([1, new Date(0), undefined])(
    'D2: keeps keys that mean something to JavaScript, with %p',
    (leaf) => {
      const keys = ['__proto__', 'constructor', 'then', 'toString', 'hasOwnProperty', 'valueOf', '$date'];
      const nested = (): object =>
        Object.fromEntries(keys.map((key) => [key, { ['x']: leaf, ...Object.fromEntries([[key, leaf]]) }]));
      const back = roundTrip(nested()) as object;
      expect(Object.keys(back)).toEqual(keys);
      expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
      expect(isDeepStrictEqual(back, nested())).toBe(true);
      expect(({} as { x?: unknown }).x).toBeUndefined();
    },
  );

  it('D1: keeps what a getter answers', () => {
    expect(
      roundTrip({
        get total() {
          return 3;
        },
      }),
    ).toEqual({ total: 3 });
  });

  class Items extends Array<number> {}
  class Bare {}
  Object.setPrototypeOf(Bare.prototype, null);
  const holed = Object.assign(new Array<number>(3), { 0: 1, 2: 3 });
  const holedWithExtra = Object.assign(new Array<number>(3), { 0: 1, 2: 3, extra: 4 });
  const circle: Record<string, unknown> = {};
  circle['self'] = [circle];

  it.each<[string, unknown, string]>([
    ['an instance of a class', { cart: new (class Cart {})() }, '.cart'],
    ['an instance of a class without Object above it', new Bare(), ''],
    ['an array of a derived class', Items.from([1]), ''],
    ['a Date of a derived class', new (class Day extends Date {})(), ''],
    ['a Map with properties of its own', Object.assign(new Map(), { size2: 1 }), ''],
    ['an invalid Date', [new Date(NaN)], '[0]'],
    ['an Error', { deep: [new Error('no')] }, '.deep[0]'],
    ['a RegExp', /x/, ''],
    ['a boxed string', Object('text'), ''],
    ['a Promise', Promise.resolve(1), ''],
    ['a function', { toJSON: () => 1 }, '.toJSON'],
    ['a symbol', [Symbol('x')], '[0]'],
    ['a symbol key', { [Symbol('x')]: 1 }, ''],
    ['an array with holes', holed, ''],
    ['an array with as many extras as holes', holedWithExtra, ''],
    ['a circle', circle, ''],
    ['an ArrayBuffer', new ArrayBuffer(1), ''],
    ['a Uint16Array', new Uint16Array(1), ''],
  ])('D1: refuses %s', (_what, given, path) => {
    const refused = refusal(given);
    expect(refused?.reason).toBeTruthy();
    if (given !== circle) expect(refused?.path).toBe(path);
  });

  it('D1: refuses 100,000 levels without running out of stack', () => {
    let deep: unknown = 0;
    for (let level = 0; level < 100_000; level++) deep = [deep];
    expect(refusal(deep)?.reason).toContain('nested deeper');
  });

  it.each(['["$never",1]', '{"a":["$bigint","x"]}', '[', ''])(
    'D4: throws on what it has not written: %s',
    (corrupt) => {
      expect(() => jsonCodec.decode(corrupt)).toThrow();
    },
  );
});

it('W10: the plain codec accepts what JSON changes, and returns it changed', () => {
  class Price {
    constructor(readonly cents: number) {}
  }
  const value = { price: new Price(5), at: new Date(0), tags: new Map([['a', 1]]), gone: undefined };
  expect(plainJson.decode(plainJson.encode(value))).toEqual({
    price: { cents: 5 },
    at: '1970-01-01T00:00:00.000Z',
    tags: {},
  });
});
