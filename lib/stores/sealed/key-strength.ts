/**
 * Returns an upper bound for the entropy of a key, in bits. Randomness cannot be proved, but many weak keys can be detected: they
 * repeat, count upwards, have few different bytes, or look like words.
 */
export function entropyBoundOf(key: Uint8Array): number {
  const block = key.subarray(0, periodOf(key));
  const steps = block.slice(1).map((byte, at) => byte - block[at]!);
  const perByte = Math.min(entropyOf(block), entropyOf(steps), looksLikeWords(block) ? BITS_PER_LETTER : 8);
  return perByte * block.length;
}

/** Above the entropy of prose. 32 random bytes written in 52 lower-case letters and digits still pass. */
const BITS_PER_LETTER = 2.5;

/** Length of the shortest part that the key repeats; the key's own length when it does not repeat. */
function periodOf(key: Uint8Array): number {
  const repeatsAfter = (period: number): boolean => key.every((byte, at) => byte === key[at % period]);
  for (let period = 1; period <= (key.length + 1) / 2; period++) if (repeatsAfter(period)) return period;
  return key.length;
}

/** Shannon entropy of single bytes, in bits per byte. */
function entropyOf(bytes: Uint8Array): number {
  const counts = new Map<number, number>();
  for (const byte of bytes) counts.set(byte, (counts.get(byte) ?? 0) + 1);
  let entropy = 0;
  for (const count of counts.values()) entropy -= (count / bytes.length) * Math.log2(count / bytes.length);
  return entropy;
}

/** Mostly lower-case letters and few capitals, as in prose. Base64 has more capitals, hexadecimal more digits. */
function looksLikeWords(bytes: Uint8Array): boolean {
  const share = (first: string, last: string): number =>
    bytes.filter((byte) => byte >= first.charCodeAt(0) && byte <= last.charCodeAt(0)).length / bytes.length;
  return share('a', 'z') > 0.6 && share('A', 'Z') < 0.1;
}
