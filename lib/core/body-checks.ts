/** Throws an error for a part of unexpected shape. The callers report the body as unreadable. */
export function check(isSound: boolean): void {
  if (!isSound) throw new TypeError('unexpected shape');
}

export function isText(part: unknown): boolean {
  return typeof part === 'string';
}

export function isTexts(part: unknown): part is readonly string[] {
  return Array.isArray(part) && part.every(isText);
}

export function isNumberOrNull(part: unknown): boolean {
  return part === null || Number.isFinite(part);
}

export function isDictionary(part: unknown): boolean {
  return typeof part === 'object' && part !== null && !Array.isArray(part);
}
