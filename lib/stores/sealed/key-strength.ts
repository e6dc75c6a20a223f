/**
 * How many bits of randomness a key shows at most. Nobody can tell that a key is random, but much that is not gives itself away: it
 * repeats itself, counts upwards, has few different bytes, or reads like words.
 */
export function bitsShown(key: Uint8Array): number {
  const block = key.subarray(0, periodOf(key));
  const steps = block.slice(1).map((byte, at) => byte - block[at]!);
  const perByte = Math.min(entropyOf(block), entropyOf(steps), readsLikeWords(block) ? BITS_PER_LETTER : 8);
  return perByte * block.length;
}

/** More than prose has, and so much that 32 random bytes in 52 small letters and digits still pass. */
const BITS_PER_LETTER = 2.5;

/** After how many bytes it begins anew and goes on to be the same; all of them when it does not. */
function periodOf(key: Uint8Array): number {
  const repeatsAfter = (period: number): boolean => key.every((byte, at) => byte === key[at % period]);
  for (let period = 1; period <= (key.length + 1) / 2; period++) if (repeatsAfter(period)) return period;
  return key.length;
}

/** Shannon's, of single bytes, in bits a byte. */
function entropyOf(bytes: Uint8Array): number {
  const counts = new Map<number, number>();
  for (const byte of bytes) counts.set(byte, (counts.get(byte) ?? 0) + 1);
  let entropy = 0;
  for (const count of counts.values()) entropy -= (count / bytes.length) * Math.log2(count / bytes.length);
  return entropy;
}

/** Small letters, hardly a capital: people write so, base64 does not; hexadecimal has too many digits. */
function readsLikeWords(bytes: Uint8Array): boolean {
  const share = (first: string, last: string): number =>
    bytes.filter((byte) => byte >= first.charCodeAt(0) && byte <= last.charCodeAt(0)).length / bytes.length;
  return share('a', 'z') > 0.6 && share('A', 'Z') < 0.1;
}
