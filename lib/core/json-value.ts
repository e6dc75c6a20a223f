/** Maximum nesting of a value. A deeper one would exceed the stack where it is read. */
export const MAX_NESTING = 100;

/**
 * Whether JSON gives a value back as it was, and it is nested at most {@link MAX_NESTING} levels deep. Its prototypes may be those of another
 * realm, as of objects that `fetch` makes under Jest.
 */
export function isJsonValue(value: unknown, depth = 0): boolean {
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0);
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (depth >= MAX_NESTING) return false;
  // `from` turns a hole into `undefined`.
  const items = Array.isArray(value) ? Array.from(value) : isPlainObject(value) ? Object.values(value) : null;
  return items !== null && items.every((item) => isJsonValue(item, depth + 1));
}

/** Whether a value is an object without a class. */
export function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
