/** Whether JSON gives a value back as it was. Its prototypes may be those of another realm, as of objects that `fetch` makes under Jest. */
export function isJsonValue(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0);
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  // `from` turns a hole into `undefined`.
  if (Array.isArray(value)) return Array.from(value).every(isJsonValue);
  return isPlainObject(value) && Object.values(value).every(isJsonValue);
}

/** Whether a value is an object without a class. */
export function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
