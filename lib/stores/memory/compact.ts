const SCRATCH_BYTES = 1024;
const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

/**
 * Copies a text into a new string. V8 keeps the whole parent of a substring, and all parts of a concatenation, in memory: an id cut from
 * a header would keep the header alive as long as the session. Text with lone surrogates is returned unchanged.
 */
export function compact<T extends string>(text: T): T {
  // A UTF-16 unit takes at most 3 bytes.
  if (text.length * 3 <= SCRATCH_BYTES) {
    const bytes = scratch.write(text, 0, 'utf8');
    const copy = scratch.toString('utf8', 0, bytes);
    return (copy === text ? copy : text) as T;
  }
  const copy = Buffer.from(text, 'utf8').toString('utf8');
  return (copy === text ? copy : text) as T;
}
