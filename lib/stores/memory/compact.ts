const SCRATCH_BYTES = 1024;
const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

/**
 * The same text in a string of its own. A part of a string keeps all of it alive, and a joined one its pieces: an id cut out of
 * a header would hold the header for as long as the session lives. Text that is not well-formed is returned as it is.
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
