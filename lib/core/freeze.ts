import { isPlainObject } from './json-value';

/** Freezes arrays and plain objects, at every depth. A `Map`, a `Set`, a `Date` and bytes can still be changed. */
export function freeze(value: unknown): void {
  if (!Array.isArray(value) && !isPlainObject(value)) return;
  if (Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const part of Object.values(value)) freeze(part);
}
