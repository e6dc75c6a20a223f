import { randomFillSync } from 'node:crypto';

// Generating a few bytes costs as much as 4 KB, so bytes are generated in advance. Used bytes are overwritten.
const POOL_BYTES = 4096;
const pool = Buffer.alloc(POOL_BYTES);
let used = POOL_BYTES;

/** Returns this number of bytes from the CSPRNG, in base64url. */
export function randomText(bytes: number): string {
  if (used + bytes > POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  const text = pool.toString('base64url', used, used + bytes);
  pool.fill(0, used, (used += bytes));
  return text;
}
