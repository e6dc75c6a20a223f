import { types } from 'node:util';

/**
 * Converts session values to text and back. `decode(encode(x))` must equal `x`, or `encode` must throw {@link UnsupportedValue}. The
 * text must have no NUL and no lone surrogate. Equal values with keys in equal order must give equal text: a changed text is how a
 * change in place is detected.
 */
export interface SessionCodec {
  /** Returns the text of a value. @throws UnsupportedValue for one that `decode` would not return equal */
  encode(value: unknown): string;
  /** Returns the value of a text that `encode` has returned, in this or an earlier release. An error makes the stored session unreadable. */
  decode(text: string): unknown;
}

/** Thrown by a codec for a value that it does not support. The call that set the value then throws a `SessionValueError`. */
export class UnsupportedValue extends Error {
  /** Leads to the unsupported part of the value, such as `.items[2]`; empty for the value itself. */
  path = '';

  constructor(
    /** What is not supported, as a part of a sentence, such as `the Date is invalid`. */
    readonly reason: string,
  ) {
    super(reason);
  }
}

/**
 * JSON as `JSON.stringify` makes it. An instance of a class, such as an entity, an `ObjectId` or a `Decimal`, is stored as its `toJSON()`
 * or its own properties, and comes back as that: a `Date` as text, a `Map` as `{}`.
 */
export const plainJson: SessionCodec = {
  encode: (value) => JSON.stringify(value),
  decode: (text) => JSON.parse(text) as unknown,
};

/** Maximum nesting. A deeper value is most likely circular. */
const MAX_DEPTH = 100;

/** Maximum length of a path in an error message. */
const LONGEST_PATH = 80;
const NAME = /^[\w$-]{1,40}$/;

/**
 * JSON, with other types written as an array that begins with a tag: `["$date",0]`. Values without such types are plain JSON, and
 * are neither copied by `encode` nor walked by `decode`. An array that looks tagged gets the tag `$array`.
 */
export const jsonCodec: SessionCodec = {
  encode: (value) => JSON.stringify(pack(value, 0)),
  decode: (text) => (text.includes('["$') ? unpack(JSON.parse(text)) : (JSON.parse(text) as unknown)),
};

function pack(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      if (Object.is(value, -0)) return ['$number', '-0'];
      return Number.isFinite(value) ? value : ['$number', String(value)];
    case 'bigint':
      return ['$bigint', String(value)];
    case 'undefined':
      return ['$undefined'];
    case 'object':
      return value === null ? null : packObject(value, depth);
    default:
      throw new UnsupportedValue(`a ${typeof value} is not supported`);
  }
}

function packObject(value: object, depth: number): unknown {
  if (depth >= MAX_DEPTH) throw new UnsupportedValue(`nested deeper than ${MAX_DEPTH} levels, or circular`);
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype === Object.prototype) return packPlain(value as Record<string, unknown>, depth);
  if (prototype === Array.prototype && Array.isArray(value)) return packArray(value, depth);
  const ancestors = countAncestors(value);
  if (Array.isArray(value) && ancestors === 2) return packArray(value, depth);
  // Those of other JavaScript realms have another `Object.prototype`.
  const isPlain = prototype === null || (ancestors === 1 && Object.hasOwn(prototype, 'hasOwnProperty'));
  if (isPlain) return packPlain(value as Record<string, unknown>, depth);
  if (Object.keys(value).length > 0 && !types.isTypedArray(value)) throw asInstance(value);
  if (types.isDate(value) && ancestors === 2) {
    if (Number.isNaN(value.getTime())) throw new UnsupportedValue('the Date is invalid');
    return ['$date', value.getTime()];
  }
  if (types.isMap(value) && ancestors === 2) return ['$map', ...packItems([...value].flat(1), depth)];
  if (types.isSet(value) && ancestors === 2) return ['$set', ...packItems([...value], depth)];
  if (Buffer.isBuffer(value)) return ['$buffer', value.toString('base64')];
  if (types.isUint8Array(value) && ancestors === 3) return ['$bytes', Buffer.from(value).toString('base64')];
  throw asInstance(value);
}

/** Length of the prototype chain: 2 for a built-in class, more for a derived class. */
function countAncestors(value: object): number {
  let count = 0;
  for (let at: unknown = Object.getPrototypeOf(value); at !== null; at = Object.getPrototypeOf(at)) count++;
  return count;
}

function packPlain(value: Record<string, unknown>, depth: number): unknown {
  if (Object.getOwnPropertySymbols(value).length > 0)
    throw new UnsupportedValue('symbol keys are not supported');
  let copy: Record<string, unknown> | undefined;
  for (const key of Object.keys(value)) {
    const item = value[key];
    // Most values are strings, which need no packing.
    if (typeof item === 'string') continue;
    const packed = packAt(item, key, depth);
    if (packed !== item) (copy ??= { ...value })[key] = packed;
  }
  return copy ?? value;
}

function packArray(value: unknown[], depth: number): unknown {
  const keys = Object.keys(value);
  // Indices come first among the keys: if the last key is an index, all are.
  const isDense = keys.length === value.length && (keys.length === 0 || keys.at(-1) === `${keys.length - 1}`);
  if (!isDense) throw new UnsupportedValue('the array has holes or additional properties');
  const packed = packItems(value, depth);
  const first = value[0];
  return typeof first === 'string' && first.startsWith('$') ? ['$array', ...packed] : packed;
}

/** Returns the same array when no item needs packing. */
function packItems(items: unknown[], depth: number): unknown[] {
  let copy: unknown[] | undefined;
  for (const [index, item] of items.entries()) {
    if (typeof item === 'string') continue;
    const packed = packAt(item, index, depth);
    if (packed !== item) (copy ??= [...items])[index] = packed;
  }
  return copy ?? items;
}

/** The path into a circular value repeats itself a hundred times. */
export function shortened(path: string): string {
  return path.length > LONGEST_PATH ? `${path.slice(0, LONGEST_PATH)}…` : path;
}

/** A step on the path to a part of a value, for messages. A key that is no name may be anything that a client has sent, so it is left out. */
export function stepText(step: PropertyKey): string {
  if (typeof step === 'number') return `[${step}]`;
  return typeof step === 'string' && NAME.test(step) ? `.${step}` : '[…]';
}

function packAt(value: unknown, at: string | number, depth: number): unknown {
  try {
    return pack(value, depth + 1);
  } catch (error) {
    if (error instanceof UnsupportedValue) error.path = stepText(at) + error.path;
    throw error;
  }
}

function asInstance(value: object): UnsupportedValue {
  const { constructor } = value as { constructor?: unknown };
  const name = (typeof constructor === 'function' && constructor.name) || 'an unnamed class';
  return new UnsupportedValue(
    `an instance of ${name} would be decoded as something else; store its plain data, or set the option codec to plainJson`,
  );
}

/** Replaces tagged arrays. Objects are changed in place, because `JSON.parse` has just created them. */
function unpack(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return unpackArray(value);
  const object = value as Record<string, unknown>;
  for (const key of Object.keys(object)) object[key] = unpack(object[key]);
  return object;
}

function unpackArray(array: unknown[]): unknown {
  const tag = array[0];
  if (typeof tag !== 'string' || !tag.startsWith('$')) return array.map(unpack);
  const items = array.slice(1);
  const [first] = items;
  switch (tag) {
    case '$array':
      return items.map(unpack);
    case '$undefined':
      return undefined;
    case '$number':
      return Number(first);
    case '$bigint':
      return BigInt(first as string);
    case '$date':
      return new Date(first as number);
    case '$bytes':
      return new Uint8Array(Buffer.from(first as string, 'base64'));
    case '$buffer':
      return Buffer.from(first as string, 'base64');
    case '$set':
      return new Set(items.map(unpack));
    case '$map':
      return new Map(
        Array.from({ length: items.length / 2 }, (_, i) => [unpack(items[2 * i]), unpack(items[2 * i + 1])]),
      );
    default:
      throw new TypeError(`unknown tag ${tag}`);
  }
}
