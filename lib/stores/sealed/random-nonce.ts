import { randomFillSync } from 'node:crypto';

/** Nonce length of AES-GCM. */
export const NONCE_BYTES = 12;

// Generating 12 bytes costs as much as 4 KB, so nonces are generated in advance. They are not secret, but must not repeat.
const noncePool = Buffer.alloc(NONCE_BYTES * 340);
let nonceOffset = noncePool.length;

/** Returns 96 random bits. The bytes are part of a shared buffer, valid until the next call. */
export function nextNonce(): Buffer {
  if (nonceOffset === noncePool.length) {
    randomFillSync(noncePool);
    nonceOffset = 0;
  }
  return noncePool.subarray(nonceOffset, (nonceOffset += NONCE_BYTES));
}
