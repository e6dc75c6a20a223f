import { createSecretKey, KeyObject } from 'node:crypto';
import { entropyBoundOf } from './key-strength';

/** A secret of at least 32 random bytes: a string (its UTF-8 bytes are the key; it is not decoded), bytes, or a secret `KeyObject`. */
export type SealingKey = string | Uint8Array | KeyObject;

const MIN_BYTES = 32;
const MIN_BITS = 128;

const KEY_ADVICE = 'make one with: npx nestjs-tessera keys';

/** Returns the keys, and a message for each problem. Messages contain no part of a key. */
export function resolveKeys(keys: unknown): { keys: readonly KeyObject[]; problems: string[] } {
  if (!Array.isArray(keys)) return { keys: [], problems: ['keys must be an array, [current, ...previous]'] };
  if (keys.length === 0) return { keys: [], problems: [`keys is empty; ${KEY_ADVICE}`] };
  const known = keys.map(toKeyObject);
  const problems = known.flatMap((key, at) =>
    keys[at] === undefined
      ? [`keys[${at}] is undefined; check that the environment variable it comes from is set`]
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
  if (twin >= 0) return [`${name} is the same as keys[${twin}]; list each key once`];
  const bytes = key.export();
  if (bytes.length < MIN_BYTES)
    return [`${name} must have at least ${MIN_BYTES} bytes, got ${bytes.length}; ${KEY_ADVICE}`];
  if (entropyBoundOf(bytes) < MIN_BITS)
    return [`${name} can be guessed: it repeats, follows a pattern or looks like words; ${KEY_ADVICE}`];
  return [];
}
