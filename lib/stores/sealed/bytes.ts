const ROOM_BYTES = 16 * 1024;

/** Where texts become bytes and back, one after the other: nothing is kept in it longer than until the next call. */
const room = Buffer.allocUnsafeSlow(ROOM_BYTES);

/** UTF-8, to be used at once. */
export function bytesOf(text: string): Buffer {
  // A UTF-16 unit takes at most 3 bytes.
  return text.length * 3 <= ROOM_BYTES ? room.subarray(0, room.write(text)) : Buffer.from(text);
}

/** What the last character may be when that many remain after the groups of four: what it has beyond whole bytes is zero. */
const LAST: readonly string[] = [
  'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_',
  '',
  'AQgw',
  'AEIMQUYcgkosw048',
];

/**
 * The bytes that this text stands for, to be used at once; `null` unless it is their one true form (RFC 4648). `Buffer` also reads the
 * other alphabet, last characters that mean nothing, and some beyond ASCII, and skips what it does not know: one value could be
 * written in many ways.
 */
export function fromBase64url(text: string): Buffer | null {
  const bytes =
    text.length <= ROOM_BYTES
      ? room.subarray(0, room.write(text, 'base64url'))
      : Buffer.from(text, 'base64url');
  const isExact =
    text !== '' &&
    LAST[text.length % 4]!.includes(text.at(-1)!) &&
    bytes.length === Math.floor((text.length * 3) / 4) &&
    Buffer.byteLength(text) === text.length &&
    !text.includes('+') &&
    !text.includes('/');
  return isExact ? bytes : null;
}
