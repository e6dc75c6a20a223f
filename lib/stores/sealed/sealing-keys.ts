import { createSecretKey, KeyObject } from 'node:crypto';
import { bitsShown } from './key-strength';

/** A secret of at least 32 random bytes: as text (of which the UTF-8 bytes count, whatever they encode), as bytes, or as a `KeyObject`. */
export type SealingKey = string | Uint8Array | KeyObject;

const MIN_BYTES = 32;
const MIN_BITS = 128;

const WAY_OUT =
  "make one with: node -e \"console.log(require('node:crypto').randomBytes(32).toString('base64url'))\"";

/** The keys as they are used, and every reason not to use them, in words that hold nothing of a key. */
export function resolveKeys(keys: unknown): { keys: readonly KeyObject[]; problems: string[] } {
  if (!Array.isArray(keys)) return { keys: [], problems: [`keys must be a list, [current, ...previous]`] };
  if (keys.length === 0) return { keys: [], problems: [`keys is empty; ${WAY_OUT}`] };
  const known = keys.map(toKeyObject);
  const problems = known.flatMap((key, at) =>
    keys[at] === undefined
      ? [`keys[${at}] is undefined; is the variable set that it comes from?`]
      : problemsOf(key, at, known.slice(0, at)),
  );
  return { keys: known.filter((key) => key !== null), problems };
}

function toKeyObject(key: unknown): KeyObject | null {
  if (key instanceof KeyObject) return key.type === 'secret' ? key : null;
  if (typeof key === 'string') return createSecretKey(key, 'utf8');
  return key instanceof Uint8Array ? createSecretKey(key) : null;
}

function problemsOf(key: KeyObject | null, at: number, before: readonly (KeyObject | null)[]): string[] {
  const name = `keys[${at}]`;
  if (key === null) return [`${name} must be a string, a Uint8Array or a secret KeyObject`];
  const twin = before.findIndex((other) => other?.equals(key));
  if (twin >= 0) return [`${name} is keys[${twin}] once more; list each key once`];
  const bytes = key.export();
  if (bytes.length < MIN_BYTES)
    return [`${name} has ${bytes.length} bytes and needs ${MIN_BYTES}; ${WAY_OUT}`];
  if (bitsShown(bytes) < MIN_BITS)
    return [`${name} can be guessed: it repeats itself, follows a pattern or reads like words; ${WAY_OUT}`];
  return [];
}
