const BUFFER_BYTES = 16 * 1024;

/** Buffer for conversions between text and bytes. The next call overwrites it. */
const sharedBuffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);

/** Returns the text in UTF-8. The bytes are valid until the next call of a function in this file. */
export function bytesOf(text: string): Buffer {
  // A UTF-16 unit takes at most 3 bytes.
  return text.length * 3 <= BUFFER_BYTES
    ? sharedBuffer.subarray(0, sharedBuffer.write(text))
    : Buffer.from(text);
}

/** Valid last characters, by text length modulo 4. The bits after the last whole byte are zero (RFC 4648 section 3.5). */
const LAST_CHARACTERS: readonly string[] = [
  'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_',
  '',
  'AQgw',
  'AEIMQUYcgkosw048',
];

/**
 * Decodes base64url, or returns `null` unless the text is the canonical form (RFC 4648). `Buffer` alone also accepts the base64
 * alphabet, other last characters and some characters beyond ASCII, and skips unknown ones: one value would have many texts.
 * The bytes are valid until the next call of a function in this file.
 */
export function fromBase64url(text: string): Buffer | null {
  const bytes =
    text.length <= BUFFER_BYTES
      ? sharedBuffer.subarray(0, sharedBuffer.write(text, 'base64url'))
      : Buffer.from(text, 'base64url');
  const isExact =
    text !== '' &&
    LAST_CHARACTERS[text.length % 4]!.includes(text.at(-1)!) &&
    bytes.length === Math.floor((text.length * 3) / 4) &&
    Buffer.byteLength(text) === text.length &&
    !text.includes('+') &&
    !text.includes('/');
  return isExact ? bytes : null;
}
