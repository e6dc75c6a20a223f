import { randomFillSync } from 'node:crypto';

/** What AES-GCM takes. */
export const NONCE_BYTES = 12;

// Drawing 12 bytes costs as much as drawing 4 KB, so they are drawn ahead. They are no secret, only never used twice.
const pool = Buffer.alloc(NONCE_BYTES * 340);
let used = pool.length;

/** 96 random bits, as a part of a buffer that is overwritten later: to be used at once. */
export function nextNonce(): Buffer {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  return pool.subarray(used, (used += NONCE_BYTES));
}
