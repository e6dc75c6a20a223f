import { randomText } from './random-text';

/** In characters of base64url: 72 random bits. */
const LENGTH = 12;

/** How many of the last receipts a session keeps. */
const KEPT = 8;

/** Adds a receipt for a write that takes a value out, by which its request can tell later whether it was done. */
export function withReceipt(receipts: string | null): string {
  return (randomText((LENGTH * 3) / 4) + (receipts ?? '')).slice(0, LENGTH * KEPT);
}

/**
 * Whether a session has the receipt of a write; `null` when it may have had it, and has forgotten it since.
 * @param written the receipts that the write left, its own first
 * @param found those of the session as it is now
 * @param later how many writes the session has had after that one, if it was done
 */
export function hasReceiptOf(written: string, found: string | null, later: number): boolean | null {
  if (found?.includes(written.slice(0, LENGTH))) return true;
  return later < KEPT ? false : null;
}
