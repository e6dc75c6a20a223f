import { randomFillSync } from 'node:crypto';

// Drawing a few bytes costs as much as drawing 4 KB, so they are drawn ahead. Handed-out bytes are wiped.
const POOL_BYTES = 4096;
const pool = Buffer.alloc(POOL_BYTES);
let used = POOL_BYTES;

/** So many bytes from the CSPRNG, base64url. */
export function randomText(bytes: number): string {
  if (used + bytes > POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  const drawn = pool.subarray(used, (used += bytes));
  const text = drawn.toString('base64url');
  drawn.fill(0);
  return text;
}
